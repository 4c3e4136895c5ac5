package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Faults of clients in processes of their own. */
@Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
abstract class ClientFaultRules extends FaultRules {

    private static String answer(Program program, String command) {
        program.tell(command);
        return program.answer();
    }

    private void expectAnswer(String expected, Program program) {
        String answer = program.answer();
        expect(answer.equals(expected), "answer " + expected, answer);
    }

    private static long acquire(Program program) {
        return Long.parseLong(answer(program, "acquire"));
    }

    /** A lease so long that a process which stands still on a busy machine does not lose its hold. */
    private Duration longLease() {
        return lease.multipliedBy(10);
    }

    @Causes(StoreFault.CLIENT_KILLED)
    @Test
    void s1_9_holdsOfProcessesNeverOverlap(@TempDir Path directory) throws Exception {
        int times = 50;
        Path counter = Files.writeString(directory.resolve("counter"), "0");
        List<Program> all = Stream.generate(() -> store.start(use(), name, longLease()))
                .limit(3)
                .toList();
        // None begins to count before the last has started.
        for (Program program : all) {
            acquire(program);
            program.tell("release");
            expectAnswer("RELEASED", program);
        }

        all.forEach(program -> program.tell("count " + counter + " " + times));

        all.forEach(program -> expectAnswer("counted", program));
        int counted = Integer.parseInt(Files.readString(counter));
        expect(counted == all.size() * times, all.size() * times + " counts under the lock", counted);
        expectFreeAgain("after all have released");
    }

    @Causes(StoreFault.CLIENT_STOPPED)
    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "WRITER")
    void f3_1_aSuspendedHolderFindsItsHoldLostWhenItResumes(LockUse use) throws Exception {
        Program holder = store.start(use(), name, lease);
        long token = acquire(holder);

        holder.suspend();
        LockHandle next = grantedAfter(token, peer(), name);
        holder.tell("state");
        holder.resume();

        expectAnswer("false", holder);
        holder.tell("loss");
        expectAnswer("true", holder);
        holder.tell("release");
        expectAnswer("LOST", holder);
        expectRelease(next, Release.RELEASED, "after the release of the one before");
        expectFree("after the release");
    }

    @Causes(StoreFault.CLIENT_KILLED)
    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "WRITER")
    void f3_2_aKilledHoldersLockIsFreeAfterItsExpiry(LockUse use) {
        Program holder = store.start(use(), name, lease);
        long token = acquire(holder);

        holder.kill();

        grantedAfter(token, peer(), name).close();
        expectFree("after its holder was killed");
    }

    @Causes(StoreFault.CLIENT_KILLED)
    @Test
    void f3_3_aKilledWaiterDelaysOthersForABoundedTime() throws Exception {
        Peer c = peer(builder -> builder.outageTimeout(Duration.ofHours(24)));
        LockHandle held = peer().lock(name).acquire();
        Program waiter = store.start(use(), name, lease);
        waiter.tell("wait");
        expectAnswer("waiting", waiter);
        Task<LockHandle> next = startQueued(c, c.lock(name));

        waiter.kill();
        held.close();

        within(recovery(c), "the next waiter is granted", next::isDone);
        get(next).close();
        expectFreeAgain("after a waiter was killed");
    }

    @Causes(StoreFault.CLIENT_KILLED)
    @Test
    void f3_4_aProcessThatDoesNotCloseItsClientStillEnds() {
        Program exits = store.start(use(), name + "/exit", lease);
        Program leaves = store.start(use(), name + "/leave", lease);
        acquire(exits);
        acquire(leaves);

        exits.tell("exit");
        leaves.tell("leave");

        await("the processes end", () -> !exits.isAlive() && !leaves.isAlive());
        for (String way : List.of("/exit", "/leave")) {
            granted(peer(), name + way).close();
        }
        expectClean("after the processes have ended");
    }

    @Causes(StoreFault.CLIENT_KILLED)
    @Test
    void f3_6_aKeptLockOutlivesItsProcess() {
        Program job = store.start(use(), name, lease);
        job.tell("once " + minimum());
        expectAnswer("RELEASED", job);

        job.kill();

        store.letPass(minimum().minus(lease));
        expectBusy(peer(), "although the process that has released it has ended");
        store.letPass(lease);
        granted(peer(), name).close();
        expectFree("after the kept lock");
    }

    @Causes(StoreFault.CLIENT_KILLED)
    @Test
    void f3_5_aShutdownHookThatClosesTheClientFreesTheLock() {
        Program holder = store.start(use(), name, longLease());
        acquire(holder);

        holder.tell("hook");
        holder.tell("exit");

        await("the process ends", () -> !holder.isAlive());
        expectFree("after the process has closed its client");
    }
}

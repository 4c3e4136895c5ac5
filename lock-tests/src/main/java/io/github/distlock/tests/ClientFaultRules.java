package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.spi.LockClock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

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

    /** Acquires a lock for each way to use one, and returns the tokens. */
    private Map<LockUse, Long> acquireInAllWays(Program program) {
        Map<LockUse, Long> tokens = new EnumMap<>(LockUse.class);
        for (LockUse use : uses()) {
            tokens.put(use, Long.parseLong(answer(program, "acquire " + use)));
        }
        return tokens;
    }

    /** Acquires the same locks once their holds have ended. */
    private Map<LockUse, LockHandle> grantedAfter(Map<LockUse, Long> tokens) {
        Map<LockUse, LockHandle> next = new EnumMap<>(LockUse.class);
        tokens.forEach((use, token) -> next.put(use, grantedAfter(token, use, peer(), name + "/" + use)));
        return next;
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
        List<Program> all =
                Stream.generate(() -> store.start(name, longLease())).limit(3).toList();
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
    @Test
    void f3_1_aSuspendedHolderFindsItsHoldLostWhenItResumes() {
        Program holder = store.start(name, lease);
        Map<LockUse, Long> tokens = acquireInAllWays(holder);

        holder.suspend();
        Map<LockUse, LockHandle> next = grantedAfter(tokens);
        next.keySet().forEach(use -> holder.tell("state " + use));
        holder.resume();

        next.keySet().forEach(use -> expectAnswer("false", holder));
        next.forEach((use, held) -> {
            holder.tell("loss " + use);
            expectAnswer("true", holder);
            holder.tell("release " + use);
            expectAnswer("LOST", holder);
            expectRelease(held, Release.RELEASED, "after the release of the one before");
        });
        expectClean("after the release");
    }

    @Causes(StoreFault.CLIENT_KILLED)
    @Test
    void f3_2_aKilledHoldersLockIsFreeAfterItsExpiry() {
        Program holder = store.start(name, lease);
        Map<LockUse, Long> tokens = acquireInAllWays(holder);

        holder.kill();

        grantedAfter(tokens).values().forEach(LockHandle::close);
        expectClean("after its holder was killed");
    }

    @Causes(StoreFault.CLIENT_KILLED)
    @Test
    void f3_3_aKilledWaiterDelaysOthersForABoundedTime() throws Exception {
        Peer c = peer(builder -> builder.outageTimeout(Duration.ofHours(24)));
        LockHandle held = peer().lock(name).acquire();
        Program waiter = store.start(name, lease);
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
        Program exits = store.start(name + "/exit", lease);
        Program leaves = store.start(name + "/leave", lease);
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
        Program job = store.start(name, lease);
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
    @Uses(delayed = true)
    @Test
    void f3_7_aKilledHoldersLockStaysBusyForItsLockDelay() {
        Duration delay = Collections.min(List.of(minimum(), Duration.ofMinutes(1)));
        Peer other = peer();
        Program holder = store.start(name, lease);
        holder.tell("delayed " + delay);
        long token = Long.parseLong(holder.answer());
        LockClock clock = other.backend.clock();
        long aliveAt = clock.nanoTime();

        holder.kill();

        LockHandle next = granted(other, name, recovery(other).plus(delay));
        Duration passed = Duration.ofNanos(clock.nanoTime() - aliveAt);
        expect(passed.compareTo(delay) >= 0, "a grant no earlier than " + delay + " after the kill", passed);
        expect(next.fencingToken() > token, "a token greater than " + token, next.fencingToken());
        next.close();
        expectClean("after the next holder's release");
    }

    @Causes(StoreFault.CLIENT_KILLED)
    @Test
    void f3_5_aShutdownHookThatClosesTheClientFreesTheLock() {
        Program holder = store.start(name, longLease());
        acquire(holder);

        holder.tell("hook");
        holder.tell("exit");

        await("the process ends", () -> !holder.isAlive());
        expectFree("after the process has closed its client");
    }
}

package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import io.github.distlock.LockLoss;
import io.github.distlock.LossReason;
import io.github.distlock.tests.servers.JvmProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients in processes of their own, which are stopped and killed. Where there is no server that another process can reach,
 * a client that falls silent stands for them.
 */
abstract class ClientFaultRules extends FaultRules {
    /** What a process may take to end, however many threads of the library it has; most of it is the machine's. */
    private static final Duration EXIT = Duration.ofSeconds(5);

    private final List<JvmProcess> programs = new ArrayList<>();

    private JvmProcess program(ServerFixture<?> real) {
        return program(real, name);
    }

    private JvmProcess program(ServerFixture<?> real, String lockName) {
        return program(real, lockName, lease);
    }

    private JvmProcess program(ServerFixture<?> real, String lockName, Duration itsLease) {
        JvmProcess program = real.program(lockName, itsLease);
        programs.add(program);
        return program;
    }

    private String told(JvmProcess program, String beginning) {
        // A JVM has to start first.
        return program.awaitLine(beginning, store.patience().multipliedBy(3));
    }

    private long acquire(JvmProcess program) {
        program.send("acquire");
        return Long.parseLong(told(program, "held ").substring("held ".length()));
    }

    @Override
    final void repair() {
        programs.forEach(JvmProcess::close);
    }

    @Test
    void s1_9_holdsOfProcessesNeverOverlap(@TempDir Path directory) throws Exception {
        if (!causes(StoreFault.CLIENT_KILLED) || !(store instanceof ServerFixture<?> real)) {
            expectFree("without processes, for which S1.2 stands");
            return;
        }
        int times = 50;
        // A process that a busy machine lets stand still for a lease would count without the lock.
        Duration longLease = lease.multipliedBy(10);
        Path counter = Files.writeString(directory.resolve("counter"), "0");
        List<JvmProcess> all =
                Stream.generate(() -> program(real, name, longLease)).limit(3).toList();
        all.forEach(program -> program.send("count " + counter + " " + times));
        all.forEach(program -> told(program, "counted"));
        int counted = Integer.parseInt(Files.readString(counter));
        expect(counted == all.size() * times, all.size() * times + " counts under the lock", counted);
        expectFreeWithin(recovery(peer()), "after all have released");
    }

    @Test
    void f3_1_aStoppedHolderFindsItsHoldLostWhenItGoesOn() throws Exception {
        if (!causes(StoreFault.CLIENT_STOPPED) || !(store instanceof ServerFixture<?> real)) {
            silentHolderFindsItsHoldLost();
            return;
        }
        JvmProcess holder = program(real);
        long token = acquire(holder);
        holder.suspend();
        Peer b = peer();
        LockHandle next = granted(b, name, recovery(b));
        expect(next.fencingToken() > token, "a greater token than " + token, next.fencingToken());
        holder.send("state");
        holder.resume();
        List<String> lines = new ArrayList<>();
        while (lines.stream().noneMatch(line -> line.startsWith("lost"))
                || lines.stream().noneMatch(line -> line.startsWith("state"))) {
            lines.add(holder.nextLine(store.patience()));
        }
        expect(lines.contains("state false"), "the first look says that it does not hold", lines);
        holder.send("release");
        String outcome = told(holder, "released ");
        expect(outcome.equals("released LOST"), "LOST", outcome);
        expectReleased(next, "after the release of the one before");
        expectFree("after the release");
    }

    private void silentHolderFindsItsHoldLost() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        List<LockLoss> losses = losses(held);
        silence(a);
        LockHandle next = granted(peer(), name, recovery(a));
        expect(next.fencingToken() > held.fencingToken(), "a greater token", next.fencingToken());
        restore(a);
        expect(!held.isHeld(), "not held", held.state());
        await("the loss is reported", () -> !losses.isEmpty());
        expect(losses.get(0).reason() == LossReason.EXPIRED, "EXPIRED", losses);
        expectLostAtRelease(held);
        expectReleased(next, "after the release of the one before");
        expectFree("after the release");
    }

    @Test
    void f3_2_aKilledHoldersLockIsFreeAfterItsExpiry() throws Exception {
        Peer b = peer();
        long token;
        if (causes(StoreFault.CLIENT_KILLED) && store instanceof ServerFixture<?> real) {
            JvmProcess holder = program(real);
            token = acquire(holder);
            expectBusy(b, "while its holder lives");
            holder.kill();
        } else {
            Peer a = peer();
            token = a.lock(name).acquire().fencingToken();
            silence(a);
        }
        LockHandle next = granted(b, name, recovery(b));
        expect(next.fencingToken() > token, "a greater token than " + token, next.fencingToken());
        next.close();
        expectFree("after its holder was killed");
    }

    @Test
    void f3_3_aKilledWaiterDelaysNobodyForLong() throws Exception {
        Peer a = peer();
        Peer c = peer(builder -> builder.outageTimeout(Duration.ofHours(24)));
        LockHandle held = a.lock(name).acquire();
        Runnable kill;
        if (causes(StoreFault.CLIENT_KILLED) && store instanceof ServerFixture<?> real) {
            JvmProcess waiter = program(real);
            waiter.send("wait");
            told(waiter, "waiting");
            kill = waiter::kill;
        } else {
            Peer b = peer();
            startQueued(b, b.lock(name));
            kill = () -> silence(b);
        }
        Task<LockHandle> next = startQueued(c, c.lock(name));
        kill.run();
        held.close();
        within(recovery(c), "the next waiter is granted", next::isDone);
        get(next).close();
        expectFreeWithin(recovery(c), "after a waiter was killed");
    }

    @Test
    void f3_4_aProcessThatEndsWithoutClosingEndsSoon() throws Exception {
        if (!causes(StoreFault.CLIENT_KILLED) || !(store instanceof ServerFixture<?> real)) {
            closedClientFreesTheLock();
            return;
        }
        List<JvmProcess> all = List.of(program(real, name + "/exit"), program(real, name + "/leave"));
        all.forEach(this::acquire);
        all.get(0).send("exit");
        all.get(1).send("leave");
        for (JvmProcess program : all) {
            int code = program.awaitExit(EXIT.plus(store.slack()));
            expect(code == 0, "an orderly end", "exit code " + code);
        }
        Peer b = peer();
        for (String way : List.of("/exit", "/leave")) {
            granted(b, name + way, recovery(b)).close();
        }
        expectClean("after the processes have ended");
    }

    @Test
    void f3_5_aShutdownHookThatClosesFreesTheLock() throws Exception {
        if (!causes(StoreFault.CLIENT_KILLED) || !(store instanceof ServerFixture<?> real)) {
            closedClientFreesTheLock();
            return;
        }
        JvmProcess holder = program(real);
        acquire(holder);
        holder.send("hook");
        holder.send("exit");
        int code = holder.awaitExit(EXIT.plus(store.slack()));
        expect(code == 0, "an orderly end", "exit code " + code);
        expectFree("after the process has closed its client");
    }

    private void closedClientFreesTheLock() throws InterruptedException {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        a.locks.close();
        expect(!held.isHeld(), "not held after its client was closed", held.state());
        expectFree("after its client was closed");
    }
}

package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import io.github.distlock.tests.servers.Server;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * A server that stands still, dies and comes back. It is a server of these tests' own, one after the other. Where there is
 * none, all clients hear nothing while it is away, and what it loses is the hold.
 */
@Execution(ExecutionMode.SAME_THREAD)
abstract class ServerFaultRules extends FaultRules {
    private static final Set<StoreFault> OF_SERVERS = Collections.unmodifiableSet(
            EnumSet.of(StoreFault.SERVER_PAUSED, StoreFault.SERVER_KILLED, StoreFault.SERVER_WIPED));

    @RegisterExtension
    final OwnServer own = new OwnServer();

    private @Nullable Server server;

    @Override
    final BackendFixture openFixture() throws Exception {
        BackendFixture fixture = newFixture();
        if (fixture instanceof ServerFixture<?> real && real.faults().containsAll(OF_SERVERS)) {
            Server mine = own.startedBy(real);
            server = mine;
            real.moveTo(mine);
        }
        return fixture;
    }

    @Override
    final void repair() {
        if (server != null) {
            server.resume();
            if (!server.isRunning()) {
                server.restart(false);
            }
        }
    }

    private void pause() {
        if (server != null) {
            server.pause();
        } else {
            peers().forEach(this::silence);
        }
    }

    private void resume() {
        if (server != null) {
            server.resume();
        } else {
            peers().forEach(this::restore);
        }
    }

    private void kill() {
        if (server != null) {
            server.kill();
        } else {
            peers().forEach(this::silence);
        }
    }

    private void restart(boolean withData) {
        if (server != null) {
            server.restart(withData);
        } else {
            if (!withData) {
                lose(name);
            }
            peers().forEach(this::restore);
        }
    }

    private OptionalLong endsHoldAt(String lockName) {
        return store instanceof ServerFixture<?> real ? real.endsHoldAt(lockName) : OptionalLong.empty();
    }

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void f1_1_aHoldEndsBeforeItsPausedServerWouldEndIt() throws Exception {
        causes(StoreFault.SERVER_PAUSED);
        List<Long> spares = new ArrayList<>();
        int measured = 0;
        while (measured < REPEATS) {
            List<Ending> endings = new ArrayList<>();
            for (HeldLock one : heldAtOnce(Math.min(REPEATS - measured, AT_ONCE))) {
                endings.add(new Ending(one, ownEnd(one), endsHoldAt(one.lockName())));
            }
            pause();
            // One that was renewed just before the pause is not measured: the server's end is another.
            endings.removeIf(ending ->
                    ownEnd(ending.one) - ending.ownEnd > lease.dividedBy(4).toNanos());
            spares.addAll(measured(endings));
            resume();
            for (Ending ending : endings) {
                expectLostAtRelease(ending.one.held());
            }
            measured += endings.size();
        }
        expectSpare(spares);
    }

    /** When a hold ends, for its holder and for the server. */
    private record Ending(HeldLock one, long ownEnd, OptionalLong endsAt) {}

    private List<Long> measured(List<Ending> endings) {
        List<Task<Long>> losses = new ArrayList<>();
        for (Ending ending : endings) {
            if (ending.endsAt.isPresent()) {
                losses.add(start(
                        () -> Math.floorDiv(ending.endsAt.getAsLong() - waitUntilLost(ending.one.held()), 1_000_000)));
            }
        }
        if (losses.isEmpty()) {
            store.letPass(lease);
        }
        List<Long> spares = losses.stream().map(this::get).toList();
        endings.forEach(
                ending -> expectState(ending.one.held(), State.LOST, "after a lease in which its server stood still"));
        return spares;
    }

    private static long ownEnd(HeldLock one) {
        return one.peer().backend.clock().nanoTime() + one.held().remaining().toNanos();
    }

    @Test
    void f1_2_aPausedServerThatGoesOnRevivesNothing() throws Exception {
        causes(StoreFault.SERVER_PAUSED);
        Peer a = peer();
        Peer b = peer();
        b.lock(name + "x").acquire().close();
        LockHandle held = a.lock(name).acquire();
        List<LockLoss> losses = losses(held);
        pause();
        expectFailureInTime(b, name + "x", "while the server stands still");
        store.letPass(lease);
        expectState(held, State.LOST, "after a lease in which its server stood still");
        resume();
        LockHandle next = granted(peer(), name, recovery(a));
        expect(next.fencingToken() > held.fencingToken(), "a greater token", next.fencingToken());
        expectLostAtRelease(held);
        expect(losses.size() == 1, "the loss is reported once", losses);
        expectReleased(next, "after the release of the one before");
        expectFreeWithin(recovery(b), "after the server stood still");
    }

    @Test
    void f1_3_aShortPauseOfItsServerCostsNoHold() throws Exception {
        causes(StoreFault.SERVER_PAUSED);
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        pause();
        store.letPass(lease.dividedBy(2));
        expectHeld(held, "after half a lease in which its server stood still");
        resume();
        store.letPass(lease);
        expectState(held, State.HELD, "when its server has gone on");
        expectBusy(peer(), "when its server has gone on");
        expectReleased(held, "in the end");
        expectFree("after the release");
    }

    @Test
    void f1_4_aHoldEndsInTimeWhenItsServerIsKilled() throws Exception {
        causes(StoreFault.SERVER_KILLED);
        Peer a = peer();
        Peer b = peer();
        b.lock(name + "x").acquire().close();
        LockHandle held = a.lock(name).acquire();
        List<LockLoss> losses = losses(held);
        kill();
        expectFailureInTime(b, name + "x", "when the server was killed");
        store.letPass(lease);
        expectState(held, State.LOST, "after a lease without its server");
        await("the loss is reported", Duration.ofSeconds(1).plus(store.slack()), () -> !losses.isEmpty());
        restart(true);
        LockHandle next = granted(peer(), name, recovery(a));
        expect(next.fencingToken() > held.fencingToken(), "a greater token", next.fencingToken());
        next.close();
        expectFreeWithin(recovery(a), "after the server was killed");
    }

    @Test
    void f1_5_aHoldSurvivesAQuickRestartOfItsServer() throws Exception {
        causes(StoreFault.SERVER_KILLED);
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        boolean quick = restartsQuickly();
        store.letPass(lease);
        if (quick || held.isHeld()) {
            expectState(held, State.HELD, "when its server is back");
            expectBusy(peer(), "when its server is back");
        }
        LockHandle.Release outcome = held.release();
        expect(outcome == LockHandle.Release.RELEASED || !quick, "RELEASED", outcome);
        expectFreeWithin(recovery(a), "after the release");
    }

    /** Whether its holds cannot have ended meanwhile. */
    private boolean restartsQuickly() {
        long begin = System.nanoTime();
        kill();
        restart(true);
        boolean quick = System.nanoTime() - begin < lease.dividedBy(3).toNanos();
        if (!quick) {
            report("too slow", "the server was away for more than a third of a lease, so its holds may end");
        }
        return quick;
    }

    @Test
    void f1_6_tokensRiseOverARestartOfTheServer() throws Exception {
        causes(StoreFault.SERVER_KILLED);
        Peer a = peer();
        LockHandle before = a.lock(name).acquire();
        boolean quick = restartsQuickly();
        LockHandle.Release outcome = before.release();
        expect(outcome != LockHandle.Release.LOST || !quick, "RELEASED or PENDING", outcome);
        LockHandle after = granted(peer(), name, recovery(a));
        expect(after.fencingToken() > before.fencingToken(), "a greater token", after.fencingToken());
        after.close();
        expectFreeWithin(recovery(a), "after the release");
    }

    @Test
    void f1_7_aHoldEndsWhenItsServerHasLostItsData() throws Exception {
        causes(StoreFault.SERVER_WIPED);
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        kill();
        restart(false);
        LockHandle next = granted(peer(), name, recovery(a));
        store.letPass(lease);
        expectState(held, State.LOST, "after a lease with a server that does not know it");
        expectHeld(next, "after the end of a hold that the server does not know");
        if (!(store instanceof ServerFixture<?> real) || real.tokensOutliveData()) {
            expect(next.fencingToken() > held.fencingToken(), "a greater token", next.fencingToken());
        } else {
            report("not promised", "tokens that rise over the loss of all data");
        }
        next.close();
        expectFreeWithin(recovery(a), "after the release");
    }

    @Test
    void f1_8_aWaiterSurvivesARestartOfTheServer() throws Exception {
        causes(StoreFault.SERVER_KILLED);
        Peer a = peer();
        Peer b = peer(builder -> builder.outageTimeout(Duration.ofHours(24)));
        LockHandle held = a.lock(name).acquire();
        Task<LockHandle> waiter = startQueued(b, b.lock(name));
        kill();
        restart(true);
        held.release();
        within(recovery(b), "the waiter is granted", waiter::isDone);
        get(waiter).close();
        expectFreeWithin(recovery(b), "after the waiter's release");
    }
}

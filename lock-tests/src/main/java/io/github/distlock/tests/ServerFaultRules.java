package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Faults of a server. No other test uses it, so these tests take turns. */
@Execution(ExecutionMode.SAME_THREAD)
abstract class ServerFaultRules extends FaultRules {
    @RegisterExtension
    final OwnServer own = new OwnServer();

    @Override
    final BackendFixture openFixture() throws Exception {
        BackendFixture fixture = newFixture();
        fixture.useServerOf(own);
        return fixture;
    }

    /** Holds one lock in each way that the store has. */
    private List<HeldLock> heldInAllWays() throws InterruptedException {
        List<HeldLock> all = new ArrayList<>();
        for (LockUse use : uses()) {
            all.add(heldLock(use));
        }
        return all;
    }

    /** When a hold ends, for its holder and for the server. */
    private record Ending(HeldLock lock, long ownEnd, OptionalLong endsAt) {}

    @Causes(StoreFault.SERVER_PAUSED)
    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void f1_1_aHoldEndsBeforeItsPausedServerWouldEndIt() throws Exception {
        List<Long> spares = new ArrayList<>();
        boolean isTold;
        do {
            List<Ending> endings = new ArrayList<>();
            for (HeldLock lock : heldLocks()) {
                endings.add(new Ending(lock, lock.ownEnd(), store.endsHoldAt(lock.lockName())));
            }
            isTold = endings.get(0).endsAt.isPresent();

            store.pauseServer();

            // A hold that was renewed just before the pause is not measured: the server ends it later than it has said.
            List<Task<Long>> measured = endings.stream()
                    .filter(ending -> ending.endsAt.isPresent() && !wasRenewed(ending))
                    .map(ending -> start(() -> ending.endsAt.getAsLong() - ending.lock.lastHeldAt()))
                    .toList();
            store.letPass(lease);
            for (Ending ending : endings) {
                expectState(ending.lock.held(), State.LOST, "after a lease with a paused server");
            }
            measured.forEach(spare -> spares.add(get(spare)));
            store.resumeServer();
            for (Ending ending : endings) {
                expectRelease(ending.lock.held(), Release.LOST, "after its end");
            }
        } while (isTold && spares.size() < MEASURED);
        if (isTold) {
            expectSpare(spares);
        }
    }

    private boolean wasRenewed(Ending ending) {
        return ending.lock.ownEnd() - ending.ownEnd > lease.dividedBy(4).toNanos();
    }

    @Causes(StoreFault.SERVER_PAUSED)
    @Test
    void f1_2_aResumedServerRevivesNothing() throws Exception {
        Peer b = connected(peer());
        List<HeldLock> all = heldInAllWays();
        List<List<LockLoss>> losses =
                all.stream().map(lock -> losses(lock.held())).toList();

        store.pauseServer();
        expectFailureInTime(b, name + "/x", "while the server is paused");
        store.letPass(lease);
        all.forEach(lock -> expectState(lock.held(), State.LOST, "after a lease with a paused server"));
        store.resumeServer();

        for (int i = 0; i < all.size(); i++) {
            LockHandle held = all.get(i).held();
            LockHandle next = grantedAfter(held.fencingToken(), all.get(i));
            expectRelease(held, Release.LOST, "after its end");
            List<LockLoss> reported = losses.get(i);
            await("the loss is reported", () -> !reported.isEmpty());
            expect(reported.size() == 1, "the loss is reported once", reported);
            expectRelease(next, Release.RELEASED, "after the release of the one before");
        }
        granted(peer(), name + "/x").close();
        expectFreeAgain("after the server was paused");
    }

    @Causes(StoreFault.SERVER_PAUSED)
    @Test
    void f1_3_aShortPauseOfTheServerEndsNoHold() throws Exception {
        LockHandle held = peer().lock(name).acquire();

        store.pauseServer();
        store.letPass(lease.dividedBy(2));
        expectHeld(held, "after half a lease with a paused server");
        store.resumeServer();

        store.letPass(lease);
        expectState(held, State.HELD, "after its server has resumed");
        expectBusy(peer(), "after its server has resumed");
        expectRelease(held, Release.RELEASED, "in the end");
        expectFree("after the release");
    }

    @Causes(StoreFault.SERVER_KILLED)
    @Test
    void f1_4_aHoldEndsInTimeIfItsServerIsKilled() throws Exception {
        Peer a = peer();
        Peer b = connected(peer());
        LockHandle held = a.lock(name).acquire();
        List<LockLoss> losses = losses(held);

        store.killServer();
        expectFailureInTime(b, name + "/x", "after the server was killed");
        store.letPass(lease);
        expectState(held, State.LOST, "after a lease without its server");
        await("the loss is reported", Duration.ofSeconds(1).plus(store.slack()), () -> !losses.isEmpty());
        store.restartServer();

        grantedAfter(held.fencingToken(), peer(), name).close();
        expectFreeAgain("after the server was killed");
    }

    @Causes(StoreFault.SERVER_KILLED)
    @Test
    void f1_5_aHoldSurvivesAQuickRestartOfItsServer() throws Exception {
        List<HeldLock> all = heldInAllWays();

        boolean quick = restartsQuickly();

        store.letPass(lease);
        for (HeldLock lock : all) {
            LockHandle held = lock.held();
            if (quick || held.isHeld()) {
                expectState(held, State.HELD, "when its server is back");
                expectBusy(lock.next(peer()), "when its server is back");
            }
            Release outcome = held.release();
            expect(outcome == Release.RELEASED || !quick, "RELEASED", outcome);
            grantedAfter(held.fencingToken(), lock).close();
        }
        expectFreeAgain("after the releases");
    }

    /** Whether its holds cannot have ended meanwhile. */
    private boolean restartsQuickly() {
        long begin = System.nanoTime();
        store.killServer();
        store.restartServer();
        boolean quick = System.nanoTime() - begin < lease.dividedBy(3).toNanos();
        if (!quick) {
            report("too slow", "the server was away for more than a third of a lease, so its holds may end");
        }
        return quick;
    }

    @Causes(StoreFault.SERVER_KILLED)
    @Test
    void f1_6_tokensIncreaseAcrossARestartOfTheServer() throws Exception {
        LockHandle before = peer().lock(name).acquire();

        boolean quick = restartsQuickly();

        Release outcome = before.release();
        expect(outcome != Release.LOST || !quick, "RELEASED or PENDING", outcome);
        grantedAfter(before.fencingToken(), peer(), name).close();
        expectFreeAgain("after the release");
    }

    @Causes(StoreFault.SERVER_WIPED)
    @Test
    void f1_7_aHoldEndsIfItsServerHasLostItsData() throws Exception {
        LockHandle held = peer().lock(name).acquire();

        store.killServer();
        store.restartServerWithout(name);

        Peer b = peer(builder -> builder.outageTimeout(Duration.ofHours(24)));
        LockHandle next = granted(b, name, store.refusesAfterLoss().plus(recovery(b)));
        store.letPass(lease);
        expectState(held, State.LOST, "after a lease with a server that does not know it");
        expectHeld(next, "after the end of a hold that the server does not know");
        if (store.tokensOutliveData()) {
            expect(next.fencingToken() > held.fencingToken(), "a greater token", next.fencingToken());
        } else {
            report("not promised", "tokens that rise over the loss of all data");
        }
        next.close();
        expectFreeAgain("after the release");
    }

    @Causes(StoreFault.SERVER_KILLED)
    @Test
    void f1_8_aWaiterSurvivesARestartOfTheServer() throws Exception {
        Peer b = peer(builder -> builder.outageTimeout(Duration.ofHours(24)));
        List<HeldLock> all = heldInAllWays();
        List<Task<LockHandle>> waiters = new ArrayList<>();
        for (HeldLock lock : all) {
            waiters.add(startQueued(b, lock.next(b)));
        }

        store.killServer();
        store.restartServer();
        all.forEach(lock -> lock.held().release());

        for (Task<LockHandle> waiter : waiters) {
            within(recovery(b), "the waiter is granted", waiter::isDone);
            get(waiter).close();
        }
        expectFreeAgain("after the waiters' releases");
    }

    @Causes(StoreFault.SERVER_KILLED)
    @Test
    void f1_9_aKeptLockSurvivesAQuickRestartOfItsServer() throws Exception {
        LockHandle held = acquireKept(peer());
        held.close();

        boolean quick = restartsQuickly();

        store.letPass(lease.dividedBy(2));
        if (quick) {
            expectBusy(peer(), "when its server is back");
        }
        store.letPass(minimum());
        grantedAfter(held.fencingToken(), peer(), name).close();
        expectFreeAgain("after the kept lock");
    }

    @Causes(StoreFault.SERVER_PAUSED)
    @Test
    void f1_10_aPauseOfTheServerDoesNotLengthenAKeptLock() throws Exception {
        LockHandle held = acquireKept(peer());
        held.close();

        store.pauseServer();
        store.letPass(minimum());
        store.resumeServer();

        grantedAfter(held.fencingToken(), peer(), name).close();
        expectFreeAgain("after the kept lock");
    }
}

package io.github.distlock.tests;

import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockOptions;
import io.github.distlock.tests.FaultyBackend.LateReply;
import io.github.distlock.tests.FaultyBackend.Request;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Rules S2 and S7: grants whose replies are lost or late, and acquires that are given up. */
abstract class AmbiguityRules extends Rules {
    private static final Duration A_DAY = Duration.ofDays(1);

    @ParameterizedTest
    @EnumSource
    void s2_1_aLateGrantDoesNotCount(Acquire acquire) {
        Peer a = peer();
        LateReply reply = a.faults.delayNextGrant();
        Task<Optional<LockHandle>> acquiring = acquire.start(a.lock(name), A_DAY);
        await("the store grants", reply::isUnderWay);

        store.letPass(lease);
        reply.arrive();

        await("the acquire ends", acquiring::isDone);
        if (acquire == Acquire.TRY || acquiring.failure() != null) {
            failure(acquiring, LockException.class, "of an acquire whose grant came too late");
        } else {
            LockHandle held = granted(get(acquiring), "a later grant");
            expect(base(held) > reply.base(), "a later grant than that of base " + reply.base(), base(held));
            expectState(held, State.HELD, "when the acquire returns it");
            held.release();
        }
        expectFree("after a grant that came too late");
    }

    @Test
    void s2_4_aLateGrantDoesNotAffectTheSuccessor() {
        Peer a = peer(builder -> builder.defaultOptions(LockOptions.defaults().fixedLease(lease)));
        LateReply reply = a.faults.delayNextGrant();
        Task<Boolean> acquiring = start(() -> tryAndRelease(a));
        await("the store grants", reply::isUnderWay);
        silence(a);
        store.letPass(expiry(a));
        LockHandle successor = acquireSoon(peer());

        restore(a);
        reply.arrive();
        get(acquiring);

        store.letPass(lease);
        expectHeld(successor, "after a late grant was given back");
        expectRelease(successor, Release.RELEASED, "for the successor, whose hold was spared");
        expectFree("after the successor's release");
    }

    /** Releases what it gets. A try whose grant is late or lost may return a hold or fail. */
    private boolean tryAndRelease(Peer peer) {
        try {
            lock(peer).tryAcquire().ifPresent(LockHandle::release);
            return true;
        } catch (LockException e) {
            return false;
        }
    }

    @Test
    void s2_5_aSlowGrantShortensTheHold() {
        Duration delay = lease.dividedBy(2);
        Peer a = peer();
        a.faults.dropRequests(Integer.MAX_VALUE, Request.RENEWAL);
        LateReply reply = a.faults.delayNextGrant();
        Task<LockHandle> acquiring = start(a.lock(name)::acquire);
        await("the store grants", reply::isUnderWay);

        store.letPass(delay);
        reply.arrive();

        LockHandle held = get(acquiring);
        Duration remaining = held.remaining();
        expect(remaining.compareTo(lease.minus(delay)) <= 0, "at most half of the lease is left", remaining);
        held.release();
        expectFree("after the release");
    }

    @Test
    void s7_1_cancelingTheFutureWithdrawsTheAcquire() {
        Peer b = peer();
        LockHandle held = acquire(peer());
        CompletableFuture<LockHandle> future = queued(b, () -> b.lock(name).acquireAsync());

        future.cancel(true);

        expectHeld(held, "after another client has withdrawn");
        held.close();
        expectFree("after the future was canceled");
        expect(b.events.count("acquired") == 0, "no hold for a canceled future", "a hold");
    }

    @Test
    void s7_5_cancelingAFutureDuringItsGrantLeavesNothing() throws Exception {
        Peer a = peer();
        Peer b = peer();
        for (int i = 0; i < 30; i++) {
            LockHandle held = acquire(a);
            CompletableFuture<LockHandle> future = queued(b, () -> b.lock(name).acquireAsync());
            // A client that hears nothing is canceled between the release and the request that it would answer.
            b.faults.hearSignals(i % 4 != 3);

            Task<Release> releasing = start(held::release);
            if (i % 2 == 1) {
                get(releasing);
            }
            boolean canceled = future.cancel(true);

            get(releasing);
            if (!canceled) {
                get(future, "a hold, since the future refused to be canceled").close();
            }
        }
        expectFree("after futures were canceled");
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "TRY")
    void s7_7_anAcquireWhoseReplyIsLostIsGrantedOnce(Acquire acquire) {
        Peer a = peer();
        LateReply lost = a.faults.loseNextGrant();

        Task<Optional<LockHandle>> acquiring = acquire.start(a.lock(name), store.patience());

        expectSameGrant(acquiring, lost);
    }

    @ParameterizedTest
    @EnumSource
    void s7_9_aWaiterWhoseReplyIsLostIsGrantedOnce(LockUse use) {
        Peer a = peer();
        LockHandle held = acquire(alone(peer()));
        LateReply lost = a.faults.loseNextGrant();
        Task<Optional<LockHandle>> waiter = queued(a, () -> Acquire.BLOCKING.start(lock(a), A_DAY));

        held.close();

        expectSameGrant(waiter, lost);
    }

    private void expectSameGrant(Task<Optional<LockHandle>> acquiring, LateReply lost) {
        String expected = "asked again and granted, long before the lease ends";
        LockHandle held = granted(get(acquiring, expected, soon()), expected);
        expect(base(held) == lost.base(), "the grant whose reply was lost, with base " + lost.base(), base(held));
        expectHeld(held, "after the reply was lost");
        expectBusy(peer(), "after the reply was lost");
        store.letPass(lease.multipliedBy(2));
        expectHeld(held, "and renewed after the reply was lost");
        expectRelease(held, Release.RELEASED, "after two leases");
        expectFree("after the release");
    }

    private static long base(LockHandle held) {
        return held.fencingToken() >> 8;
    }

    @ParameterizedTest
    @EnumSource
    void s7_10_aTryWhoseReplyIsLostLeavesNothing(LockUse use) {
        Peer a = peer();
        a.faults.loseNextGrant();

        get(start(() -> tryAndRelease(a)));

        expectFree("after a try whose reply was lost");
    }

    @Test
    void s7_11_anAbandonedAcquireLeavesNoQueueEntry() throws Exception {
        Peer b = connected(peer());
        LockHandle held = acquire(peer());

        Optional<LockHandle> answer = b.lock(name).tryAcquire(brief());

        expect(answer.isEmpty(), "busy", answer);
        await("the queue entry is withdrawn", () -> b.faults.withdrawals() > 0);
        expectRelease(held, Release.RELEASED, "although another acquire was withdrawn");
        expectFree("after the release, although another acquire was withdrawn");
    }

    @ParameterizedTest
    @EnumSource
    void s7_12_anAbandonedQueueEntryDelaysNoWaiter(LockUse use) {
        Peer b = peer();
        Peer c = peer();
        LockHandle held = acquire(alone(peer()));
        CompletableFuture<LockHandle> abandoned = queued(b, () -> lock(b).acquireAsync());
        Task<LockHandle> waiter = startQueued(c, lock(c));

        abandoned.cancel(true);
        held.close();

        get(waiter, "the next waiter gets the lock", soon()).close();
        expectFree("after the release");
    }

    @Test
    void s7_13_anAcquireFromASilentStoreLeavesNothing() {
        Peer a = peer();
        silence(a);

        thrown(LockException.class, "from a store that does not answer", () -> {
            Optional<LockHandle> none = a.lock(name).tryAcquire(Duration.ofMillis(100));
            expect(none.isEmpty(), "no hold", none);
        });
        restore(a);

        await("the attempt is withdrawn", () -> a.faults.withdrawals() > 0);
        expectFree("once the store answers again");
    }

    @ParameterizedTest
    @EnumSource
    void s7_14_aHandoffToACanceledWaiterGoesToTheNextWaiter(LockUse use) throws Exception {
        Peer a = peer();
        Peer b = peer();
        b.faults.hearNoSignals();
        Peer c = peer();
        for (int i = 0; i < 3; i++) {
            LockHandle held = acquire(alone(a));
            CompletableFuture<LockHandle> abandoned = queued(b, () -> lock(b).acquireAsync());
            Task<LockHandle> waiter = startQueued(c, lock(c));

            held.close();
            boolean canceled = abandoned.cancel(true);

            if (!canceled) {
                get(abandoned, "a hold, since the future refused to be canceled")
                        .close();
            }
            get(waiter, "the next waiter gets what the store handed to the one before", soon())
                    .close();
            expectFree("after the release");
        }
    }

    @Test
    void s7_15_cleanupIsRetriedUntilItSucceeds() {
        Peer a = peer();
        a.faults.dropRequests(Integer.MAX_VALUE, Request.WITHDRAWAL);
        a.faults.loseNextGrant();
        thrown(LockException.class, "as the outcome is unknown", a.lock(name)::tryAcquire);
        await("cleaning up is tried", () -> a.faults.dropped() > 0);

        store.letPass(expiry(a).plus(expiry(a)));
        a.faults.dropRequests(0);

        expectFree("once cleaning up succeeds");
    }
}

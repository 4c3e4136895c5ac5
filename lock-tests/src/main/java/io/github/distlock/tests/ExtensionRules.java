package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLostException;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Capability;
import io.github.distlock.tests.FaultyBackend.LateRenewal;
import io.github.distlock.tests.FaultyBackend.LateReply;
import io.github.distlock.tests.FaultyBackend.Request;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rules S14, and that of S2 about the minimum validity: how long a hold lasts if its holder needs more time. */
abstract class ExtensionRules extends Rules {

    /** Returns a time that no usual lease lasts. */
    private Duration longer() {
        return lease.multipliedBy(3);
    }

    /** Builds a client whose holds end by themselves. */
    private Peer fixed() {
        return peer(builder -> builder.defaultOptions(LockOptions.defaults().fixedLease(lease)));
    }

    /** Extends a hold. If no lease of the store lasts as long, expects that this is refused. */
    private boolean extend(LockHandle held) {
        if (can(Capability.CHANGE_LEASE)) {
            held.extend(longer());
            return true;
        }
        RuntimeException refusal =
                thrown(RuntimeException.class, "for more than the store can prove", () -> held.extend(longer()));
        boolean isClear = refusal instanceof IllegalArgumentException || refusal instanceof LockException;
        expect(isClear, "IllegalArgumentException or LockException", refusal);
        return false;
    }

    @ParameterizedTest
    @EnumSource
    void s14_1_anExtendedHoldOutlivesItsLeaseWithoutARenewal(LockUse use) {
        Peer a = fixed();
        LockHandle held = acquire(a);

        boolean isExtended = extend(held);
        silence(a);
        store.letPass(lease);

        if (isExtended) {
            expectState(held, State.HELD, "after a lease without answers");
            expectBusy(peer(), "after a lease of an extended hold");
            store.letPass(longer());
        }
        expectState(held, State.LOST, "when its time is over");
    }

    @Test
    void s14_2_anUnconfirmedExtensionDoesNotExtendAHold() throws InterruptedException {
        LockOptions options = LockOptions.defaults().fixedLease(lease);
        Peer a = connected(peer(builder -> builder.defaultOptions(options).requestTimeout(brief())));
        LockHandle held = acquire(a);

        silence(a);
        RuntimeException failure =
                thrown(RuntimeException.class, "of an extension without an answer", () -> held.extend(longer()));

        boolean isClear = failure instanceof LockException
                || (failure instanceof IllegalArgumentException && !can(Capability.CHANGE_LEASE));
        expect(isClear, "LockException", failure);
        expectHeld(held, "as before");
        store.letPass(lease);
        expectState(held, State.LOST, "after the lease that was confirmed");
    }

    @ParameterizedTest
    @EnumSource
    void s14_3_anExtensionOfADeletedHoldCreatesNothing(LockUse use) {
        Peer a = fixed();
        a.faults.hearNoSignals();
        LockHandle held = acquire(a);
        lose(name);

        thrown(LockLostException.class, "by the extension of a deleted hold", () -> held.extend(lease.dividedBy(2)));

        expectState(held, State.LOST, "after the answer");
        expectFree("after an extension of a hold that was deleted");
    }

    @ParameterizedTest
    @EnumSource
    void s14_4_aRequestThatArrivesLateDoesNotShortenAnExtendedHold(LockUse use) {
        Peer a = fixed();
        LockHandle held = acquire(a);
        LateRenewal late = a.faults.delayNextRenewal();
        thrown(LockException.class, "of an extension that is under way", () -> held.extend(lease.dividedBy(2)));

        boolean isExtended = extend(held);
        late.arrive();
        silence(a);
        store.letPass(lease);

        if (isExtended) {
            expectState(held, State.HELD, "after a lease without answers");
            expectBusy(peer(), "although an earlier renewal has come last");
        }
    }

    @Test
    void s14_5_theNextHolderDoesNotInheritAnExtension() throws Exception {
        Peer a = peer();
        LockHandle held = acquire(a);
        var next = a.lock(name).acquireAsync();

        extend(held);
        expectRelease(held, Release.RELEASED, "of an extended hold");

        LockHandle successor = get(next, "a thread of the same client is granted the lock");
        expect(
                successor.remaining().compareTo(lease) <= 0,
                "at most a lease of " + lease + " is left",
                successor.remaining());
        silence(a);
        store.letPass(expiry(a));
        expectFree("after the expiry of the next holder");
    }

    @Test
    void s14_6_anExtendedRenewedHoldSurvivesALongSilenceOfTheStore() {
        Peer a = peer();
        LockHandle held = acquire(a);

        boolean isExtended = extend(held);
        silence(a);
        store.letPass(lease);

        if (isExtended) {
            expectHeld(held, "after a lease without answers");
            expectBusy(peer(), "after a lease of an extended hold");
            restore(a);
            store.letPass(longer());
            expectState(held, State.HELD, "and renewed as usual when the store answers again");
            expectRelease(held, Release.RELEASED, "in the end");
            expectFree("after the release");
        }
    }

    @Test
    void s14_7_ensuredValidityIsThere() {
        Peer a = peer();
        LockHandle held = acquire(a);
        a.faults.dropRequests(Integer.MAX_VALUE, Request.RENEWAL);
        store.letPass(lease.dividedBy(2));
        // Less than one answer proves, also where the answers of a session prove holds.
        Duration ensured = lease.multipliedBy(2).dividedBy(3);
        a.faults.dropRequests(0);

        held.ensure(ensured);

        Duration least = ensured.minus(store.slack());
        expect(held.remaining().compareTo(least) >= 0, "about " + ensured + " is left", held.remaining());
        silence(a);
        store.letPass(ensured.minus(lease.dividedBy(10)));
        expectHeld(held, "for the time that was ensured");
        expectBusy(peer(), "for the time that was ensured");
    }

    @Test
    void s2_6_noAcquireReturnsLessThanItsMinimumValidity() {
        Duration minimum = lease.dividedBy(2);
        Peer a = peer();
        DistributedLock lock = a.locks.lock(name, options().minimumValidity(minimum));
        LateReply reply = a.faults.delayNextGrant();
        Task<LockHandle> acquiring = start(lock::acquire);
        await("the store grants", reply::isUnderWay);

        store.letPass(lease.multipliedBy(3).dividedBy(5));
        reply.arrive();

        LockHandle held = get(acquiring);
        silence(a);
        store.letPass(minimum.minus(lease.dividedBy(20)));
        expectHeld(held, "for nearly the minimum validity");
        expectBusy(peer(), "for nearly the minimum validity");
    }
}

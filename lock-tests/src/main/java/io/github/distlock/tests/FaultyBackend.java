package io.github.distlock.tests;

import io.github.distlock.LockStatus;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Counts the requests of a client and makes single ones go wrong. */
final class FaultyBackend extends WrappedBackend {
    private final AtomicInteger requests = new AtomicInteger();
    private final Set<Place> toldBusy = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean loseGrant = new AtomicBoolean();
    private final AtomicLong lostBase = new AtomicLong();
    private final AtomicReference<@Nullable LateReply> lateGrant = new AtomicReference<>();
    private final AtomicInteger renewalsToFail = new AtomicInteger();
    private final AtomicInteger failedRenewals = new AtomicInteger();
    private final AtomicInteger failedWithdrawals = new AtomicInteger();
    private final AtomicBoolean loseRelease = new AtomicBoolean();
    private final Set<Capability> hidden = EnumSet.noneOf(Capability.class);
    private volatile boolean failWithdrawals;
    private volatile boolean loseRenewals;
    private volatile boolean deaf;
    private volatile long grantAskedAt;

    FaultyBackend(LockBackend inner) {
        super(inner);
    }

    /** The reply to the next attempt that the store grants gets lost on its way. */
    void loseNextGrant() {
        loseGrant.set(true);
    }

    /** The fencing base of the grant whose reply got lost, or zero. */
    long lostBase() {
        return lostBase.get();
    }

    /** The reply to the next attempt that the store grants arrives when the test lets it. */
    LateReply delayNextGrant() {
        LateReply reply = new LateReply();
        lateGrant.set(reply);
        return reply;
    }

    /** The next renewals do not reach the store, and fail. */
    void failRenewals(int exchanges) {
        renewalsToFail.set(exchanges);
    }

    int failedRenewals() {
        return failedRenewals.get();
    }

    /** Withdrawals do not reach the store, and fail, until told otherwise. */
    void failWithdrawals(boolean fail) {
        failWithdrawals = fail;
    }

    int failedWithdrawals() {
        return failedWithdrawals.get();
    }

    /** From now on the store renews, but its replies get lost. */
    void loseReplyOfRenewals() {
        loseRenewals = true;
    }

    /** The reply to the next release gets lost. */
    void loseNextRelease() {
        loseRelease.set(true);
    }

    /** From now on nothing that the store tells by itself arrives. */
    void hearNoSignals() {
        deaf = true;
    }

    /** Denies a capability. Before the client is built. */
    void hide(Capability capability) {
        hidden.add(capability);
    }

    /** Everything that was sent: attempts, withdrawals, releases, renewals, inspections. */
    int requests() {
        return requests.get();
    }

    /** How many contenders the store has told that the lock is busy, however often each has asked. */
    int toldBusy() {
        return toldBusy.size();
    }

    /** When the attempt was made that was granted last, on the monotonic clock. */
    long grantAskedAt() {
        return grantAskedAt;
    }

    @Override
    public Set<Capability> capabilities() {
        Set<Capability> capabilities = EnumSet.noneOf(Capability.class);
        capabilities.addAll(super.capabilities());
        capabilities.removeAll(hidden);
        return capabilities;
    }

    @Override
    public Contender contend(LockRequest request, Signals signals) {
        return super.contend(request, new Ear(signals));
    }

    @Override
    Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
        requests.incrementAndGet();
        long askedAt = clock().nanoTime();
        Attempt answer = super.attempt(place, deadline);
        if (answer instanceof Attempt.Granted granted) {
            grantAskedAt = askedAt;
            if (loseGrant.compareAndSet(true, false)) {
                lostBase.set(granted.grant().fencingBase());
                throw new IllegalStateException("the reply got lost, says the contract");
            }
            LateReply late = lateGrant.getAndSet(null);
            if (late != null) {
                late.await(clock());
            }
        } else {
            toldBusy.add(place);
        }
        return answer;
    }

    @Override
    void withdraw(Place place, Deadline deadline) throws InterruptedException {
        requests.incrementAndGet();
        if (failWithdrawals) {
            failedWithdrawals.incrementAndGet();
            throw new IllegalStateException("the request got lost, says the contract");
        }
        super.withdraw(place, deadline);
    }

    @Override
    Grant.Release release(Held held, Deadline deadline) throws InterruptedException {
        requests.incrementAndGet();
        Grant.Release outcome = super.release(held, deadline);
        if (loseRelease.compareAndSet(true, false)) {
            throw new IllegalStateException("the reply got lost, says the contract");
        }
        return outcome;
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {
        requests.incrementAndGet();
        if (renewalsToFail.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            failedRenewals.incrementAndGet();
            throw new IllegalStateException("the request got lost, says the contract");
        }
        super.renewAll(due, deadline);
    }

    @Override
    void renewed(Renewal renewal, Validity validity) {
        if (loseRenewals) {
            renewal.unknown(new IllegalStateException("the reply got lost, says the contract"));
        } else {
            super.renewed(renewal, validity);
        }
    }

    @Override
    public LockStatus inspect(String name, Deadline deadline) {
        requests.incrementAndGet();
        return super.inspect(name, deadline);
    }

    /** A reply under way: sent by the store, not arrived yet. */
    static final class LateReply {
        private volatile LockClock.@Nullable Parker parker;
        private volatile boolean arrived;

        boolean isUnderWay() {
            return parker != null;
        }

        void arrive() {
            arrived = true;
            LockClock.Parker waiting = parker;
            if (waiting != null) {
                waiting.unpark();
            }
        }

        /** Through the clock, so that one that is moved knows that this thread waits. */
        private void await(LockClock clock) throws InterruptedException {
            try (LockClock.Parker waiting = clock.parker()) {
                parker = waiting;
                while (!arrived) {
                    waiting.parkUntil(clock.nanoTime() + Duration.ofDays(1).toNanos());
                    if (Thread.interrupted()) {
                        throw new InterruptedException();
                    }
                }
            }
        }
    }

    private final class Ear implements Signals {
        private final Signals signals;

        private Ear(Signals signals) {
            this.signals = signals;
        }

        @Override
        public void wakeUp() {
            if (!deaf) {
                signals.wakeUp();
            }
        }

        @Override
        public void wanted() {
            if (!deaf) {
                signals.wanted();
            }
        }

        @Override
        public void suspect() {
            if (!deaf) {
                signals.suspect();
            }
        }

        @Override
        public void gone() {
            if (!deaf) {
                signals.gone();
            }
        }
    }
}

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
import java.util.Optional;
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
    private final AtomicInteger releases = new AtomicInteger();
    private final AtomicInteger withdrawals = new AtomicInteger();
    private final AtomicInteger grantsAfterWaiting = new AtomicInteger();
    private final AtomicInteger grantsWithoutWakeUp = new AtomicInteger();
    private final Set<Place> toldBusy = ConcurrentHashMap.newKeySet();
    private final AtomicLong longestRetry = new AtomicLong();
    private final AtomicBoolean loseGrant = new AtomicBoolean();
    private final AtomicLong lostBase = new AtomicLong();
    private final AtomicReference<@Nullable LateReply> lateGrant = new AtomicReference<>();
    private final AtomicInteger renewalsToFail = new AtomicInteger();
    private final AtomicInteger failedRenewals = new AtomicInteger();
    private final AtomicInteger failedWithdrawals = new AtomicInteger();
    private final AtomicBoolean loseRelease = new AtomicBoolean();
    private final Set<Capability> hidden = EnumSet.noneOf(Capability.class);
    private final AtomicInteger requestsToDrop = new AtomicInteger();
    private final AtomicInteger repliesToDrop = new AtomicInteger();
    private final AtomicInteger dropped = new AtomicInteger();
    private volatile Runnable atSteps = () -> {};
    private volatile boolean failWithdrawals;
    private volatile boolean loseRenewals;
    private volatile boolean deaf;
    private volatile boolean woken;
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

    /** The next requests of any kind do not reach the store, and fail. */
    void dropRequests(int exchanges) {
        requestsToDrop.set(exchanges);
    }

    /** The store carries out the next requests of any kind, but its replies get lost. */
    void dropReplies(int exchanges) {
        repliesToDrop.set(exchanges);
    }

    /** How many requests and replies were dropped. */
    int dropped() {
        return dropped.get();
    }

    /** Calls this on the thread of each attempt, withdrawal and release: before it is sent, and when it was answered. */
    void atSteps(Runnable hook) {
        atSteps = hook;
    }

    private void send() {
        requests.incrementAndGet();
        if (drops(requestsToDrop)) {
            throw new IllegalStateException("the request got lost, says the contract");
        }
    }

    private void receive() {
        if (drops(repliesToDrop)) {
            throw new IllegalStateException("the reply got lost, says the contract");
        }
    }

    private boolean drops(AtomicInteger exchanges) {
        boolean drops = exchanges.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
        if (drops) {
            dropped.incrementAndGet();
        }
        return drops;
    }

    /** From now on nothing that the store tells by itself arrives. */
    void hearNoSignals() {
        deaf = true;
    }

    /** Denies a capability. Before the client is built. */
    void hide(Capability capability) {
        hidden.add(capability);
    }

    /** Everything that the engine sent: attempts, withdrawals, releases, renewals, heartbeats, inspections. */
    int requests() {
        return requests.get();
    }

    /** How many of the requests were releases. */
    int releases() {
        return releases.get();
    }

    /** How many contenders were withdrawn. */
    int withdrawals() {
        return withdrawals.get();
    }

    /** How many contenders were granted that had been told before that the lock is busy. */
    int grantsAfterWaiting() {
        return grantsAfterWaiting.get();
    }

    /** How many of those asked because their time was over, and not because they were woken. */
    int grantsWithoutWakeUp() {
        return grantsWithoutWakeUp.get();
    }

    /** Whether the store has woken nobody, but has told all to ask again within this time. */
    boolean isPolledWithin(Duration time) {
        return !woken && longestRetry.get() <= time.toNanos();
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
    protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
        atSteps.run();
        send();
        long askedAt = clock().nanoTime();
        boolean woken = ((Ear) place.signals).forgetWakeUp();
        Attempt answer = super.attempt(place, deadline);
        receive();
        atSteps.run();
        if (answer instanceof Attempt.Granted granted) {
            grantAskedAt = askedAt;
            noteGrant(place, woken);
            if (loseGrant.compareAndSet(true, false)) {
                lostBase.set(granted.grant().fencingBase());
                throw new IllegalStateException("the reply got lost, says the contract");
            }
            LateReply late = lateGrant.getAndSet(null);
            if (late != null) {
                late.base = granted.grant().fencingBase();
                late.await(clock());
            }
        } else if (answer instanceof Attempt.Busy busy) {
            toldBusy.add(place);
            longestRetry.accumulateAndGet(busy.retryAfter().toNanos(), Math::max);
        }
        return answer;
    }

    private void noteGrant(Place place, boolean woken) {
        if (toldBusy.contains(place)) {
            grantsAfterWaiting.incrementAndGet();
            if (!woken && !((Ear) place.signals).forgetWakeUp()) {
                grantsWithoutWakeUp.incrementAndGet();
            }
        }
    }

    @Override
    protected void withdraw(Place place, Deadline deadline) throws InterruptedException {
        atSteps.run();
        send();
        if (failWithdrawals) {
            failedWithdrawals.incrementAndGet();
            throw new IllegalStateException("the request got lost, says the contract");
        }
        super.withdraw(place, deadline);
        receive();
        withdrawals.incrementAndGet();
        atSteps.run();
    }

    @Override
    protected Grant.Release release(Held held, Deadline deadline) throws InterruptedException {
        atSteps.run();
        send();
        releases.incrementAndGet();
        Grant.Release outcome = super.release(held, deadline);
        receive();
        atSteps.run();
        if (loseRelease.compareAndSet(true, false)) {
            throw new IllegalStateException("the reply got lost, says the contract");
        }
        return outcome;
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {
        send();
        if (renewalsToFail.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            failedRenewals.incrementAndGet();
            throw new IllegalStateException("the request got lost, says the contract");
        }
        if (drops(repliesToDrop)) {
            super.renewAll(due.stream().map(UnansweredRenewal::new).toList(), deadline);
            throw new IllegalStateException("the reply got lost, says the contract");
        }
        super.renewAll(due, deadline);
    }

    @Override
    public void heartbeat(Collection<? extends Contender> waiting, Deadline deadline) {
        requests.incrementAndGet();
        if (requestsToDrop.get() == 0) {
            super.heartbeat(waiting, deadline);
        }
    }

    @Override
    protected void renewed(Renewal renewal, Validity validity) {
        if (loseRenewals) {
            renewal.unknown(new IllegalStateException("the reply got lost, says the contract"));
        } else {
            super.renewed(renewal, validity);
        }
    }

    @Override
    public Optional<LockStatus.Holder> forceRelease(String name, Deadline deadline) {
        requests.incrementAndGet();
        return super.forceRelease(name, deadline);
    }

    @Override
    public LockStatus inspect(String name, Deadline deadline) {
        send();
        LockStatus status = super.inspect(name, deadline);
        receive();
        return status;
    }

    /** The store answers it, and nobody hears. */
    private record UnansweredRenewal(Renewal asked) implements Renewal {
        @Override
        public Grant grant() {
            return asked.grant();
        }

        @Override
        public Duration lease() {
            return asked.lease();
        }

        @Override
        public void renewed(Validity validity) {}

        @Override
        public void gone() {}

        @Override
        public void unknown(Throwable cause) {}
    }

    /** A reply under way: sent by the store, not arrived yet. */
    static final class LateReply {
        private volatile LockClock.@Nullable Parker parker;
        private volatile boolean arrived;
        private volatile boolean lost;
        private volatile long base;

        boolean isUnderWay() {
            return parker != null;
        }

        /** The fencing base of the grant in it. Once it is under way. */
        long base() {
            return base;
        }

        /** It does not arrive: its request fails now. */
        void getLost() {
            lost = true;
            arrive();
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
                if (lost) {
                    throw new IllegalStateException("the reply got lost, says the contract");
                }
            }
        }
    }

    private final class Ear implements Signals {
        private final Signals signals;
        private final AtomicBoolean wokenSince = new AtomicBoolean();

        private Ear(Signals signals) {
            this.signals = signals;
        }

        /** Whether there was a wake-up since this was last asked. */
        private boolean forgetWakeUp() {
            return wokenSince.getAndSet(false);
        }

        @Override
        public void wakeUp() {
            if (!deaf) {
                woken = true;
                wokenSince.set(true);
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

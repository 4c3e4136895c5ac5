package io.github.distlock.tests;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Counts the requests of one client and makes some of them fail. */
class FaultyBackend extends WrappedBackend {
    /** What the engine sends to the store. */
    enum Request {
        ATTEMPT,
        WITHDRAWAL,
        RELEASE,
        DOWNGRADE,
        NEXT_BASE,
        RENEWAL,
        HEARTBEAT,
        REQUESTED_RELEASES
    }

    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicInteger withdrawals = new AtomicInteger();
    private final AtomicInteger grantsAfterWaiting = new AtomicInteger();
    private final AtomicInteger grantsWithoutWakeUp = new AtomicInteger();
    private final AtomicLong longestRetry = new AtomicLong();
    private final AtomicReference<@Nullable LateReply> lateGrant = new AtomicReference<>();
    private final AtomicReference<@Nullable LateRenewal> lateRenewal = new AtomicReference<>();
    private final Set<WrappedContender> busy = ConcurrentHashMap.newKeySet();
    private final Drops requestsToDrop = new Drops();
    private final Drops repliesToDrop = new Drops();
    private volatile Runnable atSteps = () -> {};
    private volatile boolean deaf;
    private volatile boolean woken;
    private volatile long grantAskedAt;

    FaultyBackend(LockBackend inner) {
        super(inner);
    }

    /** Drops the next requests before they reach the store: those of some kinds, or of any kind. */
    void dropRequests(int count, Request... kinds) {
        requestsToDrop.next(count, kinds);
    }

    /** Drops the replies to the next requests, which the store carries out: those of some kinds, or of any kind. */
    void dropReplies(int count, Request... kinds) {
        repliesToDrop.next(count, kinds);
    }

    /** Returns how many requests and replies were dropped. */
    int dropped() {
        return requestsToDrop.dropped.get() + repliesToDrop.dropped.get();
    }

    /** Delays the reply to the next attempt that the store grants until the test lets it arrive. */
    LateReply delayNextGrant() {
        LateReply reply = new LateReply();
        lateGrant.set(reply);
        return reply;
    }

    /**
     * Delays the next renewal that the calling thread sends until the test lets it arrive. Its client hears nothing of
     * it. Those of the engine's own threads are not delayed.
     */
    LateRenewal delayNextRenewal() {
        LateRenewal late = new LateRenewal();
        lateRenewal.set(late);
        return late;
    }

    /** Drops the reply to the next attempt that the store grants. */
    LateReply loseNextGrant() {
        LateReply reply = delayNextGrant();
        reply.getLost();
        return reply;
    }

    /** Drops all signals of the store from now on. */
    void hearNoSignals() {
        hearSignals(false);
    }

    final void hearSignals(boolean hear) {
        deaf = !hear;
    }

    /** Runs a hook on the thread of each request, before it is sent and after it was answered. */
    void atSteps(Runnable hook) {
        atSteps = hook;
    }

    /** Returns how many requests the engine sent. */
    int requests() {
        return requests.get();
    }

    /** Returns how many contenders were withdrawn. */
    int withdrawals() {
        return withdrawals.get();
    }

    /** Returns how many contenders were answered busy, however often each has asked. */
    int answeredBusy() {
        return busy.size();
    }

    /** Returns how many contenders were granted the lock that had been answered busy before. */
    int grantsAfterWaiting() {
        return grantsAfterWaiting.get();
    }

    /** Returns how many of those asked because their time was over, and not because a signal woke them. */
    int grantsWithoutWakeUp() {
        return grantsWithoutWakeUp.get();
    }

    /** Returns whether the store woke no contender, but made all of them ask again within this time. */
    boolean isPolledWithin(Duration time) {
        return !woken && longestRetry.get() <= time.toNanos();
    }

    /** Returns when the attempt was made that was granted last, on the monotonic clock. */
    long grantAskedAt() {
        return grantAskedAt;
    }

    private void send(Request kind) {
        atSteps.run();
        requests.incrementAndGet();
        if (requestsToDrop.hit(kind)) {
            throw new IllegalStateException("the contract dropped this request");
        }
    }

    private void receive(Request kind) {
        if (repliesToDrop.hit(kind)) {
            throw replyLost();
        }
        atSteps.run();
    }

    private static IllegalStateException replyLost() {
        return new IllegalStateException("the contract dropped the reply");
    }

    @Override
    public Contender contend(LockRequest request, Signals signals) {
        return super.contend(request, new Ear(signals));
    }

    /**
     * Makes the clock know the caller's thread before the request is counted. Otherwise a test that has seen the
     * request could move the clock before the backend has read it.
     */
    @Override
    protected Attempt attempt(WrappedContender contender, Deadline deadline) throws InterruptedException {
        try (LockClock.Parker ignored = clock().parker()) {
            return ask(contender, deadline);
        }
    }

    private Attempt ask(WrappedContender contender, Deadline deadline) throws InterruptedException {
        send(Request.ATTEMPT);
        long askedAt = clock().nanoTime();
        boolean wokenBefore = ((Ear) contender.signals).forgetWakeUp();
        Attempt answer = super.attempt(contender, deadline);
        receive(Request.ATTEMPT);
        if (answer instanceof Attempt.Granted granted) {
            grantAskedAt = askedAt;
            noteGrant(contender, wokenBefore);
            LateReply late = lateGrant.getAndSet(null);
            if (late != null) {
                late.base = granted.grant().fencingBase();
                late.await(clock());
            }
        } else if (answer instanceof Attempt.Busy again) {
            busy.add(contender);
            longestRetry.accumulateAndGet(again.retryAfter().toNanos(), Math::max);
        }
        return answer;
    }

    private void noteGrant(WrappedContender contender, boolean wokenBefore) {
        if (busy.contains(contender)) {
            grantsAfterWaiting.incrementAndGet();
            if (!wokenBefore && !((Ear) contender.signals).forgetWakeUp()) {
                grantsWithoutWakeUp.incrementAndGet();
            }
        }
    }

    @Override
    protected void withdraw(WrappedContender contender, Deadline deadline) throws InterruptedException {
        send(Request.WITHDRAWAL);
        super.withdraw(contender, deadline);
        receive(Request.WITHDRAWAL);
        withdrawals.incrementAndGet();
    }

    @Override
    protected Grant.Release release(WrappedGrant grant, Deadline deadline) throws InterruptedException {
        try (LockClock.Parker ignored = clock().parker()) {
            send(Request.RELEASE);
            Grant.Release outcome = super.release(grant, deadline);
            receive(Request.RELEASE);
            return outcome;
        }
    }

    @Override
    protected Optional<Grant> downgrade(WrappedGrant grant, Deadline deadline) throws InterruptedException {
        try (LockClock.Parker ignored = clock().parker()) {
            send(Request.DOWNGRADE);
            Optional<Grant> read = super.downgrade(grant, deadline);
            receive(Request.DOWNGRADE);
            return read;
        }
    }

    @Override
    protected OptionalLong nextBase(WrappedGrant grant, Deadline deadline) throws InterruptedException {
        try (LockClock.Parker ignored = clock().parker()) {
            send(Request.NEXT_BASE);
            OptionalLong base = super.nextBase(grant, deadline);
            receive(Request.NEXT_BASE);
            return base;
        }
    }

    @Override
    protected Grant.Release keep(WrappedGrant grant, Duration time, Deadline deadline) throws InterruptedException {
        try (LockClock.Parker ignored = clock().parker()) {
            send(Request.RELEASE);
            Grant.Release outcome = super.keep(grant, time, deadline);
            receive(Request.RELEASE);
            return outcome;
        }
    }

    @Override
    public Map<Grant, Grant.Release> releaseAll(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        try (LockClock.Parker ignored = clock().parker()) {
            send(Request.RELEASE);
            Map<Grant, Grant.Release> found = super.releaseAll(grants, deadline);
            receive(Request.RELEASE);
            return found;
        }
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
        send(Request.RENEWAL);
        LateRenewal late = lateRenewal.get();
        if (late != null && late.sender == Thread.currentThread() && lateRenewal.compareAndSet(late, null)) {
            late.renewals = due.stream().map(UnansweredRenewal::new).toList();
            throw replyLost();
        }
        if (repliesToDrop.hit(Request.RENEWAL)) {
            super.renewAll(due.stream().map(UnansweredRenewal::new).toList(), deadline);
            throw replyLost();
        }
        super.renewAll(due, deadline);
    }

    @Override
    public void heartbeat(Collection<? extends Contender> waiting, Deadline deadline) throws InterruptedException {
        requests.incrementAndGet();
        if (!requestsToDrop.affects(Request.HEARTBEAT)) {
            super.heartbeat(waiting, deadline);
        }
    }

    @Override
    public Map<Grant, RequestedRelease> requestedReleases(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        send(Request.REQUESTED_RELEASES);
        Map<Grant, RequestedRelease> found = super.requestedReleases(grants, deadline);
        receive(Request.REQUESTED_RELEASES);
        return found;
    }

    /** A dropped message proves nothing later either. */
    @Override
    protected Validity latestValidity(WrappedGrant grant) {
        boolean drops = requestsToDrop.affects(Request.RENEWAL) || repliesToDrop.affects(Request.RENEWAL);
        return drops ? validity(grant) : super.latestValidity(grant);
    }

    /** Which messages are dropped. */
    private static final class Drops {
        private final AtomicInteger left = new AtomicInteger();
        private final AtomicInteger dropped = new AtomicInteger();
        private volatile Set<Request> kinds = Set.of();

        private void next(int count, Request... ofKinds) {
            kinds = ofKinds.length == 0 ? EnumSet.allOf(Request.class) : EnumSet.copyOf(List.of(ofKinds));
            left.set(count);
        }

        private boolean affects(Request kind) {
            return left.get() > 0 && kinds.contains(kind);
        }

        private boolean hit(Request kind) {
            boolean hit = kinds.contains(kind) && left.getAndUpdate(count -> Math.max(0, count - 1)) > 0;
            if (hit) {
                dropped.incrementAndGet();
            }
            return hit;
        }
    }

    /** The store answers it, and the engine hears nothing. */
    private static final class UnansweredRenewal extends ForwardingRenewal {
        private UnansweredRenewal(Renewal asked) {
            super(asked);
        }

        @Override
        public void renewed(Validity validity) {}

        @Override
        public void gone() {}

        @Override
        public void unknown(Throwable cause) {}
    }

    /** Renewals that their client has given up, and that have not arrived yet. */
    final class LateRenewal {
        private final Thread sender = Thread.currentThread();
        private volatile List<UnansweredRenewal> renewals = List.of();

        void arrive() {
            try {
                FaultyBackend.super.renewAll(renewals, Deadline.after(Duration.ofSeconds(10), clock()));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** A reply that the store has sent and that has not arrived yet. */
    static final class LateReply {
        private volatile LockClock.@Nullable Parker parker;
        private volatile boolean arrived;
        private volatile boolean lost;
        private volatile long base;

        boolean isUnderWay() {
            return parker != null;
        }

        /** Returns the fencing base of its grant, or zero before the store has granted. */
        long base() {
            return base;
        }

        /** Lets its request fail in place of being answered. */
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

        /** Waits by the backend's clock, so that a test that moves the clock does not pass over this thread. */
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
                    throw replyLost();
                }
            }
        }
    }

    /** Passes the signals of the store on unless the client hears none. */
    private final class Ear implements Signals {
        private final Signals signals;
        private final AtomicBoolean wokenSince = new AtomicBoolean();

        private Ear(Signals signals) {
            this.signals = signals;
        }

        /** Returns whether a signal woke the contender since the last call. */
        private boolean forgetWakeUp() {
            return wokenSince.getAndSet(false);
        }

        @Override
        public void wakeUp() {
            hear(() -> {
                woken = true;
                wokenSince.set(true);
                signals.wakeUp();
            });
        }

        @Override
        public void wanted() {
            hear(signals::wanted);
        }

        @Override
        public void suspect() {
            hear(signals::suspect);
        }

        @Override
        public void gone() {
            hear(signals::gone);
        }

        private void hear(Runnable signal) {
            if (!deaf) {
                signal.run();
            }
        }
    }
}

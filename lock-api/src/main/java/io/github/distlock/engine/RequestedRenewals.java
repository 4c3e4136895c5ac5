package io.github.distlock.engine;

import io.github.distlock.LockException;
import io.github.distlock.LockListener;
import io.github.distlock.LossReason;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Renewals on the threads of callers: a holder extends its hold, or ensures that enough of its validity is left, or a
 * grant came with less than the minimum validity of its acquire.
 *
 * <p><b>Beside the keeper.</b> The {@link LeaseKeeper} goes on to renew the lease meanwhile. So a request that hangs
 * delays no renewal. The store may carry out the requests in any order, and its answers may come in any order. Both are
 * safe: no renewal shortens what the store keeps ({@link Renewal#lease}), and the {@link Term} keeps apart what was
 * confirmed here.
 *
 * <p><b>What is confirmed.</b> A hold is extended only if the store has proved a validity that lasts for the whole time
 * from before the request was sent. A store that cannot set another lease gets a usual renewal. If that proves less,
 * the caller hears how much.
 *
 * <p><b>No later holder inherits a longer lease.</b> First the lease is marked, then the hold is found open, and only
 * then the request is sent. A release ends the hold, and then reads the mark before it hands the lease off. Mark and
 * state are volatile, so at least one of the two threads sees the other's change.
 */
final class RequestedRenewals implements Handle.Renewals {
    private static final long PAUSE = Duration.ofMillis(1).toNanos();

    private final LockBackend backend;
    private final Settings settings;
    private final Requests requests;
    private final LeaseKeeper keeper;
    private final LockClock clock;
    private final boolean changesLeases;
    /** Guards the writes of what was asked for and confirmed. Nothing that lasts runs under it. */
    private final ReentrantLock mutex = new ReentrantLock();

    RequestedRenewals(LockBackend backend, Settings settings, Requests requests, LeaseKeeper keeper) {
        this.backend = backend;
        this.settings = settings;
        this.requests = requests;
        this.keeper = keeper;
        this.clock = backend.clock();
        this.changesLeases = backend.capabilities().contains(Capability.CHANGE_LEASE);
    }

    @Override
    public void extend(Handle handle, Duration time) {
        long nanos = Checks.positiveNanos(time, "time");
        Hold hold = handle.hold();
        Lease lease = hold.lease();
        requireAtMost(settings.usable(longest(lease).toNanos()), "on this store", time);
        handle.ensureHeld();
        Moment now = clock.now();
        Expiry maximum = hold.limits().maximum();
        if (maximum != null) {
            requireAtMost(maximum.remainingNanos(now), "before the end of the maximum hold", time);
        }
        Asked asked = new Asked(lease, lengthFor(lease, nanos), now, nanos, hold);
        asked.note();
        handle.ensureHeld();
        send(asked, requests.deadline());
        handle.ensureHeld();
        if (!asked.isConfirmed()) {
            throw asked.failure("not extended by " + time + ": ");
        }
    }

    /** Returns the longest lease that the store can have. Its lock delay comes on top. */
    private Duration longest(Lease lease) {
        LockRequest request = lease.won().request();
        Duration kept = changesLeases ? backend.maximumLease() : backend.expiry(request);
        return kept.minus(request.lockDelay());
    }

    private Duration lengthFor(Lease lease, long nanos) {
        if (!changesLeases || nanos <= settings.usable(lease.usual.toNanos())) {
            return lease.usual;
        }
        long most = longest(lease).toNanos();
        return Duration.ofNanos(Math.min(settings.leaseFor(nanos), most));
    }

    private static void requireAtMost(long nanos, String where, Duration time) {
        if (Checks.waitNanos(time) > nanos) {
            throw new IllegalArgumentException(
                    "time must be at most " + readable(nanos) + " " + where + ", but was " + time);
        }
    }

    private static Duration readable(long nanos) {
        return Duration.ofMillis(Math.max(0, nanos) / 1_000_000);
    }

    @Override
    public void ensure(Handle handle, Duration time) {
        long nanos = Checks.positiveNanos(time, "time");
        Hold hold = handle.hold();
        Lease lease = hold.lease();
        Deadline deadline = requests.deadline();
        boolean interrupted = false;
        try {
            handle.ensureHeld();
            while (true) {
                // Read first: an answer is taken before the renewal ends.
                boolean isRenewing = lease.term.isRenewing();
                if (hold.remainingNanos(clock.now()) >= nanos) {
                    return;
                }
                requireRenewable(hold, time);
                if (!isRenewing) {
                    renew(handle, time, deadline);
                    return;
                }
                requireTime(handle, time, deadline);
                requests.pause(PAUSE, deadline);
                interrupted |= Thread.interrupted();
                handle.ensureHeld();
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static void requireTime(Handle handle, Duration time, Deadline deadline) {
        if (deadline.hasPassed()) {
            throw new LockException(
                    handle.lockName(), notValid(time) + "the renewal under way was not answered in time", null);
        }
    }

    private static String notValid(Duration time) {
        return "not valid for " + time + ": ";
    }

    /** Throws if no renewal can leave as much time. */
    private void requireRenewable(Hold hold, Duration time) {
        Lease lease = hold.lease();
        Moment now = clock.now();
        Duration most = changesLeases ? lease.usual : longest(lease);
        String where = changesLeases ? "with a lease of " + most : "on this store";
        requireAtMost(settings.usable(most.toNanos()), where, time);
        long left = hold.limits().remainingNanos(now);
        if (left < time.toNanos()) {
            throw new LockException(
                    hold.lockName(),
                    notValid(time) + "it ends in " + readable(left) + ", with its "
                            + (hold.limits().reason(now) == LossReason.LEASE_ENDED ? "fixed lease" : "maximum hold"),
                    null);
        }
    }

    private void renew(Handle handle, Duration time, Deadline deadline) {
        Hold hold = handle.hold();
        Lease lease = hold.lease();
        Asked asked = new Asked(lease, lease.usual, clock.now(), time.toNanos(), null);
        send(asked, deadline);
        handle.ensureHeld();
        if (hold.remainingNanos(clock.now()) < time.toNanos()) {
            throw asked.failure(notValid(time));
        }
    }

    /** Returns how much validity a hold has that is offered now. A renewal does not move the end of a fixed lease. */
    private long offeredNanos(Lease granted) {
        Moment now = clock.now();
        Expiry fixedEnd = granted.fixedEnd();
        long remaining = granted.remainingNanos(now);
        return fixedEnd == null ? remaining : Math.min(remaining, fixedEnd.remainingNanos(now));
    }

    @Override
    public boolean isOfUse(Lease granted, Patience patience) {
        if (granted.minimumValidity > 0 && offeredNanos(granted) < granted.minimumValidity) {
            Deadline deadline = patience.deadline(clock);
            send(new Asked(granted, granted.usual, clock.now(), granted.minimumValidity, null), deadline);
            if (offeredNanos(granted) < granted.minimumValidity) {
                granted.dormancy.giveBack(deadline);
            }
        }
        return !granted.hasExpired();
    }

    /** A session may be shorter than the lease. Its timeout is known only after a request. */
    @Override
    public @Nullable RequestRefusedException refusal(Lease granted) {
        long most = settings.usable(longest(granted).toNanos());
        return granted.minimumValidity <= most
                ? null
                : new RequestRefusedException(
                        "minimumValidity must be at most " + readable(most) + " on this store, but was "
                                + Duration.ofNanos(granted.minimumValidity),
                        null);
    }

    private void send(Asked asked, Deadline until) {
        requests.begin();
        try {
            var unused = requests.sendUninterrupted(
                    deadline -> {
                        backend.renewAll(List.of(asked), deadline);
                        return true;
                    },
                    until);
            asked.unknown(new IllegalStateException("the renewal was not answered"));
        } catch (RuntimeException | Error e) {
            asked.unknown(e);
        } finally {
            requests.end();
        }
    }

    /** One such renewal. It takes the first answer and ignores others. */
    private final class Asked implements Renewal {
        private final Lease lease;
        private final Duration length;
        private final Moment begun;
        private final Expiry until;
        /** The same, so that no millisecond of the wall clock is missing. */
        private final Expiry roundedUp;

        private final @Nullable Hold extended;
        private final AtomicBoolean answered = new AtomicBoolean();
        /** The end of what the store has confirmed, or null. */
        private volatile @Nullable Expiry proved;

        private volatile @Nullable Throwable failure;

        /**
         * Sends nothing yet.
         *
         * @param length the lease to ask for
         * @param nanos for how long it must be confirmed
         * @param extended the hold that lasts as long then, or null
         */
        private Asked(Lease lease, Duration length, Moment begun, long nanos, @Nullable Hold extended) {
            this.lease = lease;
            this.length = length;
            this.begun = begun;
            this.until = Expiry.after(begun, nanos);
            this.roundedUp = Expiry.after(begun, nanos + Settings.ROUNDING);
            this.extended = extended;
        }

        /** Marks the lease before a longer one is asked for. */
        private void note() {
            if (length.compareTo(lease.usual) > 0) {
                locked(() -> lease.noteAsked(length, Expiry.after(begun, length.toNanos())));
            }
        }

        private void locked(Runnable write) {
            mutex.lock();
            try {
                write.run();
            } finally {
                mutex.unlock();
            }
        }

        @Override
        public Grant grant() {
            return lease.won().grant();
        }

        @Override
        public Duration lease() {
            return length;
        }

        @Override
        public void renewed(Validity validity) {
            if (answered.compareAndSet(false, true) && !lease.hasExpired()) {
                proved = settings.expiry(validity);
                locked(() -> take(validity));
                lease.event(clock.nanoTime() - begun.nanoTime(), LockListener::renewed);
                keeper.lookBy(lease.nextLook());
            }
        }

        private void take(Validity validity) {
            lease.term.proved(validity);
            Expiry end = settings.expiry(validity);
            if (isConfirmed(end)) {
                Expiry promised = end.isBefore(roundedUp) ? end : roundedUp;
                if (changesLeases) {
                    lease.term.promise(promised);
                }
                if (extended != null) {
                    extended.extendTo(promised);
                }
            }
        }

        private boolean isConfirmed() {
            return isConfirmed(proved);
        }

        private boolean isConfirmed(@Nullable Expiry end) {
            return end != null && end.remainingNanos(begun) >= until.remainingNanos(begun);
        }

        @Override
        public void gone() {
            if (answered.compareAndSet(false, true)) {
                lease.lose(LossReason.GONE);
            }
        }

        @Override
        public void unknown(Throwable cause) {
            if (answered.compareAndSet(false, true)) {
                failure = cause;
                lease.event(
                        clock.nanoTime() - begun.nanoTime(), (listener, event) -> listener.renewalFailed(event, cause));
            }
        }

        private LockException failure(String words) {
            return new LockException(lease.lockName(), words + reason(), failure);
        }

        private String reason() {
            Expiry end = proved;
            if (end != null) {
                return "the store has confirmed it for no longer than " + readable(end.remainingNanos(begun));
            }
            Throwable cause = failure;
            String message = cause == null ? null : cause.getMessage();
            return message == null ? String.valueOf(cause) : message;
        }
    }
}

package io.github.distlock.engine;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LossReason;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;

/** One renewal of one lease. It takes the first answer and ignores others. */
final class LeaseRenewal implements Renewal {
    private final Lease lease;
    private final Grant grant;
    private final Duration length;
    private final Outages outages;
    private final LockClock clock;
    private final long begunAt;
    private final AtomicBoolean answered = new AtomicBoolean();

    LeaseRenewal(Lease lease, Grant grant, Duration length, Outages outages, LockClock clock) {
        this.lease = lease;
        this.grant = grant;
        this.length = length;
        this.outages = outages;
        this.clock = clock;
        this.begunAt = clock.nanoTime();
    }

    /** Returns when the keeper must look at the lease again. */
    long nextLook() {
        return lease.nextLook();
    }

    long timeout() {
        return lease.term.renewalTimeout();
    }

    @Override
    public Grant grant() {
        return grant;
    }

    @Override
    public Duration lease() {
        return length;
    }

    @Override
    public void renewed(Validity validity) {
        requireNonNull(validity, "validity");
        if (answered.compareAndSet(false, true)) {
            outages.answered();
            lease.renewed(validity, clock.nanoTime() - begunAt);
        }
    }

    @Override
    public void gone() {
        if (answered.compareAndSet(false, true)) {
            outages.answered();
            lease.lose(LossReason.GONE);
        }
    }

    @Override
    public void unknown(Throwable cause) {
        if (answered.compareAndSet(false, true)) {
            long took = clock.nanoTime() - begunAt;
            outages.failed(lease.lockName(), lease.remainingNanos(clock.now()), took, cause);
            lease.renewalFailed(cause, took);
        }
    }
}

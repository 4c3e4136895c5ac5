package io.github.distlock;

import static java.util.Objects.requireNonNull;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;

/** One renewal of one lease: takes the first answer and no other. */
final class LeaseRenewal implements Renewal {
    final Lease lease;
    private final Grant grant;
    private final Duration length;
    private final Outages outages;
    private final long begunAt;
    private final AtomicBoolean answered = new AtomicBoolean();

    LeaseRenewal(Lease lease, Grant grant, Duration length, Outages outages) {
        this.lease = lease;
        this.grant = grant;
        this.length = length;
        this.outages = outages;
        this.begunAt = lease.clock().nanoTime();
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
            lease.renewed(validity, lease.clock().nanoTime() - begunAt);
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
            outages.failed(lease, cause);
            lease.renewalUnknown();
        }
    }
}

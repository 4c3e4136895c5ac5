package io.github.distlock;

import io.github.distlock.spi.LockClock;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says once that renewals fail, and once that they work again, however many fail in between. */
final class Outages {
    private static final Logger LOG = LoggerFactory.getLogger(LockClient.class);

    private final String client;
    private final LockClock clock;
    private final AtomicReference<@Nullable Outage> current = new AtomicReference<>();

    Outages(String client, LockClock clock) {
        this.client = client;
        this.clock = clock;
    }

    void failed(Lease lease, Throwable cause) {
        Outage outage = current.get();
        if (outage == null) {
            outage = new Outage(clock.nanoTime(), new AtomicLong());
            if (current.compareAndSet(null, outage)) {
                LOG.warn(
                        "{}: the renewal of lock \"{}\" failed, {} ms before the hold ends; trying again until then",
                        client,
                        lease.lockName(),
                        Math.max(0, lease.remainingNanos(clock.now())) / 1_000_000,
                        cause);
            }
        }
        outage.failures.incrementAndGet();
    }

    void answered() {
        Outage outage = current.get();
        if (outage != null && current.compareAndSet(outage, null)) {
            LOG.warn(
                    "{}: renewals are answered again, after {} ms and {} failures",
                    client,
                    (clock.nanoTime() - outage.since) / 1_000_000,
                    outage.failures);
        }
    }

    private record Outage(long since, AtomicLong failures) {}
}

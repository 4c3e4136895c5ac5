package io.github.distlock.engine;

import io.github.distlock.spi.LockClock;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Logs once that renewals fail, and once that they are answered again, however many fail in between. */
final class Outages {
    private final String client;
    private final LockClock clock;
    private final AtomicReference<@Nullable Outage> current = new AtomicReference<>();

    Outages(String client, LockClock clock) {
        this.client = client;
        this.clock = clock;
    }

    void failed(String lockName, long remainingNanos, Throwable cause) {
        Outage outage = current.get();
        if (outage == null) {
            outage = new Outage(clock.nanoTime(), new AtomicLong());
            if (current.compareAndSet(null, outage)) {
                ClientLog.LOG.warn(
                        "{}: the renewal of lock \"{}\" failed, {} ms before the hold ends; trying again until then",
                        client,
                        lockName,
                        Math.max(0, remainingNanos) / 1_000_000,
                        cause);
            }
        }
        outage.failures.incrementAndGet();
    }

    void answered() {
        Outage outage = current.get();
        if (outage != null && current.compareAndSet(outage, null)) {
            ClientLog.LOG.warn(
                    "{}: renewals are answered again, after {} ms and {} failures",
                    client,
                    (clock.nanoTime() - outage.since) / 1_000_000,
                    outage.failures);
        }
    }

    private record Outage(long since, AtomicLong failures) {}
}

package io.github.distlock.engine;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Records each failed renewal. Logs once that renewals fail, and once that they are answered again, however many fail
 * in between.
 */
final class Outages {
    private final Work.Shared shared;
    private final AtomicReference<@Nullable Outage> current = new AtomicReference<>();

    Outages(Work.Shared shared) {
        this.shared = shared;
    }

    void failed(String lockName, long remainingNanos, long tookNanos, Throwable cause) {
        Flight.renewalFailed(shared.client(), lockName, tookNanos, cause);
        Outage outage = current.get();
        if (outage == null) {
            outage = new Outage(shared.clock().nanoTime(), new AtomicLong());
            if (current.compareAndSet(null, outage)) {
                long millis = Math.max(0, remainingNanos) / 1_000_000;
                shared.log()
                        .write(() -> ClientLog.LOG.warn(
                                "{}: the renewal of lock \"{}\" failed, {} ms before the hold ends; trying again until"
                                        + " then",
                                shared.client(),
                                lockName,
                                millis,
                                cause));
            }
        }
        outage.failures.incrementAndGet();
    }

    void answered() {
        Outage outage = current.get();
        if (outage != null && current.compareAndSet(outage, null)) {
            long millis = (shared.clock().nanoTime() - outage.since) / 1_000_000;
            shared.log()
                    .write(() -> ClientLog.LOG.warn(
                            "{}: renewals are answered again, after {} ms and {} failures",
                            shared.client(),
                            millis,
                            outage.failures));
        }
    }

    private record Outage(long since, AtomicLong failures) {}
}

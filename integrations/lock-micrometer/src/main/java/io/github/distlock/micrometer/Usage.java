package io.github.distlock.micrometer;

import io.github.distlock.LockClient;
import io.github.distlock.LockUsage;
import io.micrometer.core.instrument.Clock;
import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How much clients use locks at present, by tag. A look goes over all names in use, and a registry reads one gauge
 * after the other. So a look counts for a tenth of a second. Two threads may look at the same time, which costs a look.
 */
final class Usage {
    private static final long NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final LockTags tags;
    private final List<WeakReference<LockClient>> clients = new CopyOnWriteArrayList<>();
    private volatile @Nullable Look last;

    /**
     * What was seen.
     *
     * @param byTag the sums, whose names are tags
     */
    private record Look(long nanoTime, Map<String, LockUsage> byTag) {}

    Usage(LockTags tags) {
        this.tags = tags;
    }

    /** Adds a client once, however often it is shown. */
    void add(LockClient client) {
        clients.removeIf(known -> known.get() == null || known.get() == client);
        clients.add(new WeakReference<>(client));
    }

    int holds(String tag) {
        return of(tag).holds();
    }

    int waiters(String tag) {
        return of(tag).waiters();
    }

    private LockUsage of(String tag) {
        Look seen = last;
        if (seen == null || Clock.SYSTEM.monotonicTime() - seen.nanoTime() >= NANOS) {
            seen = look();
            last = seen;
        }
        return seen.byTag().getOrDefault(tag, new LockUsage(tag, 0, 0));
    }

    private Look look() {
        Map<String, LockUsage> byTag = new HashMap<>();
        for (WeakReference<LockClient> known : clients) {
            LockClient client = known.get();
            if (client != null) {
                for (LockUsage used : client.usage()) {
                    String tag = tags.of(used.lockName());
                    byTag.merge(tag, used, (one, other) -> sum(tag, one, other));
                }
            }
        }
        return new Look(Clock.SYSTEM.monotonicTime(), byTag);
    }

    private static LockUsage sum(String tag, LockUsage one, LockUsage other) {
        return new LockUsage(tag, one.holds() + other.holds(), one.waiters() + other.waiters());
    }
}

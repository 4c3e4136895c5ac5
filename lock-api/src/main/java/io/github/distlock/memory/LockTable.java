package io.github.distlock.memory;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The store's side: holders, kept locks and waiters. Every method is one atomic step at the store's own time, like a
 * script on a server.
 *
 * <p>A free lock belongs to the first entry of its queue. A step that meets an entry whose client has sent no heartbeat
 * for {@link #PLACE_TIMEOUT} drops the entry. The bases of fencing tokens are numbered over all names.
 */
final class LockTable {
    static final Duration HEARTBEAT_INTERVAL = Duration.ofSeconds(1);
    static final Duration PLACE_TIMEOUT = HEARTBEAT_INTERVAL.multipliedBy(3);
    private static final Duration LONGEST_RETRY = Duration.ofSeconds(1);

    private final MovableClock clock;
    private final ReentrantLock mutex = new ReentrantLock();
    private final Map<String, Entry> entries = new HashMap<>();
    private long lastBase;

    private static final class Entry {
        private @Nullable Held held;
        private @Nullable Kept kept;
        private final LinkedHashSet<InMemoryContender> queue = new LinkedHashSet<>();

        private boolean isUnused() {
            return held == null && kept == null && queue.isEmpty();
        }
    }

    private record Held(InMemoryContender by, LockRequest request, long base, long since, long expiresAt) {}

    /** A lock that is busy after its release. Its holder may be gone. */
    private record Kept(LockOwner owner, long until) {}

    LockTable(MovableClock clock) {
        this.clock = clock;
    }

    Attempt attempt(InMemoryContender contender, LockRequest request, Moment sentAt) {
        mutex.lock();
        try {
            Entry entry = entries.computeIfAbsent(request.name(), absent -> new Entry());
            Held held = dropDead(entry);
            if (held != null && held.by == contender) {
                return grant(entry, contender, request, held.base, sentAt);
            }
            boolean first = entry.queue.isEmpty() || entry.queue.iterator().next() == contender;
            if (held == null && entry.kept == null && first) {
                entry.queue.remove(contender);
                return grant(entry, contender, request, ++lastBase, sentAt);
            }
            if (request.waits()) {
                contender.heardAt = clock.nanoTime();
                if (entry.queue.add(contender) && held != null && !held.by.isOfSameClient(contender)) {
                    held.by.signals().wanted();
                }
            }
            return Attempt.busy(Duration.ofNanos(Math.min(busyFor(entry), LONGEST_RETRY.toNanos())));
        } finally {
            mutex.unlock();
        }
    }

    private long busyFor(Entry entry) {
        if (entry.kept != null) {
            return entry.kept.until - clock.nanoTime();
        }
        return entry.held == null ? LONGEST_RETRY.toNanos() : entry.held.expiresAt - clock.nanoTime();
    }

    private Attempt grant(Entry entry, InMemoryContender contender, LockRequest request, long base, Moment sentAt) {
        long now = clock.nanoTime();
        entry.held = new Held(
                contender,
                request,
                base,
                clock.wallMillis(),
                now + request.lease().toNanos());
        return Attempt.granted(contender.grant(base, Validity.of(sentAt, request.lease())));
    }

    boolean renew(InMemoryContender contender, String name, Duration lease) {
        mutex.lock();
        try {
            Entry entry = entries.get(name);
            Held held = entry == null ? null : dropDead(entry);
            if (entry == null || held == null || held.by != contender) {
                return false;
            }
            entry.held = new Held(contender, held.request, held.base, held.since, clock.nanoTime() + lease.toNanos());
            return true;
        } finally {
            mutex.unlock();
        }
    }

    Grant.Release release(InMemoryContender contender, String name) {
        mutex.lock();
        try {
            Entry entry = entries.get(name);
            Held held = entry == null ? null : dropDead(entry);
            if (entry == null || held == null || held.by != contender) {
                return Grant.Release.GONE;
            }
            free(name, entry);
            return Grant.Release.RELEASED;
        } finally {
            mutex.unlock();
        }
    }

    Grant.Release keep(InMemoryContender contender, String name, Duration time) {
        mutex.lock();
        try {
            Entry entry = entries.get(name);
            Held held = entry == null ? null : dropDead(entry);
            if (entry == null || held == null || held.by != contender) {
                return Grant.Release.GONE;
            }
            entry.held = null;
            entry.kept = new Kept(held.request.owner(), clock.nanoTime() + time.toNanos());
            wakeFirst(entry);
            return Grant.Release.RELEASED;
        } finally {
            mutex.unlock();
        }
    }

    void withdraw(InMemoryContender contender, String name) {
        mutex.lock();
        try {
            Entry entry = entries.get(name);
            if (entry != null) {
                entry.queue.remove(contender);
                Held held = dropDead(entry);
                if (held == null || held.by == contender) {
                    free(name, entry);
                }
            }
        } finally {
            mutex.unlock();
        }
    }

    Optional<LockStatus.Holder> remove(String name, boolean tell) {
        mutex.lock();
        try {
            Entry entry = entries.get(name);
            if (entry == null) {
                return Optional.empty();
            }
            Held held = dropDead(entry);
            Optional<LockStatus.Holder> ended = Optional.ofNullable(held).map(this::holder);
            entry.kept = null;
            free(name, entry);
            if (held != null && tell) {
                held.by.signals().gone();
            }
            return ended;
        } finally {
            mutex.unlock();
        }
    }

    LockStatus status(String name) {
        mutex.lock();
        try {
            Entry entry = entries.get(name);
            LockStatus status = LockStatus.free(name);
            if (entry == null) {
                return status;
            }
            Held held = dropDead(entry);
            status = status.withWaiters(
                    entry.queue.stream().map(place -> place.request().owner()).toList());
            if (entry.kept != null) {
                Duration remaining = Duration.ofNanos(entry.kept.until - clock.nanoTime());
                return status.withKept(LockStatus.Kept.of(entry.kept.owner, remaining));
            }
            return held == null ? status : status.withHolders(List.of(holder(held)));
        } finally {
            mutex.unlock();
        }
    }

    private LockStatus.Holder holder(Held held) {
        return LockStatus.Holder.of(
                held.request.owner(),
                held.request.mode(),
                Instant.ofEpochMilli(held.since),
                held.base,
                Duration.ofNanos(held.expiresAt - clock.nanoTime()));
    }

    int size() {
        mutex.lock();
        try {
            List.copyOf(entries.entrySet()).forEach(named -> {
                dropDead(named.getValue());
                if (named.getValue().isUnused()) {
                    entries.remove(named.getKey());
                }
            });
            return entries.size();
        } finally {
            mutex.unlock();
        }
    }

    /** The lock has become free: notifies the first waiter, and forgets a lock without a queue. */
    private void free(String name, Entry entry) {
        entry.held = null;
        dropDead(entry);
        if (entry.isUnused()) {
            entries.remove(name);
        } else {
            wakeFirst(entry);
        }
    }

    private static void wakeFirst(Entry entry) {
        if (!entry.queue.isEmpty()) {
            entry.queue.iterator().next().signals().wakeUp();
        }
    }

    /** Returns the holder after dropping everything whose time is over. */
    @CanIgnoreReturnValue
    private @Nullable Held dropDead(Entry entry) {
        long now = clock.nanoTime();
        Held held = entry.held;
        if (held != null && held.expiresAt - now <= 0) {
            held = null;
            entry.held = null;
        }
        if (entry.kept != null && entry.kept.until - now <= 0) {
            entry.kept = null;
        }
        for (InMemoryContender place : new ArrayList<>(entry.queue)) {
            if (now - place.heardAt < PLACE_TIMEOUT.toNanos()) {
                break;
            }
            entry.queue.remove(place);
        }
        return held;
    }
}

package io.github.distlock.memory;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockKind;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockNames;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The store's side: holders, kept locks and waiters. Every method is one atomic step at the store's own time, like a
 * script on a server.
 *
 * <p>A contender is granted its hold if this fits beside all holders and beside all waiters before it. So a waiter that
 * does not fit keeps all later ones out, and consecutive readers get in together. A step that may have made room wakes
 * all waiters that fit now. A step that meets an entry whose client has sent no heartbeat for {@link #PLACE_TIMEOUT}
 * drops the entry. While a lock is kept after its release or its loss, no contender fits. The bases of fencing tokens
 * are numbered over all names.
 *
 * <p>A heartbeat is no step: it drops nothing and wakes nobody. After a lease has ended, the next attempt of a waiter
 * does so, within {@link #LONGEST_RETRY}. So tests over this store find waiters that never ask again by themselves.
 */
final class LockTable {
    static final Duration HEARTBEAT_INTERVAL = Duration.ofSeconds(1);
    static final Duration PLACE_TIMEOUT = HEARTBEAT_INTERVAL.multipliedBy(3);
    private static final Duration LONGEST_RETRY = Duration.ofSeconds(1);
    /** How many names a page has. */
    private static final int PAGE = 1_000;

    private final MovableClock clock;
    private final ReentrantLock mutex = new ReentrantLock();
    private final Map<String, Entry> entries = new HashMap<>();
    private long lastBase;
    private long lastRequest;

    /** What the store knows of one name. */
    private static final class Entry {
        /** In the order of their grants. */
        private final Map<InMemoryContender, Held> holders = new LinkedHashMap<>();

        private final LinkedHashSet<InMemoryContender> queue = new LinkedHashSet<>();
        private @Nullable Kept kept;

        boolean isUnused() {
            return holders.isEmpty() && kept == null && queue.isEmpty();
        }

        /** Keeps the lock for the lock delay of a hold whose lease has ended. */
        void keepAfter(InMemoryContender contender, Held lost) {
            Duration delay = lost.request.lockDelay();
            if (!delay.isZero()) {
                kept = new Kept(contender, lost.expiresAt + delay.toNanos());
            }
        }

        /** Removes a contender, and what it has left. */
        Grant.Release withdraw(InMemoryContender contender) {
            queue.remove(contender);
            if (kept != null && kept.by == contender) {
                kept = null;
            }
            return release(contender, this);
        }

        Optional<LockKind> kind() {
            if (kept != null) {
                return Optional.of(LockKind.LOCK);
            }
            Stream<LockRequest> holding = holders.values().stream().map(Held::request);
            Stream<LockRequest> waiting = queue.stream().map(InMemoryContender::request);
            return Stream.concat(holding, waiting)
                    .findFirst()
                    .map(request -> request.mode().lockKind());
        }

        /** Returns whether a contender fits beside all holders and all waiters before it. */
        boolean admits(InMemoryContender contender) {
            if (kept != null) {
                return false;
            }
            Use use = new Use(holders.values());
            for (InMemoryContender waiter : queue) {
                if (waiter == contender) {
                    break;
                }
                if (!use.addIfItFits(waiter.request().mode())) {
                    return false;
                }
            }
            return use.addIfItFits(contender.request().mode());
        }

        void wakeAllThatFit() {
            if (kept != null) {
                return;
            }
            Use use = new Use(holders.values());
            for (InMemoryContender waiter : queue) {
                if (!use.addIfItFits(waiter.request().mode())) {
                    return;
                }
                waiter.signals().wakeUp();
            }
        }
    }

    /** How a lock is used by some holds of one kind. */
    private static final class Use {
        private boolean held;
        private boolean alone;
        private long permits;

        Use(Iterable<Held> holders) {
            holders.forEach(held -> add(held.request.mode()));
        }

        boolean addIfItFits(LockMode mode) {
            boolean fits = switch (mode.kind()) {
                case EXCLUSIVE, WRITE -> !held;
                case READ -> !alone;
                case PERMITS -> permits + mode.count() <= mode.limit();
            };
            if (fits) {
                add(mode);
            }
            return fits;
        }

        private void add(LockMode mode) {
            held = true;
            alone |= mode.kind() == LockMode.Kind.EXCLUSIVE || mode.kind() == LockMode.Kind.WRITE;
            permits += mode.count();
        }
    }

    private record Held(LockRequest request, long base, long since, long expiresAt) {
        Held extended(LockRequest newRequest, long newExpiry) {
            return new Held(newRequest, base, since, newExpiry);
        }

        /** A request that has come late ends the hold no earlier than another one does. */
        Held renewed(long newExpiry) {
            return newExpiry - expiresAt > 0 ? extended(request, newExpiry) : this;
        }
    }

    /** A lock that is busy after its release or its loss. Its holder may be gone. */
    private record Kept(InMemoryContender by, long until) {}

    LockTable(MovableClock clock) {
        this.clock = clock;
    }

    private <T> T locked(String name, Function<Entry, T> step) {
        mutex.lock();
        try {
            Entry entry = entries.computeIfAbsent(name, absent -> new Entry());
            try {
                dropDead(entry);
                return step.apply(entry);
            } finally {
                if (entry.isUnused()) {
                    entries.remove(name);
                }
            }
        } finally {
            mutex.unlock();
        }
    }

    Attempt attempt(InMemoryContender contender, LockRequest request, Moment sentAt) {
        return locked(request.name(), entry -> {
            LockKind used = entry.kind().orElse(request.mode().lockKind());
            if (used != request.mode().lockKind()) {
                throw RequestRefusedException.otherKind(request.mode(), used);
            }
            Held held = entry.holders.get(contender);
            if (held != null) {
                entry.holders.put(contender, held.renewed(endOf(request.lease())));
                return Attempt.granted(grant(entry, contender, held.base, request, sentAt));
            }
            if (entry.admits(contender)) {
                entry.queue.remove(contender);
                Held first = new Held(request, ++lastBase, clock.wallMillis(), 0);
                return Attempt.granted(extend(entry, contender, first, request, sentAt));
            }
            boolean isNew = false;
            if (request.waits()) {
                contender.heardAt = clock.nanoTime();
                isNew = entry.queue.add(contender);
            }
            if (isNew) {
                contender.waitsSince = clock.wallMillis();
            }
            for (InMemoryContender holder : List.copyOf(entry.holders.keySet())) {
                if (holder.request().isSticky() || (isNew && !holder.isOfSameClient(contender))) {
                    holder.signals().wanted();
                }
            }
            return Attempt.busy(Duration.ofNanos(Math.min(busyFor(entry), LONGEST_RETRY.toNanos())));
        });
    }

    /** Gives a hold a new full lease. */
    private Grant extend(Entry entry, InMemoryContender contender, Held held, LockRequest request, Moment sentAt) {
        entry.holders.put(contender, held.extended(request, endOf(request.lease())));
        return grant(entry, contender, held.base, request, sentAt);
    }

    private long endOf(Duration lease) {
        return clock.nanoTime() + lease.toNanos();
    }

    private static Grant grant(
            Entry entry, InMemoryContender contender, long base, LockRequest request, Moment sentAt) {
        return contender.grant(base, Validity.of(sentAt, request.lease()), entry.queue.isEmpty());
    }

    private long busyFor(Entry entry) {
        long now = clock.nanoTime();
        if (entry.kept != null) {
            return entry.kept.until - now;
        }
        return entry.holders.values().stream()
                .mapToLong(held -> held.expiresAt - now)
                .min()
                .orElse(Long.MAX_VALUE);
    }

    boolean renew(InMemoryContender contender, String name, Duration lease) {
        return locked(name, entry -> {
            long expiresAt = endOf(lease);
            return entry.holders.computeIfPresent(contender, (any, held) -> held.renewed(expiresAt)) != null;
        });
    }

    Grant.Release release(InMemoryContender contender, String name) {
        return locked(name, entry -> release(contender, entry));
    }

    private static Grant.Release release(InMemoryContender contender, Entry entry) {
        boolean held = entry.holders.remove(contender) != null;
        entry.wakeAllThatFit();
        return held ? Grant.Release.RELEASED : Grant.Release.GONE;
    }

    /** Keeps the lock, and wakes the first waiter, which asks for how long. */
    Grant.Release keep(InMemoryContender contender, String name, Duration time) {
        return locked(name, entry -> {
            Held held = entry.holders.remove(contender);
            if (held == null) {
                return Grant.Release.GONE;
            }
            entry.kept = new Kept(contender, clock.nanoTime() + time.toNanos());
            entry.queue.stream().findFirst().ifPresent(first -> first.signals().wakeUp());
            return Grant.Release.RELEASED;
        });
    }

    OptionalLong nextBase(InMemoryContender contender, String name) {
        return locked(name, entry -> {
            Held held = entry.holders.get(contender);
            if (held == null || !entry.queue.isEmpty()) {
                return OptionalLong.empty();
            }
            entry.holders.put(contender, new Held(held.request, ++lastBase, held.since, held.expiresAt));
            return OptionalLong.of(lastBase);
        });
    }

    /** Makes a reader of a writer. A repeated call finds the reader, and gives it a new lease. */
    Optional<Grant> downgrade(InMemoryContender contender, LockRequest request, Moment sentAt) {
        return locked(request.name(), entry -> {
            Held held = entry.holders.get(contender);
            if (held == null) {
                return Optional.empty();
            }
            Grant reading = extend(entry, contender, held, request.withMode(LockMode.READ), sentAt);
            entry.wakeAllThatFit();
            return Optional.of(reading);
        });
    }

    void withdraw(InMemoryContender contender, String name) {
        var unused = locked(name, entry -> entry.withdraw(contender));
    }

    /** Ends the hold with a base, or frees the name. Returns the holds that were ended. */
    List<LockStatus.Holder> remove(String name, OptionalLong base, boolean tell) {
        return locked(name, entry -> {
            Map<InMemoryContender, Held> ended = new LinkedHashMap<>(entry.holders);
            if (base.isPresent()) {
                ended.values().removeIf(held -> held.base != base.getAsLong());
            } else {
                entry.kept = null;
            }
            entry.holders.keySet().removeAll(ended.keySet());
            entry.wakeAllThatFit();
            if (tell) {
                ended.keySet().forEach(holder -> holder.signals().gone());
            }
            return holders(ended);
        });
    }

    /** Stores a request for each hold. Returns the number of holds. */
    int requestRelease(String name, LockOwner requester) {
        return locked(name, entry -> {
            String id = Long.toString(++lastRequest);
            RequestedRelease request = new RequestedRelease(id, requester, clock.nanoTime());
            for (InMemoryContender holder : List.copyOf(entry.holders.keySet())) {
                holder.requested = request;
                if (holder.request().isSticky()) {
                    holder.signals().wanted();
                }
            }
            return entry.holders.size();
        });
    }

    LockStatus status(String name) {
        return locked(name, entry -> {
            LockStatus status = LockStatus.free(name)
                    .withHolders(holders(entry.holders))
                    .withWaiters(entry.queue.stream().map(LockTable::waiter).toList());
            return entry.kept == null
                    ? status
                    : status.withKept(
                            LockStatus.Kept.of(entry.kept.by.request().owner(), Duration.ofNanos(busyFor(entry))));
        });
    }

    private static LockStatus.Waiter waiter(InMemoryContender contender) {
        LockRequest request = contender.request();
        return LockStatus.Waiter.of(request.owner(), request.mode(), Instant.ofEpochMilli(contender.waitsSince));
    }

    private List<LockStatus.Holder> holders(Map<InMemoryContender, Held> holders) {
        long now = clock.nanoTime();
        return holders.values().stream()
                .map(held -> LockStatus.Holder.of(
                        held.request.owner(),
                        held.request.mode(),
                        Instant.ofEpochMilli(held.since),
                        held.base,
                        Duration.ofNanos(held.expiresAt - now)))
                .toList();
    }

    int size() {
        return usedNames().size();
    }

    /** Returns the names that begin with a prefix and come after a name, in their order: a page of them. */
    LockNames names(String prefix, String after) {
        List<String> found = usedNames().stream()
                .filter(name -> name.startsWith(prefix) && name.compareTo(after) > 0)
                .sorted()
                .toList();
        return found.size() <= PAGE
                ? LockNames.last(found)
                : LockNames.page(found.subList(0, PAGE), found.get(PAGE - 1));
    }

    private List<String> usedNames() {
        mutex.lock();
        try {
            entries.values().forEach(this::dropDead);
            entries.values().removeIf(Entry::isUnused);
            return List.copyOf(entries.keySet());
        } finally {
            mutex.unlock();
        }
    }

    /** Drops holders, kept locks and waiters whose time is over, and wakes the waiters that fit then. */
    private void dropDead(Entry entry) {
        long now = clock.nanoTime();
        Map<InMemoryContender, Held> lost = new HashMap<>(entry.holders);
        lost.values().removeIf(held -> held.expiresAt - now > 0);
        lost.forEach(entry::keepAfter);
        boolean dropped = entry.holders.keySet().removeAll(lost.keySet());
        if (entry.kept != null && entry.kept.until - now <= 0) {
            entry.kept = null;
            dropped = true;
        }
        dropped |= entry.queue.removeIf(place -> now - place.heardAt >= PLACE_TIMEOUT.toNanos());
        if (dropped) {
            entry.wakeAllThatFit();
        }
    }
}

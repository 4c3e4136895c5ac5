package io.github.distlock.simulator;

import io.github.distlock.spi.LockKind;
import io.github.distlock.spi.LockMode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Looks whether waiters get what is free for them (V2, V10), in true time.
 *
 * <p>A lock is <em>open</em> for a waiter while nobody holds it, or while the first waiter of the queue could have it
 * beside the present holders and is this waiter, or is any other one. A lock must not be open for long for the same
 * waiter while nobody else gets it. After a fault, and after a hold that was not released in order, this is so again
 * only when the store has forgotten what is left of it.
 */
final class FreeLocks {
    /** A waiter that began so much later than another one has its queue entry later, too. */
    private static final long CERTAINLY_LATER = 250_000_000;

    private final Map<String, Lock> locks = new HashMap<>();
    private final Set<String> exempt = new HashSet<>();
    private final long longest;
    private final long longestOfLocks;
    private final Consumer<String> violation;
    private long undisturbedSince;

    private static final class Lock {
        /** Those that wait and those that hold, by their numbers. */
        private final Map<Long, User> waiters = new LinkedHashMap<>();

        private final Map<Long, User> holders = new LinkedHashMap<>();
    }

    private static final class User {
        private final String name;
        private final LockMode mode;
        private final long process;
        private final long since;
        /** Since when its client may have had the queue entry, for threads that waited before. */
        private final long queuedSince;

        private long openSince;

        User(String name, LockMode mode, long process, long since, long queuedSince) {
            this.name = name;
            this.mode = mode;
            this.process = process;
            this.since = since;
            this.queuedSince = queuedSince;
            this.openSince = since;
        }

        boolean isAlone() {
            return queuedSince == since;
        }
    }

    /**
     * Begins without a lock.
     *
     * @param longest for how long a lock may be open for a waiter, in nanoseconds
     * @param longestOfLocks the same for locks that may be sticky
     * @param violation consumes what is wrong
     */
    FreeLocks(long longest, long longestOfLocks, Consumer<String> violation) {
        this.longest = longest;
        this.longestOfLocks = longestOfLocks;
        this.violation = violation;
    }

    void waits(String name, long process, long number, String lockName, LockMode mode, long now) {
        change(lockName, now, lock -> {
            long queuedSince = lock.waiters.values().stream()
                    .filter(other -> other.process == process)
                    .mapToLong(other -> other.queuedSince)
                    .min()
                    .orElse(now);
            lock.waiters.put(number, new User(name, mode, process, now, queuedSince));
        });
    }

    void returned(long number, String lockName, long now) {
        change(lockName, now, lock -> lock.waiters.remove(number));
    }

    void granted(String name, long process, long number, String lockName, LockMode mode, long now) {
        change(lockName, now, lock -> {
            lock.waiters.remove(number);
            lock.holders.put(number, new User(name, mode, process, now, now));
            if (mode.kind() == LockMode.Kind.PERMITS) {
                lock.waiters.values().forEach(waiter -> waiter.openSince = now);
            }
        });
    }

    void released(long number, String lockName, long now) {
        change(lockName, now, lock -> lock.holders.remove(number));
    }

    /** The store may keep a lock for a time after its hold. */
    void exempt(String lockName) {
        exempt.add(lockName);
    }

    /** A process has crashed. */
    void crashed(long process, long now) {
        locks.keySet()
                .forEach(name -> change(name, now, lock -> {
                    lock.waiters.values().removeIf(user -> user.process == process);
                    lock.holders.values().removeIf(user -> user.process == process);
                }));
    }

    /** Something has happened whose effects last until a time. */
    void disturbed(long now, long until) {
        locks.keySet().forEach(name -> change(name, now, lock -> {}));
        undisturbedSince = Math.max(undisturbedSince, until);
    }

    private void change(String name, long now, Consumer<Lock> change) {
        Lock lock = locks.computeIfAbsent(name, key -> new Lock());
        lock.waiters.values().forEach(waiter -> {
            if (!isOpen(lock, waiter)) {
                waiter.openSince = now;
            } else if (!exempt.contains(name)) {
                check(name, lock, waiter, now);
            }
        });
        change.accept(lock);
    }

    private void check(String name, Lock lock, User waiter, long now) {
        long open = now - Math.max(waiter.openSince, undisturbedSince);
        if (open > (waiter.mode.lockKind() == LockKind.LOCK ? longestOfLocks : longest)) {
            violation.accept(waiter.name + " waits although " + name + " is open for " + open + " ns, with "
                    + lock.holders.size() + " holds");
        }
    }

    private static boolean isOpen(Lock lock, User waiter) {
        if (lock.holders.isEmpty()) {
            return true;
        }
        User holder = lock.holders.values().iterator().next();
        return switch (holder.mode.kind()) {
            case EXCLUSIVE, WRITE -> false;
            case READ ->
                waiter.mode.kind() == LockMode.Kind.READ && isCertainlyFirst(lock, waiter, LockMode.Kind.WRITE);
            case PERMITS -> {
                int used = counts(lock.holders).sum();
                boolean fits = used + waiter.mode.count() <= holder.mode.limit();
                yield (fits && isCertainlyFirst(lock, waiter, LockMode.Kind.PERMITS))
                        || used + counts(lock.waiters).max().orElse(0) <= holder.mode.limit();
            }
        };
    }

    /** Returns whether no waiter of a kind can have its queue entry before a waiter. */
    private static boolean isCertainlyFirst(Lock lock, User waiter, LockMode.Kind kind) {
        return waiter.isAlone()
                && lock.waiters.values().stream()
                        .filter(other -> other != waiter && other.mode.kind() == kind)
                        .allMatch(other -> other.queuedSince - waiter.since > CERTAINLY_LATER);
    }

    private static IntStream counts(Map<Long, User> users) {
        return users.values().stream().mapToInt(user -> user.mode.count());
    }
}

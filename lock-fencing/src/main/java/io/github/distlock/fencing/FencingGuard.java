package io.github.distlock.fencing;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * Rejects late requests by their fencing tokens, for resources in the memory of this process. The guard keeps the
 * greatest token of each key. It accepts that token and greater ones, and rejects smaller ones.
 *
 * <p>Check a token in one step with the write, under the lock or on the thread that guards the resource:
 *
 * <pre>{@code
 * balances.compute(account, (id, before) -> {
 *     guard.check("account/" + id, token);
 *     return balance;
 * });
 * }</pre>
 *
 * Otherwise a request can pass its check, stand still, and write after a request with a greater token.
 *
 * <p>All tokens of a key must come from one lock. Tokens of different locks, and those of permits, have no order. The
 * guard knows what it has seen since it was made, and no more: a new process, and each further one, begins with no
 * token. For a resource that outlives the process or that several processes write, keep the token with the resource, as
 * {@link SqlFence} does.
 *
 * <p><b>Memory.</b> The guard has at most as many keys as {@link #of} says. It forgets a key only after the key was not
 * checked for the time to keep it, and then accepts any token for it. So choose a time that no request can be late by.
 * A guard that is full of keys which it may not forget refuses new keys. The caller limits the length of keys.
 *
 * <p><b>Time.</b> A check takes constant time, averaged over the checks. It waits only for checks in other threads.
 *
 * <h2>Concurrency</h2>
 *
 * All methods are thread-safe. One lock guards all state, and each check compares and stores its token under this lock.
 * So the checks of a key have one order. After one with a greater token, none with a smaller token is accepted, even if
 * it began earlier. The clock is read under the lock, so the times of last use rise in the order of the map. So the
 * search for idle keys ends at the first one that is in use.
 */
public final class FencingGuard {
    /** A hundred years. Differences of the clock do not exceed a {@code long}. */
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private final int mostKeys;
    private final Duration keepFor;
    private final long keepNanos;
    private final LongSupplier nanoTime;
    private final ReentrantLock lock = new ReentrantLock();
    /** In the order of their last use. */
    private final Map<String, Seen> keys = new LinkedHashMap<>(16, 0.75f, true);

    private static final class Seen {
        private long highest;
        private long usedAt;

        Seen(long highest, long usedAt) {
            this.highest = highest;
            this.usedAt = usedAt;
        }
    }

    FencingGuard(int mostKeys, Duration keepFor, LongSupplier nanoTime) {
        if (mostKeys <= 0) {
            throw new IllegalArgumentException("mostKeys must be positive, but was " + mostKeys);
        }
        if (requireNonNull(keepFor, "keepFor").isNegative() || keepFor.isZero()) {
            throw new IllegalArgumentException("keepFor must be positive, but was " + keepFor);
        }
        this.mostKeys = mostKeys;
        this.keepFor = keepFor;
        this.keepNanos = (keepFor.compareTo(LONGEST) > 0 ? LONGEST : keepFor).toNanos();
        this.nanoTime = nanoTime;
    }

    /**
     * Makes a guard that has seen no token.
     *
     * @param mostKeys how many keys the guard has at most
     * @param keepFor for how long the guard remembers a key that is not checked, by {@link System#nanoTime()}; at most
     *     a hundred years
     * @return a new guard
     * @throws IllegalArgumentException if one of them is not positive
     */
    public static FencingGuard of(int mostKeys, Duration keepFor) {
        return new FencingGuard(mostKeys, keepFor, System::nanoTime);
    }

    /**
     * Checks that no greater token was accepted for this key, and remembers this one.
     *
     * @param key the resource, or a part of it that has a lock of its own
     * @param token the token of the request, which is positive
     * @throws StaleTokenException if a greater token was accepted before; this, too, counts as a use of the key
     * @throws FencingGuardFullException if the key is new, and the guard is full of keys that it may not forget
     * @throws IllegalArgumentException if the token is not positive
     */
    public void check(String key, long token) {
        requireNonNull(key, "key");
        FencingToken.requirePositive(token);
        lock.lock();
        try {
            long now = nanoTime.getAsLong();
            forgetIdleKeys(now);
            Seen seen = keys.get(key);
            if (seen == null) {
                add(key, new Seen(token, now));
                return;
            }
            seen.usedAt = now;
            if (token < seen.highest) {
                throw new StaleTokenException(key, token, OptionalLong.of(seen.highest));
            }
            seen.highest = token;
        } finally {
            lock.unlock();
        }
    }

    private void forgetIdleKeys(long now) {
        Iterator<Seen> all = keys.values().iterator();
        while (all.hasNext() && now - all.next().usedAt >= keepNanos) {
            all.remove();
        }
    }

    private void add(String key, Seen seen) {
        if (keys.size() >= mostKeys) {
            throw new FencingGuardFullException(
                    "the guard is full: each of its " + mostKeys + " keys was checked within the last " + keepFor);
        }
        keys.put(key, seen);
    }
}

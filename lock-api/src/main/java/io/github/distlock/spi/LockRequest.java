package io.github.distlock.spi;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LockOwner;
import java.time.Duration;
import java.util.List;

/**
 * What a contender wants. The engine has validated everything in it. Made by {@link #exclusive} and the methods that change
 * it; components may be added.
 *
 * @param names the names wanted, all or none: at least one, each not blank, at most 1,024 bytes of UTF-8, without unpaired
 *     surrogates
 * @param mode how the hold is shared with others
 * @param lease how long the store keeps the hold of a client that went silent, where that is not a session's business: at
 *     least {@link LockBackend#minimumLease()}, at most 24 hours, in nanoseconds; a store that counts coarser rounds up
 * @param waits whether the caller asks more than once, so that a place in the store's queue serves it; false for a single
 *     try
 * @param owner who asks, as far as it was known when the place was taken: kept beside the hold, for
 *     {@link LockBackend#inspect} only
 */
public record LockRequest(List<String> names, LockMode mode, Duration lease, boolean waits, LockOwner owner) {
    /**
     * An exclusive hold of one name, wanted by a caller that waits.
     *
     * @param name the lock's name
     * @param lease how long the store keeps the hold of a client that went silent
     * @param owner who asks
     * @return the request
     */
    public static LockRequest exclusive(String name, Duration lease, LockOwner owner) {
        return new LockRequest(
                List.of(name),
                LockMode.EXCLUSIVE,
                requireNonNull(lease, "lease"),
                true,
                requireNonNull(owner, "owner"));
    }

    /**
     * The same for several names. Needs {@link Capability#SEVERAL_NAMES}.
     *
     * @param names at least one, sorted, without repeats
     * @return a new request
     */
    public LockRequest withNames(List<String> names) {
        return new LockRequest(List.copyOf(names), mode, lease, waits, owner);
    }

    /**
     * The same in another mode.
     *
     * @param mode how the hold is shared
     * @return a new request
     */
    public LockRequest withMode(LockMode mode) {
        return new LockRequest(names, requireNonNull(mode, "mode"), lease, waits, owner);
    }

    /**
     * The same by a caller that asks once and needs no place in the store's queue.
     *
     * @return a new request
     */
    public LockRequest withoutWaiting() {
        return new LockRequest(names, mode, lease, false, owner);
    }

    /**
     * The lock's name, of a request for a single one.
     *
     * @return the first of the names
     */
    public String name() {
        return names.get(0);
    }
}

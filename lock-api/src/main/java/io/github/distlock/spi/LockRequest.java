package io.github.distlock.spi;

import io.github.distlock.LockOwner;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/** What a contender wants. Immutable. The engine has validated everything in it. */
public final class LockRequest {
    private final List<String> names;
    private final LockMode mode;
    private final Duration lease;
    private final boolean waits;
    private final LockOwner owner;

    private LockRequest(List<String> names, LockMode mode, Duration lease, boolean waits, LockOwner owner) {
        this.names = names;
        this.mode = mode;
        this.lease = lease;
        this.waits = waits;
        this.owner = owner;
    }

    /**
     * An exclusive hold of one name, wanted by a caller that waits.
     *
     * @param name the lock's name: not blank, at most 1,024 bytes of UTF-8, no unpaired surrogates
     * @param lease how long the store keeps the hold of a client that went silent
     * @param owner who asks
     * @return the request
     */
    public static LockRequest exclusive(String name, Duration lease, LockOwner owner) {
        return new LockRequest(
                List.of(name),
                LockMode.EXCLUSIVE,
                Objects.requireNonNull(lease, "lease"),
                true,
                Objects.requireNonNull(owner, "owner"));
    }

    /**
     * The same for several names, all or none. Needs {@link Capability#SEVERAL_NAMES}.
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
        return new LockRequest(names, Objects.requireNonNull(mode, "mode"), lease, waits, owner);
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
     * @return the first of {@link #names()}
     */
    public String name() {
        return names.get(0);
    }

    /**
     * The names wanted, all or none.
     *
     * @return at least one
     */
    public List<String> names() {
        return names;
    }

    /**
     * How the hold is shared with others.
     *
     * @return the mode
     */
    public LockMode mode() {
        return mode;
    }

    /**
     * How long the store keeps the hold of a client that went silent, where that is not a session's business.
     *
     * @return at least {@link LockBackend#minimumLease()}, at most 24 hours
     */
    public Duration lease() {
        return lease;
    }

    /**
     * Whether the caller asks more than once, so that a place in the store's queue serves it.
     *
     * @return false for a single try
     */
    public boolean waits() {
        return waits;
    }

    /**
     * Who asks: kept beside the hold, for {@link LockBackend#inspect} only.
     *
     * @return the owner as far as it was known when the place was taken
     */
    public LockOwner owner() {
        return owner;
    }

    @Override
    public String toString() {
        return mode + " " + names + ", lease " + lease + (waits ? "" : ", one try");
    }
}

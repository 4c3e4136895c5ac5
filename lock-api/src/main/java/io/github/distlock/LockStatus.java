package io.github.distlock;

import static java.util.Objects.requireNonNull;

import io.github.distlock.engine.FencingTokens;
import io.github.distlock.spi.LockMode;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a store knew of a lock when it was asked. It may have changed since. Immutable. */
public final class LockStatus {
    private static final int MOST_SHOWN = 10;

    private final String lockName;
    private final List<Holder> holders;
    private final List<Waiter> waiters;
    private final @Nullable Kept kept;

    private LockStatus(String lockName, List<Holder> holders, List<Waiter> waiters, @Nullable Kept kept) {
        this.lockName = lockName;
        this.holders = holders;
        this.waiters = waiters;
        this.kept = kept;
    }

    /**
     * Returns the status of a free lock without waiters.
     *
     * @param lockName the lock's name
     * @return the status
     */
    public static LockStatus free(String lockName) {
        return new LockStatus(requireNonNull(lockName, "lockName"), List.of(), List.of(), null);
    }

    /**
     * Returns the same status with holders.
     *
     * @param holders the holders, in the order of their grants as far as the store knows it
     * @return a new status
     */
    public LockStatus withHolders(List<Holder> holders) {
        return new LockStatus(lockName, List.copyOf(holders), waiters, kept);
    }

    /**
     * Returns the same status with waiters.
     *
     * @param waiters in the order in which they will be served, as far as the store knows it
     * @return a new status
     */
    public LockStatus withWaiters(List<Waiter> waiters) {
        return new LockStatus(lockName, holders, List.copyOf(waiters), kept);
    }

    /**
     * Returns the same status of a lock that is kept without a holder.
     *
     * @param kept the last holder, and how long the lock stays kept
     * @return a new status
     */
    public LockStatus withKept(Kept kept) {
        return new LockStatus(lockName, holders, waiters, requireNonNull(kept, "kept"));
    }

    /**
     * Returns the lock's name.
     *
     * @return the name
     */
    public String lockName() {
        return lockName;
    }

    /**
     * Returns the holders. An exclusive lock has one at most.
     *
     * @return in the order of their grants as far as the store knows it; empty if the lock is free or
     *     {@linkplain #kept() kept}; immutable
     */
    public List<Holder> holders() {
        return holders;
    }

    /**
     * Returns the waiters in the store's queue, one per queue entry. Threads of one client share an entry unless they
     * are {@linkplain LockOptions#fair() fair}.
     *
     * @return in the order in which they will be served, as far as the store knows it; immutable
     */
    public List<Waiter> waiters() {
        return waiters;
    }

    /**
     * Returns whether the store keeps the lock busy after a release, for the rest of a
     * {@linkplain LockOptions#minimumHold(Duration) minimum hold}, or after a loss, for the rest of a
     * {@linkplain LockOptions#lockDelay(Duration) lock delay}. Nobody holds it then.
     *
     * @return empty unless the lock is kept
     */
    public Optional<Kept> kept() {
        return Optional.ofNullable(kept);
    }

    /** Returns a text for people. It shows the first ten holders and waiters, and how many more there are. */
    @Override
    public String toString() {
        String state = holders.isEmpty() ? "free" : "held by " + first(holders);
        return "lock \"" + lockName + "\": " + (kept == null ? state : "kept by " + kept) + ", "
                + (waiters.isEmpty() ? "no waiters" : "waiters " + first(waiters));
    }

    private static String first(List<?> entries) {
        int more = entries.size() - MOST_SHOWN;
        return more <= 0 ? entries.toString() : entries.subList(0, MOST_SHOWN) + " and " + more + " more";
    }

    /** A lock that the store keeps busy after its release or its loss. Immutable. */
    public static final class Kept {
        private final LockOwner owner;
        private final Duration remaining;

        private Kept(LockOwner owner, Duration remaining) {
            this.owner = owner;
            this.remaining = remaining;
        }

        /**
         * Makes it, as a backend reads it from its store.
         *
         * @param owner the last holder
         * @param remaining how long the store keeps the lock from now
         * @return the kept lock
         */
        public static Kept of(LockOwner owner, Duration remaining) {
            return new Kept(requireNonNull(owner, "owner"), requireNonNull(remaining, "remaining"));
        }

        /**
         * Returns the last holder, which has released or lost the lock.
         *
         * @return the owner
         */
        public LockOwner owner() {
            return owner;
        }

        /**
         * Returns how long the store keeps the lock from now.
         *
         * @return by the store's clock; by this machine's wall clock on ZooKeeper
         */
        public Duration remaining() {
            return remaining;
        }

        @Override
        public String toString() {
            return owner + ", for " + remaining;
        }
    }

    /** A queue entry of a client that waits. Immutable. */
    public static final class Waiter {
        private final LockOwner owner;
        private final LockMode mode;
        private final Instant since;

        private Waiter(LockOwner owner, LockMode mode, Instant since) {
            this.owner = owner;
            this.mode = mode;
            this.since = since;
        }

        /**
         * Makes a queue entry, as a backend reads it from its store.
         *
         * @param owner the waiter
         * @param mode how it wants to share the lock
         * @param since when it entered the queue
         * @return the queue entry
         */
        public static Waiter of(LockOwner owner, LockMode mode, Instant since) {
            return new Waiter(
                    requireNonNull(owner, "owner"), requireNonNull(mode, "mode"), requireNonNull(since, "since"));
        }

        /**
         * Returns the waiter.
         *
         * @return the owner; its thread is the first that waited in this entry
         */
        public LockOwner owner() {
            return owner;
        }

        /**
         * Returns how it wants to share the lock. The mode of permits has their count and the limit of the waiter.
         *
         * @return the mode
         */
        public LockMode mode() {
            return mode;
        }

        /**
         * Returns when the entry was made. Threads that share it may have begun to wait earlier or later.
         *
         * @return by the store's clock
         */
        public Instant since() {
            return since;
        }

        @Override
        public String toString() {
            return owner + ", " + mode + ", since " + since;
        }
    }

    /** A hold, as the store sees it. Immutable. */
    public static final class Holder {
        private final LockOwner owner;
        private final LockMode mode;
        private final Instant since;
        private final long fencingToken;
        private final Duration remainingLease;

        private Holder(LockOwner owner, LockMode mode, Instant since, long fencingToken, Duration remainingLease) {
            this.owner = owner;
            this.mode = mode;
            this.since = since;
            this.fencingToken = fencingToken;
            this.remainingLease = remainingLease;
        }

        /**
         * Makes a hold, as a backend reads it from its store.
         *
         * @param owner the holder
         * @param mode how it shares the lock
         * @param since when it was granted
         * @param fencingBase the base of its tokens
         * @param remainingLease how long the store would keep it now if the holder became silent
         * @return the hold
         */
        public static Holder of(
                LockOwner owner, LockMode mode, Instant since, long fencingBase, Duration remainingLease) {
            return new Holder(
                    requireNonNull(owner, "owner"),
                    requireNonNull(mode, "mode"),
                    requireNonNull(since, "since"),
                    FencingTokens.first(fencingBase),
                    requireNonNull(remainingLease, "remainingLease"));
        }

        /**
         * Returns the holder.
         *
         * @return the owner
         */
        public LockOwner owner() {
            return owner;
        }

        /**
         * Returns how it shares the lock.
         *
         * @return the mode
         */
        public LockMode mode() {
            return mode;
        }

        /**
         * Returns when it was granted, or when it was asked for if the store keeps only that (ZooKeeper). On Redis,
         * this is when its newest {@linkplain #fencingToken base} was minted. After local handoffs, the present holder
         * may have held the lock for a shorter time.
         *
         * @return by the store's clock
         */
        public Instant since() {
            return since;
        }

        /**
         * Returns the first fencing token of the grant, or of the newest base that the store has minted for its local
         * handoffs. The present holder's token is greater by the number of local handoffs since then, at most 255. It
         * is smaller if that base was minted while this holder held the lock. On ZooKeeper, this is the first token of
         * the grant, and the present holder's token may have a later base.
         *
         * @return a token
         */
        public long fencingToken() {
            return fencingToken;
        }

        /**
         * Returns how long the store would keep the hold now if its holder became silent.
         *
         * @return by the store's clock
         */
        public Duration remainingLease() {
            return remainingLease;
        }

        @Override
        public String toString() {
            return owner + ", " + mode + ", since " + since + ", token " + fencingToken + ", lease ends in "
                    + remainingLease;
        }
    }
}

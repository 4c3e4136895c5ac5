package io.github.distlock;

import static java.util.Objects.requireNonNull;

import io.github.distlock.engine.FencingTokens;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a store knew of a lock when it was asked; it may have changed since. Immutable. */
public final class LockStatus {
    private final String lockName;
    private final @Nullable Holder holder;
    private final List<LockOwner> waiters;

    private LockStatus(String lockName, @Nullable Holder holder, List<LockOwner> waiters) {
        this.lockName = lockName;
        this.holder = holder;
        this.waiters = waiters;
    }

    /**
     * A lock that nobody holds or waits for.
     *
     * @param lockName which lock
     * @return the status
     */
    public static LockStatus free(String lockName) {
        return new LockStatus(requireNonNull(lockName, "lockName"), null, List.of());
    }

    /**
     * The same with a holder.
     *
     * @param holder who holds the lock
     * @return a new status
     */
    public LockStatus withHolder(Holder holder) {
        return new LockStatus(lockName, requireNonNull(holder, "holder"), waiters);
    }

    /**
     * The same with waiters.
     *
     * @param waiters in the order in which they will be served, as far as the store knows one
     * @return a new status
     */
    public LockStatus withWaiters(List<LockOwner> waiters) {
        return new LockStatus(lockName, holder, List.copyOf(waiters));
    }

    /**
     * Which lock.
     *
     * @return its name
     */
    public String lockName() {
        return lockName;
    }

    /**
     * Who holds it.
     *
     * @return empty when nobody does
     */
    public Optional<Holder> holder() {
        return Optional.ofNullable(holder);
    }

    /**
     * Who waits in the store's queue, one entry per place. Threads of one client share a place unless they are
     * {@linkplain LockOptions#fair() fair}.
     *
     * @return in the order in which they will be served, as far as the store knows one; immutable
     */
    public List<LockOwner> waiters() {
        return waiters;
    }

    @Override
    public String toString() {
        return "lock \"" + lockName + "\": " + (holder == null ? "free" : "held by " + holder) + ", " + waiters.size()
                + " waiting";
    }

    /** A hold, as the store sees it. Immutable. */
    public static final class Holder {
        private final LockOwner owner;
        private final Instant since;
        private final long fencingToken;
        private final Duration remainingLease;

        private Holder(LockOwner owner, Instant since, long fencingToken, Duration remainingLease) {
            this.owner = owner;
            this.since = since;
            this.fencingToken = fencingToken;
            this.remainingLease = remainingLease;
        }

        /**
         * A hold, as a backend reads it from its store.
         *
         * @param owner who asked for it
         * @param since when it was granted
         * @param fencingBase the base of its tokens
         * @param remainingLease how long the store would keep it now if the holder went silent
         * @return the hold
         */
        public static Holder of(LockOwner owner, Instant since, long fencingBase, Duration remainingLease) {
            return new Holder(
                    requireNonNull(owner, "owner"),
                    requireNonNull(since, "since"),
                    FencingTokens.token(fencingBase, 0),
                    requireNonNull(remainingLease, "remainingLease"));
        }

        /**
         * Who asked for it.
         *
         * @return the owner
         */
        public LockOwner owner() {
            return owner;
        }

        /**
         * When it was granted, or asked for where the store keeps no more than that (ZooKeeper). Waiters of one client pass a
         * grant among themselves, so that the present holder may have it for a shorter time.
         *
         * @return by the store's clock
         */
        public Instant since() {
            return since;
        }

        /**
         * The first fencing token of the grant; the present holder's is greater by the number of passes, at most 255.
         *
         * @return a token
         */
        public long fencingToken() {
            return fencingToken;
        }

        /**
         * How long the store would keep the hold now if its holder went silent.
         *
         * @return by the store's clock
         */
        public Duration remainingLease() {
            return remainingLease;
        }

        @Override
        public String toString() {
            return owner + " since " + since + ", token " + fencingToken + ", lease ends in " + remainingLease;
        }
    }
}

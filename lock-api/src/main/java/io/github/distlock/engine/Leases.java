package io.github.distlock.engine;

import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The leases of one {@link LocalQueue}: those that have not ended, and those whose release is under way. The queue's
 * mutex guards changes. Any thread may ask.
 */
final class Leases {
    private volatile List<Lease> leases = List.of();

    void add(Lease won) {
        leases = leases.isEmpty()
                ? List.of(won)
                : Stream.concat(leases.stream(), Stream.of(won)).toList();
    }

    void remove(Lease over) {
        leases = leases.equals(List.of(over))
                ? List.of()
                : leases.stream().filter(lease -> lease != over).toList();
    }

    boolean contains(Lease lease) {
        return leases.contains(lease);
    }

    boolean isEmpty() {
        return leases.isEmpty();
    }

    /** Returns whether one of them has not ended. */
    boolean isAnyAlive() {
        for (Lease lease : leases) {
            if (!lease.hasExpired()) {
                return true;
            }
        }
        return false;
    }

    /** Returns whether the first waiter should wait for one of them and not ask the store. */
    boolean isAnyWorthWaitingFor() {
        for (Lease lease : leases) {
            if (lease.isWorthWaitingFor()) {
                return true;
            }
        }
        return false;
    }

    /**
     * Returns what an acquire gets without a request: a dormant lease, or a part of one that others use; or null. A
     * single try waits for a release that is under way although the last holder's release has returned.
     */
    @Nullable
    Answer localAnswer(Patience patience, long lookAgainAt) {
        for (Lease lease : leases) {
            if (lease.dormancy.endForAcquire(patience)) {
                return new Answer.Kept(lease);
            }
            if (patience.isSingleTry() && lease.dormancy.goesBack() && leases.contains(lease)) {
                return new Answer.NotYet(lookAgainAt);
            }
            Handle joined = lease.join();
            if (joined != null) {
                return new Answer.Joined(joined);
            }
        }
        return null;
    }

    boolean isAnyHeldBy(long threadId) {
        for (Lease lease : leases) {
            if (lease.holds.isAnyOf(threadId)) {
                return true;
            }
        }
        return false;
    }

    Stream<Hold> holds() {
        return leases.stream().flatMap(lease -> lease.holds.stream());
    }
}

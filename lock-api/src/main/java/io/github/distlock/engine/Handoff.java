package io.github.distlock.engine;

import io.github.distlock.HandoffKind;
import io.github.distlock.spi.Moment;
import org.jspecify.annotations.Nullable;

/**
 * Offers a lease to waiters of its queue, one after the other: the whole lease after a release, or a part of it while
 * others use it.
 */
final class Handoff {
    private Handoff() {}

    /** A waiter. */
    interface Receiver {
        /** Takes the offered hold. Returns false if the waiter has another outcome. */
        boolean settleHandedOff(Handle offered);
    }

    /** The waiters of a queue. */
    interface Line {
        /** Returns the first waiter, or null. Needs no mutex. */
        @Nullable
        Receiver head();

        /** Removes the first waiter and returns it. Returns null if nobody waits, or if the queue lost the lease. */
        @Nullable
        Receiver pollFor(Lease lease);

        void wakeHead();
    }

    /**
     * Hands a lease without a hold to the first waiter that accepts it. Returns false if it stays without a hold. The
     * waiter reads the clocks again before it accepts.
     */
    static boolean all(Lease lease, Line line, Moment now) {
        while (line.head() != null && lease.mayBeHandedOff(now)) {
            Handle offered = lease.offer();
            if (offered == null) {
                return false;
            }
            Receiver next = line.pollFor(lease);
            if (next != null && next.settleHandedOff(offered)) {
                lease.event((listener, event) -> listener.handedOff(event, HandoffKind.LOCAL));
                // Reads the clock again: once the alarm of the lease has gone off, nothing else wakes the next waiter.
                if (!lease.isWorthWaitingFor()) {
                    line.wakeHead();
                }
                return true;
            }
            if (!offered.hold().refuse() || next == null) {
                return false;
            }
        }
        return false;
    }

    /** Lets all waiters join a lease that the caller uses, as long as it may be joined. */
    static void parts(Lease lease, Line line) {
        boolean polled = false;
        while (line.head() != null) {
            Handle joined = lease.join();
            if (joined == null) {
                // The waiter that a poll has made the first one sleeps, and has to ask the store now.
                if (polled) {
                    line.wakeHead();
                }
                return;
            }
            Receiver next = line.pollFor(lease);
            polled = true;
            if (next == null || !next.settleHandedOff(joined)) {
                joined.hold().decline();
            } else {
                noteJoin(lease);
            }
        }
    }

    static void noteJoin(Lease joined) {
        joined.event((listener, event) -> listener.handedOff(event, HandoffKind.JOINED));
    }
}

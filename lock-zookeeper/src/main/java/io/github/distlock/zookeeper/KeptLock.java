package io.github.distlock.zookeeper;

import io.github.distlock.LockStatus;
import io.github.distlock.spi.Deadline;
import io.github.distlock.zookeeper.Session.Node;
import io.github.distlock.zookeeper.Session.Unchecked;
import java.time.Duration;
import java.util.Optional;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.BadVersionException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.KeeperException.NoNodeException;

/**
 * A lock that is busy after its release or its loss: a persistent node in the place of the holder's node.
 *
 * <h2>Invariant</h2>
 *
 * While the node exists, it is the first of its queue. So every contender waits behind it, also one of another library.
 *
 * <h2>Protocol</h2>
 *
 * <em>Release.</em> One transaction deletes the holder's node and creates the kept one, with the number of the former.
 * No other contender can be first in between. The node belongs to no session, so it outlives its client. After a loss,
 * the node takes the place of a {@link Companion}.
 *
 * <p><em>End.</em> A contender behind the kept node compares two times of the leader: when the kept node was written,
 * and when the contender's own node was. If its own node is older than the attempt, the contender learns the leader's
 * time from a transaction that leaves nothing. If the time is over, it deletes the kept node, unless an operator has
 * changed the node since. Otherwise the second in the queue looks again after the rest, which it counts by its own
 * clock. So the clock of a client decides only when it asks, and not whether the time is over. The client that has
 * released the lock deletes the node, too, if it still runs: see {@link OwnKeptLocks}.
 *
 * <p><em>Other libraries.</em> The second in the queue may be a contender of another library, which never deletes the
 * node. So a waiter whose predecessor is of another library does what the second in the queue does. It does not watch
 * the first node, so it finds the kept one with its next {@link WaiterCheck}. A waiter behind one of this library
 * leaves this to its predecessor, so the end of a kept lock does not wake the whole queue.
 *
 * <p><em>Without contenders.</em> If the servers allow nodes with a time to live, the kept node is one, so that they
 * remove it some time after its end. They allow it with {@code zookeeper.extendedTypesEnabled}, which is not the
 * default. Otherwise the node stays until a client asks for the lock.
 *
 * <h2>Why no waiter takes the release for its grant</h2>
 *
 * For the second in a queue, the deletion of the first node may be the grant: see {@link PredecessorWatch}. A holder
 * that may keep its lock has a node of another name, whose deletion is no grant. Nor is the deletion of a kept node.
 *
 * @param path the path of the node
 * @param version the version of the data that this was read from
 * @param writtenAt when the node was written, by the clock of the leader, in milliseconds since 1970
 */
record KeptLock(String path, int version, long writtenAt, OwnerData data) {

    /** Returns a time in the unit of the ensemble, rounded up. */
    static Duration rounded(Duration time) {
        return Duration.ofMillis(time.plusNanos(999_999).toMillis());
    }

    /** Makes and sends a transaction that creates a kept node. */
    interface Creation {
        /** Sends it. The server removes the node by itself some time after its last change, unless that is zero. */
        Answer<Optional<Unchecked>> send(Duration ttl);
    }

    /**
     * Creates a kept node, which the server removes by itself if it can. The first refusal counts for the whole
     * session.
     *
     * @return the first refused operation, or empty
     */
    static Optional<Unchecked> create(Session session, Duration time, Deadline deadline, Creation creation)
            throws KeeperException, InterruptedException {
        if (session.mayHaveTtl()) {
            Optional<Unchecked> refused = creation.send(time).await(deadline);
            if (refused.isEmpty() || refused.get().code() != Code.UNIMPLEMENTED) {
                return refused;
            }
            session.refusesTtl();
        }
        return creation.send(Duration.ZERO).await(deadline);
    }

    /** Reads a kept node. */
    static KeptLock read(Session session, String path, Deadline deadline) throws KeeperException, InterruptedException {
        return of(path, session.read(path).await(deadline));
    }

    static KeptLock of(String path, Node node) {
        return new KeptLock(path, node.stat().getVersion(), node.stat().getMtime(), node.data());
    }

    /** Returns whether this is a {@link Companion} whose delay has not begun. */
    boolean isPending() {
        return data.keptFor().isZero() && !data.lockDelay().isZero();
    }

    /** Returns what is left at a time, in milliseconds since 1970; zero or less if the time is over. */
    Duration remaining(long now) {
        return isPending() ? data.lockDelay() : data.keptFor().minusMillis(now - writtenAt);
    }

    /** Deletes the node, unless it has changed since it was read. */
    void delete(Session session, Deadline deadline) throws KeeperException, InterruptedException {
        try {
            var unused = session.delete(path, version).await(deadline);
        } catch (NoNodeException | BadVersionException e) {
            // The next look at the queue shows what there is now.
        }
    }

    /** Returns what an inspector shows. It is empty if the time is over by the clock of this machine. */
    Optional<LockStatus.Kept> status(long now) {
        Duration remaining = remaining(now);
        return remaining.isNegative() || remaining.isZero()
                ? Optional.empty()
                : Optional.of(LockStatus.Kept.of(data.owner(), remaining));
    }
}

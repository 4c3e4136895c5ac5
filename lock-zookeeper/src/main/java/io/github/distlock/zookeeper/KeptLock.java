package io.github.distlock.zookeeper;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Deadline;
import io.github.distlock.zookeeper.Session.Node;
import java.time.Duration;
import java.util.Optional;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.BadVersionException;
import org.apache.zookeeper.KeeperException.NoNodeException;

/**
 * A lock that is busy after its release: a persistent node in the place of the holder's node.
 *
 * <h2>Invariant</h2>
 *
 * While the node exists, it is the first of its queue. So every contender waits behind it, also one of another library.
 *
 * <h2>Protocol</h2>
 *
 * <em>Release.</em> One transaction deletes the holder's node and creates the kept one, with the number of the former.
 * No other contender can be first in between. The node belongs to no session, so it outlives its client.
 *
 * <p><em>End.</em> The contender that is second in the queue compares two times of the leader: when the kept node was
 * written, and when the contender's own node was. If its own node is older than the attempt, the contender learns the
 * leader's time from a transaction that leaves nothing. If the time is over, it deletes the kept node, unless an
 * operator has changed the node since. Otherwise it looks again after the rest, which it counts by its own clock. So
 * the clock of a client decides only when it asks, and not whether the time is over. The client that has released the
 * lock deletes the node, too, if it still runs: see {@link OwnKeptLocks}.
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

    /** Returns the data of a kept node. */
    static byte[] data(LockOwner owner, Session session, Duration time) {
        return new OwnerData(owner, session.timeout(), 0, time).write();
    }

    /** Reads a kept node. */
    static KeptLock read(Session session, String path, Deadline deadline) throws KeeperException, InterruptedException {
        return of(path, session.read(path).await(deadline));
    }

    static KeptLock of(String path, Node node) {
        return new KeptLock(path, node.stat().getVersion(), node.stat().getMtime(), node.data());
    }

    /** Returns what is left at a time, in milliseconds since 1970; zero or less if the time is over. */
    Duration remaining(long now) {
        return data.keptFor().minusMillis(now - writtenAt);
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

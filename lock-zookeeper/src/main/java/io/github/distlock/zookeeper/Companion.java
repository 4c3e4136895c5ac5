package io.github.distlock.zookeeper;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.zookeeper.Session.Unchecked;
import java.time.Duration;
import java.util.Optional;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.KeeperException.NoNodeException;

/**
 * A persistent node beside the node of a holder with a lock delay. If the holder's node goes without it, the companion
 * becomes a {@link KeptLock}, and the delay begins.
 *
 * <h2>Invariant</h2>
 *
 * From before the grant is reported until the hold is released or the delay is over, the holder's node or its companion
 * exists. Both have the same number, so one of them is the first of the queue.
 *
 * <h2>Protocol</h2>
 *
 * <em>Grant.</em> When the contender has found that it is first, one transaction checks its node and creates the
 * companion. Only then the grant is reported. So there is no companion of a contender that has lost its node before.
 *
 * <p><em>Release.</em> One transaction deletes both nodes. If the holder's node is missing, the hold was lost, and the
 * companion stays. A client that knows that its hold is lost puts a kept node in the place of both nodes.
 *
 * <p><em>Loss.</em> The holder's node ends with its session, and no request of the client is needed. While the holder's
 * node exists, a {@link LockQueue} does not contain its companion. After that, the companion is the first of the queue.
 * Its data say how long the delay is, but not since when. A contender that finds it puts a kept node in its place, in
 * one transaction. The time of that transaction, by the leader's clock, is the beginning of the delay. What follows is
 * the end of every {@link KeptLock}. If several contenders have read the companion at the same time, the last of their
 * transactions counts.
 *
 * <h2>Why it is safe</h2>
 *
 * The holder's client trusts its hold no longer than its session exists. A listing with the companion and without the
 * holder's node shows that the session or the node has ended: the companion was created while the node existed, and no
 * node ever gets this path again. So the transaction that begins the delay comes after the last moment at which the
 * holder could believe that it held the lock. One clock measures the delay, except across an election.
 *
 * <h2>Why no lock stays busy</h2>
 *
 * Each contender that looks at the queue begins the delay, and deletes the kept node when it is over, as the class
 * comment of {@link KeptLock} says. So does a client that has lost its hold, as long as it runs: see
 * {@link OwnKeptLocks}. The servers do not record when a node has ended. So if nobody waits when the session ends, the
 * delay begins with the next contender. A companion whose grant was never reported costs the same. The contender that
 * has created it deletes it, if it still can.
 */
final class Companion {
    private Companion() {}

    /** Creates the companion of a contender that is first. Returns false if the contender's node does not exist. */
    static boolean create(Session session, String holder, LockRequest request, Deadline deadline)
            throws KeeperException, InterruptedException {
        Duration delay = KeptLock.rounded(request.lockDelay());
        OwnerData data = new OwnerData(request.owner(), session.timeout(), 0, Duration.ZERO, delay, "");
        Optional<Unchecked> refused =
                session.accompany(holder, NodeName.kept(holder), data.write()).await(deadline);
        // No other node has this path. If it exists, an earlier request has created it.
        if (refused.isPresent()
                && refused.get().code() != Code.NODEEXISTS
                && !refused.get().isMissing(holder)) {
            throw refused.get().failure();
        }
        return refused.isEmpty() || refused.get().code() == Code.NODEEXISTS;
    }

    /**
     * Deletes a holder's node and its companion in one transaction. Returns false if the holder's node does not exist.
     * Then the companion may be there.
     */
    static boolean release(Session session, String holder, Deadline deadline)
            throws KeeperException, InterruptedException {
        return isReleased(session, holder, sendRelease(session, holder), deadline);
    }

    /** Sends the same transaction, and does not wait for the answer. */
    static Answer<Optional<Unchecked>> sendRelease(Session session, String holder) {
        return session.release(holder, NodeName.kept(holder));
    }

    /** Waits for the answer, and returns the same as {@link #release}. */
    static boolean isReleased(Session session, String holder, Answer<Optional<Unchecked>> sent, Deadline deadline)
            throws KeeperException, InterruptedException {
        String companion = NodeName.kept(holder);
        Optional<Unchecked> refused = sent.await(deadline);
        if (refused.isPresent() && !refused.get().isMissing()) {
            throw refused.get().failure();
        }
        if (refused.isPresent() && refused.get().isMissing(companion)) {
            // Another program has deleted it, or the holder has not created it yet. The holder may do that until its
            // own node is deleted, and not afterwards.
            boolean ended = isDeleted(session, holder, deadline);
            if (ended) {
                var unused = isDeleted(session, companion, deadline);
            }
            return ended;
        }
        return refused.isEmpty();
    }

    /** Deletes a node. Returns false if it does not exist. */
    static boolean isDeleted(Session session, String path, Deadline deadline)
            throws KeeperException, InterruptedException {
        try {
            var unused = session.delete(path).await(deadline);
            return true;
        } catch (NoNodeException e) {
            return false;
        }
    }

    /** Lets the delay begin. Returns the delay, or zero if the node has changed since it was read. */
    static Duration begin(Session session, KeptLock pending, Deadline deadline)
            throws KeeperException, InterruptedException {
        Duration delay = pending.data().lockDelay();
        OwnerData found = pending.data();
        byte[] data = new OwnerData(found.owner(), found.sessionTimeout(), 0, delay).write();
        Optional<Unchecked> refused =
                KeptLock.create(session, delay, deadline, ttl -> session.replaceKept(pending, data, ttl));
        if (refused.isPresent()
                && refused.get().code() != Code.BADVERSION
                && !refused.get().isMissing()) {
            throw refused.get().failure();
        }
        return refused.isPresent() ? Duration.ZERO : delay;
    }
}

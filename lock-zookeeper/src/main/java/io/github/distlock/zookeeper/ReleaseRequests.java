package io.github.distlock.zookeeper;

import io.github.distlock.LockOwner;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.zookeeper.Session.Node;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.BadVersionException;
import org.apache.zookeeper.KeeperException.NoNodeException;

/**
 * Requests to release locks. The data of a lock's directory have the last one: who asks, and the greatest fencing base
 * of the holders at that time. They go with the directory, which the server removes when it is empty.
 *
 * <p><b>For which holds a request is.</b> For each one whose base is not greater. If it is still there, it was there
 * when the request came, because later holders have greater bases. A waiter's node has been created after that of the
 * last holder, and a writer that becomes a reader keeps its base.
 *
 * <p><b>No request is overwritten unseen.</b> A client reads the directory, then the holders, and then writes the data,
 * if they are still those that it has read. So of two requests, the later one knows the holders of the earlier one or
 * their successors. Data of another program stay: the request is refused.
 *
 * <p><b>When a request came.</b> The leader's clock dates the data. A client that finds another request learns the time
 * of the leader from a transaction that leaves nothing.
 *
 * <p><b>A sticky hold</b> needs no holder that listens. A transaction that creates a node and deletes it notifies its
 * client, as a contender's node does: see {@link OthersWatch}.
 */
final class ReleaseRequests {
    private ReleaseRequests() {}

    /** Stores a request, and returns for how many holds it is. */
    static int send(LockDirectory directory, Session session, LockOwner requester, Deadline deadline)
            throws KeeperException, InterruptedException {
        Inspection inspection = new Inspection(directory, session, deadline);
        while (true) {
            try {
                Node before = session.read(directory.path()).await(deadline);
                requireOwnData(directory, before);
                List<String> names = inspection.queue().holders();
                Map<String, Node> holders = inspection.read(names);
                if (holders.isEmpty() && !names.isEmpty()) {
                    // Others may hold the lock now, or a writer may have become a reader.
                    continue;
                }
                holders.values().removeIf(node -> !isHolder(node));
                if (holders.isEmpty()) {
                    return 0;
                }
                long base = holders.values().stream()
                        .mapToLong(Inspection::base)
                        .max()
                        .orElseThrow();
                byte[] data = new OwnerData(requester, Duration.ZERO, base).write();
                var unused = session.write(directory.path(), data, before.stat().getVersion())
                        .await(deadline);
                notifySticky(directory, session, holders.keySet());
                return holders.size();
            } catch (BadVersionException e) {
                // Another client has asked meanwhile.
            } catch (NoNodeException e) {
                return 0;
            }
        }
    }

    /** Does not wait for the answer: without the event, the client gives a dormant hold back within a second. */
    private static void notifySticky(LockDirectory directory, Session session, Set<String> holders) {
        if (holders.stream().anyMatch(NodeName::isSticky)) {
            var unused = session.leaderTime(directory.path());
        }
    }

    /** Returns whether a node is that of a holder who can hear of requests. Other programs cannot. */
    private static boolean isHolder(Node node) {
        OwnerData data = node.data();
        return !data.isForeign() && data.keptFor().isZero() && data.lockDelay().isZero();
    }

    private static void requireOwnData(LockDirectory directory, Node present) {
        if (present.stat().getDataLength() > 0 && present.data().base() == 0) {
            throw new RequestRefusedException(
                    "lock \"" + directory.lockName() + "\": the node " + directory.path()
                            + " has data of another program, which a request for release would replace",
                    null);
        }
    }

    /** Reads the requests for holds of a session. */
    static Map<Grant, RequestedRelease> read(Session session, Collection<? extends Grant> grants, Deadline deadline)
            throws KeeperException, InterruptedException {
        Map<ZooKeeperGrant, Answer<Node>> reads = new HashMap<>();
        Map<String, Answer<Node>> directories = new HashMap<>();
        for (Grant each : grants) {
            ZooKeeperGrant grant = (ZooKeeperGrant) each;
            if (grant.isOf(session)) {
                String directory = LockPaths.parent(grant.path());
                reads.put(grant, directories.computeIfAbsent(directory, session::read));
            }
        }
        Map<Grant, RequestedRelease> found = new HashMap<>();
        for (Map.Entry<ZooKeeperGrant, Answer<Node>> read : reads.entrySet()) {
            try {
                Node directory = read.getValue().await(deadline);
                if (directory.data().base() >= read.getKey().fencingBase()) {
                    found.put(read.getKey(), read.getKey().requested(directory, deadline));
                }
            } catch (NoNodeException e) {
                // The hold has ended with its node.
            }
        }
        return found;
    }
}

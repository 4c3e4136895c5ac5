package io.github.distlock.zookeeper;

import static java.util.Objects.requireNonNull;

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
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.BadVersionException;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.data.Stat;

/**
 * Requests to release locks. The data of a lock's directory have the last one: who asks, and the greatest fencing base
 * of the holders at that time. They go with the directory, which the server removes when it is empty.
 *
 * <p><b>For which holds a request is.</b> For each one whose base is not greater. If it is still there, it was there
 * when the request came, because later holders have greater bases. A waiter's node has been created after that of the
 * last holder, and a writer that becomes a reader keeps its base.
 *
 * <p><b>For holds that begin meanwhile.</b> Behind the write, the client lists the holders again. If there is another
 * one, its hold may have begun between the first listing and the write. So the client writes the request once more,
 * with the base of this hold. Both writes have one id. So a holder that has read the first one hears of the request
 * once.
 *
 * <p><b>No request is overwritten unseen.</b> A client reads the directory, then the holders, and then writes the data,
 * if they are still those that it has read. So of two requests, the later one knows the holders of the earlier one or
 * their successors. Data of another program stay: the request is refused.
 *
 * <p><b>When a request came.</b> The leader's clock dates the data. A client that finds another request learns the time
 * of the leader from a transaction that leaves nothing. All these transactions are sent before the first answer.
 *
 * <p><b>A sticky hold</b> needs no holder that listens. A transaction that creates a node and deletes it notifies its
 * client, as a contender's node does: see {@link OthersWatch}.
 */
final class ReleaseRequests {
    private ReleaseRequests() {}

    /** Stores a request, and returns for how many holds it is. */
    static int send(LockDirectory directory, Session session, LockOwner requester, Deadline deadline)
            throws KeeperException, InterruptedException {
        return new Sending(directory, session, requester, deadline).send();
    }

    /** One request. */
    private static final class Sending {
        private final LockDirectory directory;
        private final Session session;
        private final LockOwner requester;
        private final Deadline deadline;
        private final Inspection inspection;
        private final String id = UUID.randomUUID().toString();

        Sending(LockDirectory directory, Session session, LockOwner requester, Deadline deadline) {
            this.directory = directory;
            this.session = session;
            this.requester = requester;
            this.deadline = deadline;
            this.inspection = new Inspection(directory, session, deadline);
        }

        int send() throws KeeperException, InterruptedException {
            while (true) {
                try {
                    Node before = session.read(directory.path()).await(deadline);
                    requireOwnData(directory, before);
                    List<String> names = inspection.queue().holders();
                    Map<String, Node> nodes = inspection.read(names);
                    if (nodes.isEmpty() && !names.isEmpty()) {
                        // Others may hold the lock now, or a writer may have become a reader.
                        continue;
                    }
                    nodes.values().removeIf(node -> !isHolder(node));
                    if (nodes.isEmpty()) {
                        return 0;
                    }
                    Answer<Stat> written = write(nodes, before.stat().getVersion());
                    QueueLook look = QueueLook.send(directory, session);
                    int version = written.await(deadline).getVersion();
                    addMissed(nodes, look, version);
                    notifySticky(directory, session, nodes.keySet());
                    return nodes.size();
                } catch (BadVersionException e) {
                    // Another client has asked meanwhile.
                } catch (NoNodeException e) {
                    return 0;
                }
            }
        }

        private Answer<Stat> write(Map<String, Node> holders, int version) {
            byte[] data = new OwnerData(
                            requester, Duration.ZERO, greatestBase(holders), Duration.ZERO, Duration.ZERO, id)
                    .write();
            return session.write(directory.path(), data, version);
        }

        /** Writes again if a hold has begun between the listing and the write. */
        private void addMissed(Map<String, Node> holders, QueueLook look, int version)
                throws KeeperException, InterruptedException {
            try {
                List<String> present = look.await(null, deadline).holders();
                Map<String, Node> missed = inspection.read(present.stream()
                        .filter(name -> !holders.containsKey(name))
                        .toList());
                missed.values().removeIf(node -> !isHolder(node));
                if (!missed.isEmpty() && greatestBase(missed) > greatestBase(holders)) {
                    holders.keySet().retainAll(present);
                    holders.putAll(missed);
                    var unused = write(holders, version).await(deadline);
                }
            } catch (BadVersionException | NoNodeException e) {
                // Another client has asked meanwhile, and has seen the same holders. Or all holds have ended.
            }
        }
    }

    private static long greatestBase(Map<String, Node> holders) {
        return holders.values().stream().mapToLong(Inspection::base).max().orElseThrow();
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
        Map<ZooKeeperGrant, Node> notKnown = new HashMap<>();
        for (Map.Entry<ZooKeeperGrant, Answer<Node>> read : reads.entrySet()) {
            ZooKeeperGrant grant = read.getKey();
            try {
                Node directory = read.getValue().await(deadline);
                Optional<RequestedRelease> known = grant.known(directory);
                if (known.isPresent()) {
                    found.put(grant, known.get());
                } else if (directory.data().base() >= grant.fencingBase()) {
                    notKnown.put(grant, directory);
                }
            } catch (NoNodeException e) {
                // The hold has ended with its node.
            }
        }
        Map<String, Answer<Long>> times = new HashMap<>();
        for (ZooKeeperGrant grant : notKnown.keySet()) {
            var unused = times.computeIfAbsent(LockPaths.parent(grant.path()), session::leaderTime);
        }
        for (Map.Entry<ZooKeeperGrant, Node> noted : notKnown.entrySet()) {
            ZooKeeperGrant grant = noted.getKey();
            try {
                long now = requireNonNull(times.get(LockPaths.parent(grant.path())))
                        .await(deadline);
                found.put(grant, grant.requested(noted.getValue(), now));
            } catch (NoNodeException e) {
                // As above.
            }
        }
        return found;
    }
}

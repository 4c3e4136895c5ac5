package io.github.distlock.zookeeper;

import static java.util.Objects.requireNonNull;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.zookeeper.Session.Created;
import java.util.UUID;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.jspecify.annotations.Nullable;

/**
 * The node of one contender, from the sending of its creation until the node certainly does not exist.
 *
 * <h2>Invariant</h2>
 *
 * A contender has at most one node, and never uses a node of another session.
 *
 * <h2>Why a contender has at most one node</h2>
 *
 * The contender sends a creation only if the node {@linkplain #isAbsent is absent}. If the answer is late, the
 * contender continues to wait for that answer, and sends no other creation. If the answer is lost with its connection,
 * the outcome of the creation is unknown. Then the contender sends a {@code sync}, and searches the directory for its
 * GUID.
 *
 * <p>After the {@code sync}, the server that lists the directory knows each creation that the leader has accepted. If
 * the leader has not accepted the creation by then, it never accepts it. By reconnecting, the client has moved the
 * session, and the leader refuses requests over the former connection.
 *
 * <h2>Why a contender uses no node of another session</h2>
 *
 * The client cannot know when the ensemble removes a node of an earlier session. So the contender deletes such a node,
 * and never adopts it. Its next node has a new GUID.
 *
 * <p>Only one thread at a time uses a node.
 */
final class QueueNode {
    private final LockDirectory directory;
    private String guid = newGuid();
    private @Nullable Session session;
    private @Nullable Answer<Created> creation;
    private @Nullable Created created;
    /** Whether the node may have a {@link Companion}. */
    private boolean accompanied;

    QueueNode(LockDirectory directory) {
        this.directory = directory;
    }

    private static String newGuid() {
        return UUID.randomUUID().toString();
    }

    /** Returns whether the node certainly does not exist. */
    boolean isAbsent() {
        return creation == null;
    }

    boolean isOfEarlierSession(Session present) {
        return creation != null && session != present;
    }

    /** Returns the node as the server created it, or null if the contender does not know it. */
    @Nullable
    Created created() {
        return created;
    }

    /** Sends the creation of the node, and does not wait for the answer. */
    void sendCreation(Session present, LockRequest request) {
        session = present;
        creation = directory.createQueueNode(present, guid, request);
    }

    /**
     * Waits for the answer to the creation, and searches the directory if that answer is lost.
     *
     * @return the node as the server created it, or null if it does not exist
     * @throws KeeperException if the creation has failed, or if its outcome is still unknown
     */
    @Nullable
    Created find(Session present, Deadline deadline) throws KeeperException, InterruptedException {
        Answer<Created> sent = creation;
        if (sent == null || created != null) {
            return created;
        }
        try {
            created = sent.await(deadline);
        } catch (KeeperException e) {
            if (!Failures.isUnknownOutcome(e)) {
                creation = null;
                throw e;
            }
            if (!sent.isDone()) {
                throw e;
            }
            created = search(present, deadline);
            if (created == null) {
                forget();
            }
        }
        return created;
    }

    private @Nullable Created search(Session present, Deadline deadline) throws KeeperException, InterruptedException {
        var synced = present.sync(directory.path());
        QueueLook look = QueueLook.send(directory, present);
        try {
            var unused = synced.await(deadline);
            for (String child : look.await(null, deadline).names()) {
                if (child.contains(guid)) {
                    String path = directory.child(child);
                    var stat = present.read(path).await(deadline).stat();
                    return Created.of(path, stat);
                }
            }
        } catch (NoNodeException e) {
            return null;
        }
        return null;
    }

    /** Creates the {@link Companion} of a node that is known. Returns false if the node does not exist. */
    boolean accompany(Session present, LockRequest request, Deadline deadline)
            throws KeeperException, InterruptedException {
        accompanied = true;
        return Companion.create(present, requireNonNull(created).path(), request, deadline);
    }

    /**
     * Deletes the node and its {@link Companion}, if the server has created them. Safe to repeat after an unknown
     * outcome. The node goes first, because no companion can follow then.
     */
    void remove(Session present, Deadline deadline) throws KeeperException, InterruptedException {
        Created known = null;
        try {
            known = find(present, deadline);
        } catch (KeeperException e) {
            if (creation != null) {
                throw e;
            }
        }
        if (known != null) {
            var unused = Companion.isDeleted(present, known.path(), deadline);
        }
        if (known != null && accompanied) {
            var unused = Companion.isDeleted(present, NodeName.kept(known.path()), deadline);
        }
        forget();
    }

    /** Notes that the node certainly does not exist. */
    void forget() {
        creation = null;
        created = null;
        accompanied = false;
        guid = newGuid();
    }
}

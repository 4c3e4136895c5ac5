package io.github.distlock.zookeeper;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.zookeeper.Session.Unchecked;
import java.util.Optional;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.KeeperException.NodeExistsException;

/**
 * The parent of all nodes of one lock: a container node. The server removes it some time after its last child was
 * deleted. A contender that needs it creates it again.
 */
record LockDirectory(Connection connection, String lockName, String path) {

    /** Sends the creation of a contender's node. */
    Answer<Session.Created> createQueueNode(Session session, String guid, LockRequest request) {
        byte[] data = new OwnerData(request.owner(), session.timeout()).write();
        return session.create(child(NodeName.prefix(guid, request)), data, CreateMode.EPHEMERAL_SEQUENTIAL);
    }

    /**
     * Checks that the client may create, read and delete nodes here, once for each session. Otherwise a client could
     * acquire a lock that it can neither keep nor release. A client of permits also writes the data of its nodes.
     *
     * @throws NoNodeException if this directory does not exist
     * @throws KeeperException if a right is missing, or if there is no answer
     */
    void requireRights(Session session, LockMode mode, Deadline deadline) throws KeeperException, InterruptedException {
        boolean writes = mode.kind() == LockMode.Kind.PERMITS;
        String tried = writes ? child("permits") : path;
        if (!session.usable().contains(tried)) {
            Optional<Unchecked> refused = session.tryRights(path, writes).await(deadline);
            if (refused.isPresent()) {
                throw refused.get().failure();
            }
            var unused = session.usable().add(tried);
        }
    }

    /**
     * Logs a warning, once for each session, if the directory has numbered nodes of a kind that this client does not
     * know. It waits behind such nodes, but their programs may not wait behind its own. Does the same if a client has
     * another limit of permits.
     */
    void warn(Session session, LockQueue queue, LockMode mode) {
        queue.unknown()
                .ifPresent(child -> session.warnOnce(
                        path,
                        "lock \"" + lockName + "\": " + path + " has the node " + child
                                + " of another program; that program may not respect the nodes of this client"));
        if (mode.kind() == LockMode.Kind.PERMITS) {
            queue.otherLimit(mode)
                    .ifPresent(limit -> session.warnOnce(
                            child("permits"),
                            "semaphore \"" + lockName + "\": this client has a limit of " + mode.limit()
                                    + " permits, and another client has " + limit
                                    + "; each request is granted by the limit of its own client"));
        }
    }

    String child(String name) {
        return path + "/" + name;
    }

    /**
     * Creates this directory and its missing ancestors.
     *
     * @throws RequestRefusedException if the chroot of the connection does not exist
     */
    void create(Session session, Deadline deadline) throws KeeperException, InterruptedException {
        create(session, path, deadline);
    }

    private void create(Session session, String directory, Deadline deadline)
            throws KeeperException, InterruptedException {
        try {
            createOne(session, directory, deadline);
        } catch (NoNodeException e) {
            String parent = LockPaths.parent(directory);
            if (parent.equals("/")) {
                throw new RequestRefusedException(
                        "lock \"" + lockName + "\": the request to ZooKeeper failed: " + e.getMessage()
                                + "; the chroot of the connection does not exist",
                        e);
            }
            create(session, parent, deadline);
            // The server may have deleted the parent again, because it is empty.
            create(session, directory, deadline);
        }
    }

    private void createOne(Session session, String directory, Deadline deadline)
            throws KeeperException, InterruptedException {
        try {
            Session.Created created =
                    session.create(directory, new byte[0], CreateMode.CONTAINER).await(deadline);
            assert created.path().equals(directory);
        } catch (NodeExistsException e) {
            // Another client has created the directory.
        }
    }
}

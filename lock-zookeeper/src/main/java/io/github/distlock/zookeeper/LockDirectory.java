package io.github.distlock.zookeeper;

import io.github.distlock.LockOwner;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.zookeeper.Session.Unchecked;
import java.util.List;
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
    private static final String PLAIN = "-lock-";
    private static final String MINIMUM = "-minimum-lock-";
    private static final String KEPT = "-kept-lock-";

    /**
     * Sends the creation of a contender's node. The layout is that of Curator's {@code InterProcessMutex}.
     *
     * @param mayBeKept whether a release may put the node of a {@link KeptLock} in its place
     */
    Answer<Session.Created> createQueueNode(Session session, String guid, LockOwner owner, boolean mayBeKept) {
        String prefix = path + "/_c_" + guid + (mayBeKept ? MINIMUM : PLAIN);
        byte[] data = new OwnerData(owner, session.timeout()).write();
        return session.create(prefix, data, CreateMode.EPHEMERAL_SEQUENTIAL);
    }

    /**
     * Checks that the client may create, read and delete nodes here, once for each session. Otherwise a client could
     * acquire a lock that it can neither keep nor release.
     *
     * @throws NoNodeException if this directory does not exist
     * @throws KeeperException if a right is missing, or if there is no answer
     */
    void requireRights(Session session, Deadline deadline) throws KeeperException, InterruptedException {
        if (!session.usable().contains(path)) {
            Optional<Unchecked> refused = session.tryRights(path).await(deadline);
            if (refused.isPresent()) {
                throw refused.get().failure();
            }
            var unused = session.usable().add(path);
        }
    }

    /**
     * Logs a warning, once for each session, if the directory has numbered nodes of another kind than mutexes. This
     * client waits behind such nodes, but their programs may not wait behind its own.
     */
    void warnOfOtherKinds(Session session, List<String> queue) {
        for (String child : queue) {
            if (!Sequence.isMutex(child)) {
                session.warnOfShared(
                        path,
                        "lock \"" + lockName + "\": " + path + " has the node " + child
                                + " of another program; that program may not respect the nodes of this client");
                return;
            }
        }
    }

    /**
     * Returns whether a name is that of a node of an exclusive lock, in Curator's layout or ours. No client creates
     * such a node with a number that it chooses, and no other node takes its place.
     */
    static boolean isPlain(String name) {
        return hasKind(name, PLAIN) && !hasKind(name, MINIMUM) && !isKept(name);
    }

    /** Returns whether a name is that of the node of a {@link KeptLock}. */
    static boolean isKept(String name) {
        return hasKind(name, KEPT);
    }

    private static boolean hasKind(String name, String kind) {
        return name.startsWith(kind, name.length() - kind.length() - Sequence.DIGITS);
    }

    /** Returns the path of the node that takes the place of a holder's node, with the number of that node. */
    static String keptPath(String holder) {
        return holder.replace(MINIMUM, KEPT);
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
            createOne(session, directory, deadline);
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

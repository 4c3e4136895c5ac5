package io.github.distlock.zookeeper;

import io.github.distlock.LockOwner;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.RequestRefusedException;
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

    /** Sends the creation of a contender's node. The layout is that of Curator's {@code InterProcessMutex}. */
    Answer<Session.Created> createQueueNode(Session session, String guid, LockOwner owner) {
        String prefix = path + "/_c_" + guid + PLAIN;
        byte[] data = new OwnerData(owner, session.timeout()).write();
        return session.create(prefix, data, CreateMode.EPHEMERAL_SEQUENTIAL);
    }

    /**
     * Returns whether a name is that of a node of an exclusive lock, in Curator's layout or ours. No client creates
     * such a node with a number that it chooses.
     */
    static boolean isPlain(String name) {
        return name.startsWith(PLAIN, name.length() - PLAIN.length() - Sequence.DIGITS);
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

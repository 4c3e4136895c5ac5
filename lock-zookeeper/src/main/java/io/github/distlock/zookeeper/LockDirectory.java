package io.github.distlock.zookeeper;

import io.github.distlock.LockOwner;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.RequestRefusedException;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.KeeperException.NodeExistsException;

/**
 * The parent of all places of one lock: a container node, which the server removes some time after the last place is
 * gone, and which is made again when it is needed.
 */
record LockDirectory(Connection connection, String lockName, String path) {

    /** Asks for a place in the queue. Curator's layout, so that its {@code InterProcessMutex} takes part. */
    Answer<Session.Created> createPlace(Session session, String guid, LockOwner owner) {
        String place = path + "/_c_" + guid + "-lock-";
        byte[] data = new OwnerData(owner, session.timeout()).write();
        return session.create(place, data, connection.acl(place), CreateMode.EPHEMERAL_SEQUENTIAL);
    }

    String child(String name) {
        return path + "/" + name;
    }

    /** Makes this directory and whatever is missing above it. */
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
                        "lock \"" + lockName + "\": ZooKeeper says " + e.getMessage()
                                + "; the root of the connection, its chroot, does not exist",
                        e);
            }
            create(session, parent, deadline);
            createOne(session, directory, deadline);
        }
    }

    private void createOne(Session session, String directory, Deadline deadline)
            throws KeeperException, InterruptedException {
        try {
            Session.Created made = session.create(
                            directory, new byte[0], connection.acl(directory), CreateMode.CONTAINER)
                    .await(deadline);
            assert made.path().equals(directory);
        } catch (NodeExistsException e) {
            // Somebody else was faster, which is as good.
        }
    }
}

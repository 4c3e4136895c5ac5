package io.github.distlock.zookeeper;

import io.github.distlock.LockOwner;
import io.github.distlock.spi.Deadline;
import io.github.distlock.zookeeper.Session.Created;
import java.util.List;
import java.util.UUID;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.jspecify.annotations.Nullable;

/**
 * One contender's own node, from the moment its creation is sent until it is certainly gone.
 *
 * <p><b>Never two.</b> A creation is sent only while {@link #isAbsent}. A late answer is waited for, not replaced: the
 * future stays. An answer that is lost with its connection leaves the outcome open; then the GUID in the node's name
 * tells, after a {@code sync}, so that a creation which the leader has accepted is seen by whatever server is asked.
 * One that it has not accepted by then never is: reconnecting moves the session, and the leader refuses what comes over
 * its former connection.
 *
 * <p><b>Never another's.</b> A node of an earlier session disappears at a time that is not ours to know. It is removed,
 * never adopted, and the next one gets a new GUID.
 */
final class QueueNode {
    private final LockDirectory directory;
    private String guid = newGuid();
    private @Nullable Session session;
    private volatile @Nullable Answer<Created> creation;
    private volatile @Nullable Created created;

    QueueNode(LockDirectory directory) {
        this.directory = directory;
    }

    private static String newGuid() {
        return UUID.randomUUID().toString();
    }

    /** Whether there certainly is no node. */
    boolean isAbsent() {
        return creation == null;
    }

    boolean isOfEarlierSession(Session present) {
        return creation != null && session != present;
    }

    /** Its path, once that is known. From any thread. */
    @Nullable
    String path() {
        Created known = created;
        return known == null ? null : known.path();
    }

    void sendCreation(Session present, LockOwner owner) {
        session = present;
        creation = directory.createPlace(present, guid, owner);
    }

    /** The node as it was made, or null when there is none. */
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
        Answer<List<String>> listing = present.children(directory.path());
        try {
            synced.await(deadline);
            for (String child : listing.await(deadline)) {
                if (child.contains(guid)) {
                    String path = directory.child(child);
                    var stat = present.read(path, null).await(deadline).stat();
                    return new Created(path, stat.getCzxid(), stat.getEphemeralOwner());
                }
            }
        } catch (NoNodeException e) {
            return null;
        }
        return null;
    }

    /** Removes it, whatever became of it. Safe to repeat. */
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
            try {
                present.delete(known.path()).await(deadline);
            } catch (NoNodeException e) {
                // That is what is wanted.
            }
        }
        forget();
    }

    /** It is certainly gone. */
    void forget() {
        creation = null;
        created = null;
        guid = newGuid();
    }
}

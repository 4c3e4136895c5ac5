package io.github.distlock.zookeeper;

import static java.util.Objects.requireNonNull;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.zookeeper.Session.Created;
import java.util.List;
import java.util.OptionalInt;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Stat;
import org.jspecify.annotations.Nullable;

/**
 * A look at the queue of a lock, under way.
 *
 * <h2>Which request it sends</h2>
 *
 * If the session has seen other contenders in the directory, the look lists the directory. Otherwise it asks for the
 * directory's {@code Stat}, which has a constant length. The {@code Stat} has the number of children, and the number of
 * the transaction that last created or deleted a child. If the directory has one child, and this transaction created
 * the contender's own node, then that node is the only one. Otherwise the look lists the directory afterwards.
 *
 * <h2>Long queues</h2>
 *
 * ZooKeeper's client ends its connection if a reply is too long. All holds of the client would be in doubt, and the
 * repeated request would do the same again. So the look does not list a directory before a {@code Stat} has shown that
 * the reply is short enough, unless the directory had at most half as many children when the session saw it last.
 */
final class QueueLook {
    /** The longest name, that of permits, takes 84 bytes in a reply. */
    private static final int BYTES_PER_CHILD = 85;

    private final LockDirectory directory;
    private final Session session;
    private final @Nullable Answer<List<String>> listing;
    private final @Nullable Answer<Stat> stat;

    private QueueLook(
            LockDirectory directory,
            Session session,
            @Nullable Answer<List<String>> listing,
            @Nullable Answer<Stat> stat) {
        this.directory = directory;
        this.session = session;
        this.listing = listing;
        this.stat = stat;
    }

    /** Sends the first request, and does not wait for the answer. */
    static QueueLook send(LockDirectory directory, Session session) {
        String path = directory.path();
        return maySkipStat(session, path)
                ? new QueueLook(directory, session, session.children(path), null)
                : new QueueLook(directory, session, null, session.exists(path));
    }

    /** Returns whether a session has seen other contenders in a directory, and few enough to list them at once. */
    static boolean maySkipStat(Session session, String path) {
        OptionalInt seen = session.seenQueues().count(path);
        return seen.isPresent() && seen.getAsInt() <= mostChildren(session) / 2;
    }

    private static int mostChildren(Session session) {
        return session.longestReply() / BYTES_PER_CHILD;
    }

    /** Waits until there is an answer or the deadline has passed. */
    void awaitArrival(Deadline deadline) throws InterruptedException {
        (listing != null ? listing : requireNonNull(stat)).awaitArrival(deadline);
    }

    /**
     * Waits for the answer, and lists the directory if necessary.
     *
     * @param own the node that the contender had when it sent this look, or null if it had none
     * @return all contenders
     * @throws RequestRefusedException if the directory has too many children for a reply
     */
    LockQueue await(@Nullable Created own, Deadline deadline) throws KeeperException, InterruptedException {
        SeenQueues seen = session.seenQueues();
        try {
            List<String> children = children(own, deadline);
            if (own != null && children.equals(List.of(own.name()))) {
                seen.forget(directory.path());
            } else {
                seen.note(directory.path(), children.size());
            }
            return LockQueue.of(children);
        } catch (KeeperException e) {
            seen.forget(directory.path());
            throw e;
        }
    }

    private List<String> children(@Nullable Created own, Deadline deadline)
            throws KeeperException, InterruptedException {
        if (listing != null) {
            return listing.await(deadline);
        }
        Stat found = requireNonNull(stat).await(deadline);
        if (own != null && found.getNumChildren() == 1 && found.getPzxid() == own.czxid()) {
            return List.of(own.name());
        }
        if (found.getNumChildren() > mostChildren(session)) {
            throw new RequestRefusedException(
                    "lock \"" + directory.lockName() + "\": " + directory.path() + " has " + found.getNumChildren()
                            + " nodes, and ZooKeeper's client accepts no list of more than " + mostChildren(session)
                            + "; the client's jute.maxbuffer of " + session.longestReply() + " bytes limits it",
                    null);
        }
        return session.children(directory.path()).await(deadline);
    }
}

package io.github.distlock.zookeeper;

import io.github.distlock.LockStatus;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockNames;
import io.github.distlock.spi.RequestRefusedException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.data.Stat;

/**
 * Lists the names of locks: the directories below the base path that have the node of a contender. The servers keep the
 * directory of a free lock for a while, so this class looks into each directory. A page is {@value #PAGE} directories
 * in the order of their paths, whose requests are sent back to back.
 *
 * <p>ZooKeeper sends all children of the base path in one reply, and its client ends its connection if a reply is too
 * long. So a base path with too many children is refused before it is listed.
 */
final class NameListing {
    private static final int PAGE = 500;
    /** A name of 60 bytes takes 64 bytes in a reply. */
    private static final int BYTES_PER_CHILD = 64;

    private final Connection connection;
    private final Session session;
    private final LockPaths.Below paths;
    private final Deadline deadline;

    /** Sends nothing yet. */
    NameListing(Connection connection, Session session, LockPaths.Below paths, Deadline deadline) {
        this.connection = connection;
        this.session = session;
        this.paths = paths;
        this.deadline = deadline;
    }

    /**
     * Returns the names that begin with a prefix and whose path elements come after a position.
     *
     * @throws RequestRefusedException if the base path has too many children for a reply
     */
    LockNames page(String prefix, String position) throws KeeperException, InterruptedException {
        Map<String, String> names = new LinkedHashMap<>();
        for (String element : children().stream().sorted().toList()) {
            Optional<String> name = LockPaths.decode(element);
            if (element.compareTo(position) > 0
                    && name.filter(decoded -> decoded.startsWith(prefix)).isPresent()) {
                if (names.size() == PAGE) {
                    return LockNames.page(
                            inUse(names.values()), List.copyOf(names.keySet()).get(PAGE - 1));
                }
                names.put(element, name.get());
            }
        }
        return LockNames.last(inUse(names.values()));
    }

    private List<String> children() throws KeeperException, InterruptedException {
        String base = connection.fullPath(paths.base());
        try {
            Stat stat = session.exists(base).await(deadline);
            int most = session.longestReply() / BYTES_PER_CHILD;
            if (stat.getNumChildren() > most) {
                throw new RequestRefusedException(
                        base + " has " + stat.getNumChildren()
                                + " children, and locks cannot be listed if there are more"
                                + " than " + most + "; the client's jute.maxbuffer of " + session.longestReply()
                                + " bytes limits it",
                        null);
            }
            return session.children(base).await(deadline);
        } catch (NoNodeException e) {
            return List.of();
        }
    }

    private List<String> inUse(Iterable<String> names) throws KeeperException, InterruptedException {
        Map<LockDirectory, QueueLook> looks = new LinkedHashMap<>();
        for (String name : names) {
            LockDirectory directory = new LockDirectory(connection, name, connection.fullPath(paths.apply(name)));
            looks.put(directory, QueueLook.send(directory, session));
        }
        List<String> found = new ArrayList<>();
        for (Map.Entry<LockDirectory, QueueLook> look : looks.entrySet()) {
            if (isInUse(look.getKey(), look.getValue())) {
                found.add(look.getKey().lockName());
            }
        }
        return found;
    }

    private boolean isInUse(LockDirectory directory, QueueLook look) throws KeeperException, InterruptedException {
        try {
            LockQueue queue = look.await(null, deadline);
            if (queue.isEmpty() || !NodeName.isKept(queue.names().get(0))) {
                return !queue.isEmpty();
            }
            // The node of a kept lock may be there after its time.
            LockStatus status = new Inspection(directory, session, deadline).status();
            return status.kept().isPresent() || !status.waiters().isEmpty();
        } catch (NoNodeException e) {
            return false;
        }
    }
}

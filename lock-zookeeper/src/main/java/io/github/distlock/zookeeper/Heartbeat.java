package io.github.distlock.zookeeper;

import io.github.distlock.spi.Deadline;
import io.github.distlock.zookeeper.Session.Node;
import io.github.distlock.zookeeper.Session.Unchecked;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;

/**
 * A heartbeat: a write that proves that a session is alive. It is a transaction that only checks one node of the
 * session. So a heartbeat has the same length for any number of nodes.
 *
 * <p>If that node does not exist, the heartbeat reads all others, and repeats the transaction with one that exists.
 */
final class Heartbeat {
    private Heartbeat() {}

    /**
     * Sends a heartbeat, and waits for the answer. Sends nothing if there are no nodes.
     *
     * @param paths nodes of the session
     * @param unchecked receives each node that was found not to exist, or that the client must not read
     */
    static void send(Session session, Collection<String> paths, Deadline deadline, Consumer<Unchecked> unchecked)
            throws KeeperException, InterruptedException {
        List<String> candidates = List.copyOf(paths);
        while (!candidates.isEmpty()) {
            Optional<Unchecked> failed = session.check(candidates.get(0)).await(deadline);
            if (failed.isEmpty()) {
                return;
            }
            unchecked.accept(failed.get());
            candidates = readable(session, candidates.subList(1, candidates.size()), deadline, unchecked);
        }
    }

    private static List<String> readable(
            Session session, List<String> paths, Deadline deadline, Consumer<Unchecked> unchecked)
            throws KeeperException, InterruptedException {
        Map<String, Answer<Node>> reads = new LinkedHashMap<>();
        paths.forEach(path -> reads.put(path, session.read(path)));
        List<String> readable = new ArrayList<>();
        for (Map.Entry<String, Answer<Node>> read : reads.entrySet()) {
            try {
                var unused = read.getValue().await(deadline);
                readable.add(read.getKey());
            } catch (KeeperException e) {
                if (e.code() != Code.NONODE && e.code() != Code.NOAUTH) {
                    throw e;
                }
                unchecked.accept(new Unchecked(read.getKey(), e.code(), "READ on " + read.getKey()));
            }
        }
        return readable;
    }
}

package io.github.distlock.zookeeper;

import io.github.distlock.spi.Deadline;
import io.github.distlock.zookeeper.Session.Unchecked;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.zookeeper.KeeperException;

/**
 * A heartbeat: a write that proves that a session is alive and that its nodes exist. It is a transaction that only
 * checks nodes. For many nodes, it is as few transactions as {@link #MOST_CHARACTERS} allows, sent back to back.
 */
final class Heartbeat {
    /** A fifth of the default limit of servers on the length of a request. */
    private static final int MOST_CHARACTERS = 200_000;

    private Heartbeat() {}

    /**
     * Sends a heartbeat for nodes, and waits for the answers. If the server cannot check a node, reports it, and
     * repeats the transaction without it.
     *
     * @param unchecked receives each node that does not exist, or that the client must not read
     */
    static void send(Session session, Collection<String> paths, Deadline deadline, Consumer<Unchecked> unchecked)
            throws KeeperException, InterruptedException {
        List<List<String>> pending = transactions(paths);
        while (!pending.isEmpty()) {
            List<Answer<Optional<Unchecked>>> answers = new ArrayList<>();
            pending.forEach(checked -> answers.add(session.check(checked)));
            List<List<String>> again = new ArrayList<>();
            for (int i = 0; i < answers.size(); i++) {
                Optional<Unchecked> failed = answers.get(i).await(deadline);
                if (failed.isPresent()) {
                    unchecked.accept(failed.get());
                    List<String> rest = new ArrayList<>(pending.get(i));
                    rest.remove(failed.get().path());
                    if (!rest.isEmpty()) {
                        again.add(rest);
                    }
                }
            }
            pending = again;
        }
    }

    private static List<List<String>> transactions(Collection<String> paths) {
        List<List<String>> transactions = new ArrayList<>();
        List<String> last = new ArrayList<>();
        int characters = 0;
        for (String path : paths) {
            if (characters + path.length() > MOST_CHARACTERS && !last.isEmpty()) {
                transactions.add(last);
                last = new ArrayList<>();
                characters = 0;
            }
            last.add(path);
            characters += path.length();
        }
        if (!last.isEmpty()) {
            transactions.add(last);
        }
        return transactions;
    }
}

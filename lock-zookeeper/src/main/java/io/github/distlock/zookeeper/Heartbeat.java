package io.github.distlock.zookeeper;

import io.github.distlock.spi.Deadline;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.zookeeper.KeeperException;

/**
 * A write that proves a session to be alive, and that its nodes are there: transactions of checks alone, sent back to back, as
 * few as a server's limit on the length of a request allows.
 */
final class Heartbeat {
    /** A fifth of the limit that servers have unless told otherwise. */
    private static final int MOST_CHARACTERS = 200_000;

    private Heartbeat() {}

    /** Those of the nodes that are not there. For the others this was a heartbeat. */
    static Set<String> missing(Session session, Collection<String> paths, Deadline deadline)
            throws KeeperException, InterruptedException {
        Set<String> missing = new HashSet<>();
        List<List<String>> pending = transactions(paths);
        while (!pending.isEmpty()) {
            List<Answer<Optional<String>>> answers = new ArrayList<>();
            pending.forEach(checked -> answers.add(session.check(checked)));
            List<List<String>> again = new ArrayList<>();
            for (int i = 0; i < answers.size(); i++) {
                Optional<String> gone = answers.get(i).await(deadline);
                if (gone.isPresent()) {
                    missing.add(gone.get());
                    List<String> rest = new ArrayList<>(pending.get(i));
                    rest.remove(gone.get());
                    if (!rest.isEmpty()) {
                        again.add(rest);
                    }
                }
            }
            pending = again;
        }
        return missing;
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

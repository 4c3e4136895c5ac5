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
 * A write that proves a session to be alive, and that its nodes are there: transactions of checks alone, sent back to
 * back, as few as a server's limit on the length of a request allows.
 */
final class Heartbeat {
    /** A fifth of the limit that servers have unless told otherwise. */
    private static final int MOST_CHARACTERS = 200_000;

    private Heartbeat() {}

    /**
     * A heartbeat for these nodes, but for those that turn out not to be there, or that may not be read: these are
     * told.
     */
    static void beat(Session session, Collection<String> paths, Deadline deadline, Consumer<Unchecked> unchecked)
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

package io.github.distlock.zookeeper;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Signals;
import java.util.List;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.jspecify.annotations.Nullable;

/**
 * Notifies the client of a sticky hold of other contenders, by a watch on the children of its directory. Each contender
 * that finds the lock busy has created a node there, single tries included. So the watch also notices programs of other
 * libraries.
 *
 * <p>It is of use only if the hold's own node was the only one when the server set the watch. The first event ends it,
 * and so does each change of the connection. The release itself changes the directory, too. So it {@linkplain #stop
 * stops} the watch first.
 *
 * <p>Thread-safe: the state goes one way only.
 */
final class OthersWatch implements Watcher {
    private final Session session;
    private final Signals signals;
    private volatile boolean over;

    private OthersWatch(Session session, Signals signals) {
        this.session = session;
        this.signals = signals;
    }

    /** Returns a watch that notices all others from now on, or null if it cannot be set or others have come already. */
    static @Nullable OthersWatch set(
            LockDirectory directory, Session session, String own, Signals signals, Deadline deadline)
            throws InterruptedException {
        if (session.isEventThreadBlocked()) {
            return null;
        }
        OthersWatch watch = new OthersWatch(session, signals);
        try {
            List<String> children =
                    session.watchedChildren(directory.path(), watch).await(deadline);
            if (children.equals(List.of(own))) {
                return watch;
            }
        } catch (KeeperException e) {
            // Without the watch, each release goes to the server.
        }
        watch.stop();
        return null;
    }

    /** Returns whether it has missed nothing. While the application blocks the event thread, events may wait. */
    boolean hearsOthers() {
        if (session.isEventThreadBlocked()) {
            over = true;
        }
        return !over;
    }

    void stop() {
        over = true;
    }

    @Override
    public void process(WatchedEvent event) {
        boolean isNews = !over && event.getType() == Event.EventType.NodeChildrenChanged;
        over = true;
        if (isNews) {
            signals.wanted();
        }
    }
}

package io.github.distlock.zookeeper;

import io.github.distlock.spi.Signals;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;

/**
 * Wakes a waiter when its predecessor may no longer exist:
 *
 * <ul>
 *   <li>The server reports that the node was deleted.
 *   <li>The node did not exist when the server received the request for the watch.
 *   <li>The client has reconnected, and may have missed the event.
 *   <li>The session has expired.
 * </ul>
 *
 * <p>Thread-safe.
 */
final class PredecessorWatch implements Watcher {
    private final Session session;
    private final String path;
    private final Signals signals;
    private volatile boolean over;

    private PredecessorWatch(Session session, String path, Signals signals) {
        this.session = session;
        this.path = path;
        this.signals = signals;
    }

    /** Asks the server for a watch, and does not wait for its answer. */
    static PredecessorWatch set(Session session, String path, Signals signals) {
        PredecessorWatch watch = new PredecessorWatch(session, path, signals);
        var unused = session.read(path, watch).whenComplete((node, failure) -> {
            if (failure instanceof NoNodeException) {
                watch.end();
            } else if (failure != null) {
                // The server has set no watch. The next attempt of the waiter asks again.
                watch.over = true;
            }
        });
        return watch;
    }

    /** Returns whether this still watches a predecessor in a session. */
    boolean isOn(Session asked, String predecessor) {
        return !over && session == asked && path.equals(predecessor);
    }

    /** Removes the watch, and does not wake the waiter any more. */
    void drop() {
        if (!over) {
            over = true;
            session.removeWatch(path, this);
        }
    }

    @Override
    public void process(WatchedEvent event) {
        if (event.getType() != Event.EventType.None) {
            end();
        } else if (event.getState() == Event.KeeperState.SyncConnected) {
            signals.wakeUp();
        } else if (event.getState() == Event.KeeperState.Expired) {
            end();
        }
    }

    private void end() {
        if (!over) {
            over = true;
            signals.wakeUp();
        }
    }
}

package io.github.distlock.zookeeper;

import io.github.distlock.spi.Signals;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;

/**
 * Wakes a waiter when its predecessor may be gone: when the server reports its deletion, when the node is gone before
 * the watch is set, and when the client has reconnected and may have missed the event.
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

    /** Does not wait for the server. */
    static PredecessorWatch set(Session session, String path, Signals signals) {
        PredecessorWatch watch = new PredecessorWatch(session, path, signals);
        var unused = session.read(path, watch).whenComplete((node, failure) -> {
            if (failure instanceof NoNodeException) {
                watch.end();
            } else if (failure != null) {
                // Then there is no watch; the next attempt tries again, in its own time.
                watch.over = true;
            }
        });
        return watch;
    }

    /** Whether it still watches that. */
    boolean isOn(Session asked, String predecessor) {
        return !over && session == asked && path.equals(predecessor);
    }

    /** Nobody waits any more. */
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

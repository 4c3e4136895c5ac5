package io.github.distlock.zookeeper;

import io.github.distlock.spi.Signals;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;

/**
 * Wakes a waiter when its predecessor may no longer exist:
 *
 * <ul>
 *   <li>The server reports that the node was deleted.
 *   <li>The node did not exist when the server received the request for the watch.
 *   <li>The client has reconnected, and may have missed the event.
 *   <li>The session has ended.
 * </ul>
 *
 * <p>Thread-safe.
 */
final class PredecessorWatch implements Watcher, SessionLife.Dependent {
    private final Session session;
    private final String path;
    private final Signals signals;
    private final AtomicBoolean over = new AtomicBoolean();

    private PredecessorWatch(Session session, String path, Signals signals) {
        this.session = session;
        this.path = path;
        this.signals = signals;
    }

    /** Asks the server for a watch, and does not wait for its answer. */
    static PredecessorWatch set(Session session, String path, Signals signals) {
        PredecessorWatch watch = new PredecessorWatch(session, path, signals);
        session.life().register(watch);
        try {
            session.watch(path, watch, watch::refused);
        } catch (Throwable e) {
            var unused = watch.stop();
            throw e;
        }
        return watch;
    }

    private void refused(Code reason) {
        if (reason == Code.NONODE) {
            end();
        } else {
            // The next attempt of the waiter asks again.
            var unused = stop();
        }
    }

    /** Returns whether this still watches a predecessor in a session. */
    boolean isOn(Session asked, String predecessor) {
        return !over.get() && session == asked && path.equals(predecessor);
    }

    /** Removes the watch, and does not wake the waiter any more. */
    void drop() {
        if (stop()) {
            session.removeWatch(path, this);
        }
    }

    /** Returns false if the watch was over before. */
    private boolean stop() {
        boolean stopped = over.compareAndSet(false, true);
        session.life().unregister(this);
        return stopped;
    }

    private void end() {
        if (stop()) {
            signals.wakeUp();
        }
    }

    @Override
    public void process(WatchedEvent event) {
        // The session passes on events of its connection.
        if (event.getType() != Event.EventType.None) {
            end();
        }
    }

    @Override
    public void disconnected() {}

    @Override
    public void connected() {
        signals.wakeUp();
    }

    @Override
    public void ended() {
        end();
    }
}

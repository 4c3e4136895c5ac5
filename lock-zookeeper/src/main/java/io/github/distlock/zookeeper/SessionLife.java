package io.github.distlock.zookeeper;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;

/**
 * The life of one session, and what lives with it: the holds and the watches of this client. It watches the session's
 * handle, and passes each change of the connection on. {@link Connection} lists the events that end a session.
 *
 * <h2>Why no dependent misses the end</h2>
 *
 * {@link #register} adds the dependent and then reads {@link #ended}. {@link #end} sets {@code ended} and then reads
 * the dependents. So at least one of the two sees the other. A dependent may be notified twice.
 *
 * <h2>The watch</h2>
 *
 * ZooKeeper reports the state of a handle to each watcher of a node. The watch is a request, so it may fail with its
 * connection. Then the next use of the session asks for it again. A request that fails because the handle is dead ends
 * the session, too.
 *
 * <p>Thread-safe.
 */
final class SessionLife implements Watcher {
    /** The root of the client's chroot. Applications hardly ever change its data, so the watch hardly ever fires. */
    private static final String WATCHED = "/";

    private final ZooKeeper zooKeeper;
    private final Set<Dependent> dependents = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean watched = new AtomicBoolean();
    private volatile boolean ended;

    /** What lives with a session. No method blocks or throws. */
    interface Dependent {
        /** The connection is broken. The session may continue over another one. */
        void disconnected();

        /** The connection is back. */
        void connected();

        /** This client can never use the session again. */
        void ended();
    }

    SessionLife(ZooKeeper zooKeeper) {
        this.zooKeeper = zooKeeper;
    }

    boolean hasEnded() {
        return ended;
    }

    /** Notifies a dependent of changes from now on. If the session has ended, notifies it at once. */
    void register(Dependent dependent) {
        dependents.add(dependent);
        if (ended) {
            dependent.ended();
        }
    }

    void unregister(Dependent dependent) {
        dependents.remove(dependent);
    }

    /** Returns how many holds and watches of this client live with the session. */
    int dependents() {
        return dependents.size();
    }

    /** Ends the session for this client, and all that lives with it. Idempotent. */
    void end() {
        ended = true;
        dependents.forEach(Dependent::ended);
        dependents.clear();
    }

    void endIfDead() {
        if (!zooKeeper.getState().isAlive()) {
            end();
        }
    }

    /** Asks the server for the watch, unless it is set. Does not wait for the answer. */
    void watch() {
        if (watched.compareAndSet(false, true)) {
            try {
                zooKeeper.exists(WATCHED, this, (code, asked, context, stat) -> answered(Requests.known(code)), null);
            } catch (Throwable e) {
                watched.set(false);
                throw e;
            }
        }
    }

    private void answered(Code code) {
        if (code != Code.OK && code != Code.NONODE) {
            watched.set(false);
            endIfDead();
        }
    }

    /** Removes the watch from this client, and does not wait for the answer. */
    void stopWatching() {
        if (watched.get()) {
            Session.removeWatch(zooKeeper, WATCHED, this);
        }
    }

    @Override
    public void process(WatchedEvent event) {
        switch (event.getType()) {
            case None -> connectionChanged(event.getState());
            case DataWatchRemoved -> watched.set(false);
            default -> {
                watched.set(false);
                watch();
            }
        }
    }

    private void connectionChanged(Event.KeeperState state) {
        if (state == Event.KeeperState.SyncConnected) {
            dependents.forEach(Dependent::connected);
        } else if (state == Event.KeeperState.Disconnected || state == Event.KeeperState.ConnectedReadOnly) {
            dependents.forEach(Dependent::disconnected);
        } else if (state == Event.KeeperState.Expired || state == Event.KeeperState.Closed) {
            end();
        } else {
            // A failed authentication. Some have no state, and others leave the handle alive.
            endIfDead();
        }
    }
}

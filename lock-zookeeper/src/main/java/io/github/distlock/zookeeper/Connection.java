package io.github.distlock.zookeeper;

import static java.util.Objects.requireNonNull;

import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.zookeeper.CuratorSource.Started;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.api.CuratorEvent;
import org.apache.curator.framework.api.CuratorListener;
import org.apache.zookeeper.ClientCnxn;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher.Event;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.ZooKeeper.States;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The part of Curator that the backend uses: its present handle to ZooKeeper, its namespace and its ACLs. Curator
 * replaces the handle after a session has ended. The backend does not use Curator's retry loops: it sends each request
 * once, and waits for the answer until the request's deadline.
 *
 * <h2>What the libraries know for certain</h2>
 *
 * A session is <em>ended</em> if this client can never use it again. Its holds end at once, because another client may
 * hold their locks soon. A request is <em>refused</em> at once if waiting is pointless. All else is <em>unknown</em>:
 * holds keep their validity, and requests wait for a connection until their deadline.
 *
 * <table>
 * <caption>Reports of Curator and ZooKeeper</caption>
 * <tr><th>report</th><th>session, request</th><th>reason</th></tr>
 * <tr><td>{@code CuratorFrameworkState.LATENT}</td><td>no session, unknown</td><td>the caller may start it
 *     later</td></tr>
 * <tr><td>{@code STARTED}</td><td>unknown</td><td>the handle's state decides</td></tr>
 * <tr><td>{@code STOPPED}, event {@code CLOSING}</td><td>ended, refused</td><td>a client never restarts; Curator
 *     reports {@code CLOSING} before it sends the end of the session</td></tr>
 * <tr><td>{@code ConnectionState}, all values</td><td>not used</td><td>Curator derives them from the events below, on
 *     another thread and later; {@code LOST} is also a guess by time</td></tr>
 * <tr><td>{@code States.NOT_CONNECTED}, {@code CONNECTING}, {@code ASSOCIATING},
 *     {@code CONNECTEDREADONLY}</td><td>unknown</td><td>the handle may connect to a server with a quorum</td></tr>
 * <tr><td>{@code States.CONNECTED}</td><td>usable</td><td></td></tr>
 * <tr><td>another {@code getInstanceIndex()}</td><td>ended, unknown</td><td>Curator changes it before it closes a
 *     handle; there is no event, so {@code Grant.hasEnded()} reads it</td></tr>
 * <tr><td>{@code States.CLOSED}, event {@code Closed}</td><td>ended, unknown</td><td>Curator may make another
 *     handle</td></tr>
 * <tr><td>event {@code Expired}</td><td>ended, unknown</td><td>as for {@code CLOSED}</td></tr>
 * <tr><td>{@code States.AUTH_FAILED}</td><td>ended, refused</td><td>the handle never connects again</td></tr>
 * <tr><td>event {@code AuthFailed}</td><td>the handle's state decides</td><td>after a failed login the handle still
 *     connects, without authentication</td></tr>
 * <tr><td>event {@code SyncConnected}</td><td>usable; waiters ask again</td><td>they may have missed events</td></tr>
 * <tr><td>events {@code Disconnected}, {@code ConnectedReadOnly}</td><td>unknown; holds are suspect</td><td>the session
 *     may continue</td></tr>
 * <tr><td>event {@code SaslAuthenticated}</td><td>nothing changes</td><td></td></tr>
 * <tr><td>another handle in the same client</td><td>ended, usable</td><td>Curator has closed the earlier
 *     handle</td></tr>
 * </table>
 *
 * <p>Curator and ZooKeeper's client also report {@code Expired} by their own clocks, when a connection has been lost
 * for a session timeout. The ensemble may keep the session a little longer then. A client cannot tell the two apart,
 * and after a true expiration another client may hold the lock. So both end the session. If the ensemble still has the
 * nodes, nothing keeps their session alive, so they end like those of a crashed client.
 *
 * <h2>A blocked event thread</h2>
 *
 * Curator knows of a connection by events, so it does not know of it while the application blocks the event thread. The
 * state of the handle does not depend on that thread. So a request that waits for a session reads the state again and
 * again. It goes on when the handle is connected. If the handle is dead, only the event thread can lead to another
 * session. If it is known to be blocked, the request fails at once.
 *
 * <h2>Why a closing client leaves no usable session</h2>
 *
 * Curator sets {@code STOPPED} and then reports {@code CLOSING}, which reads {@link #current}. A new session is stored
 * in {@code current} before the state is read again. So one of the two threads ends the session.
 *
 * <h2>Failed authentication</h2>
 *
 * The next request gives up the backend's own client, and tries another one. {@link #givenUp} counts these clients. A
 * request that waited for a client that was given up fails as well. So many requests do not wait for each other's
 * attempts. Requests over a caller-supplied client are refused for as long as its handle is dead.
 *
 * <p>Thread-safe.
 */
final class Connection {
    private static final Logger LOG = LoggerFactory.getLogger(ZooKeeperBackend.class);
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(50);

    private final CuratorSource source;
    private final ServerTick tick;
    private final LockClock clock;
    private final OwnKeptLocks keptLocks;
    private final AtomicLong highestNumber = new AtomicLong();
    private final AtomicInteger givenUp = new AtomicInteger();
    private final ReentrantLock mutex = new ReentrantLock();
    private volatile CountDownLatch nextChange = new CountDownLatch(1);
    private volatile @Nullable Session current;
    private volatile @Nullable KeepAlive keepAlive;
    private volatile @Nullable TickProbe probe;
    /**
     * Whether the handle of a client without a connection may be dead, as far as events say. A client that calls itself
     * connected may have a dead handle, too: ZooKeeper reports some failures by an event without a state, on which
     * Curator's watcher throws.
     */
    private volatile boolean mayBeDead = true;

    private volatile boolean closed;
    private volatile @Nullable BackendContext context;

    /** Makes the source of a connection's client. */
    interface SourceFactory {
        /**
         * Makes the source.
         *
         * @param listener hears the events of each client
         * @param changed runs after a client has started
         */
        CuratorSource make(CuratorListener listener, Runnable changed, LockClock clock);
    }

    Connection(SourceFactory source, ServerTick tick, LockClock clock) {
        this.source = source.make(this::heard, this::changed, clock);
        this.tick = tick;
        this.clock = clock;
        this.keptLocks = new OwnKeptLocks(clock);
    }

    /** Uses the threads and the log of the engine from now on. */
    void use(BackendContext engine) {
        context = engine;
    }

    private BackendContext context() {
        return requireNonNull(context, "the engine starts a backend first");
    }

    LockClock clock() {
        return clock;
    }

    OwnKeptLocks keptLocks() {
        return keptLocks;
    }

    /**
     * Returns the session timeout that the servers have granted last, or {@code otherwise} before the first session.
     */
    Duration sessionTimeout(Duration otherwise) {
        Session session = current;
        return session == null ? otherwise : session.timeout();
    }

    /** Returns a path with the namespace of the client. */
    String fullPath(String path) {
        return source.fullPath(path);
    }

    /**
     * Returns the present session, and waits until it is connected.
     *
     * @throws RequestRefusedException if the caller-supplied client is closed, if the authentication has failed, or if
     *     this is an event thread of ZooKeeper
     * @throws IllegalStateException if the session is not connected by the deadline, or the backend is closed
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    Session session(Deadline deadline) throws InterruptedException {
        requireMayWait();
        Session known = connectedSession();
        if (known == null || closed) {
            known = awaitSession(deadline);
        }
        known.life().watch();
        return known;
    }

    /** Returns the present session if it is connected. Asks the handle itself, since its events may come late. */
    private @Nullable Session connectedSession() {
        Session known = current;
        return known != null && known.isConnected() ? known : null;
    }

    /** The answer to a request arrives on the event thread, so a request there would wait for itself. */
    static void requireMayWait() {
        if (ClientCnxn.isInEventThread()) {
            throw new RequestRefusedException(
                    "this is ZooKeeper's event thread ("
                            + Thread.currentThread().getName()
                            + "), which must not wait for ZooKeeper's answers; use acquireAsync or another thread",
                    null);
        }
    }

    private Session awaitSession(Deadline deadline) throws InterruptedException {
        giveUpDeadClient();
        int givenUpBefore = givenUp.get();
        while (true) {
            CountDownLatch next = nextChange;
            Session session = connected();
            if (session != null) {
                return session;
            }
            if (givenUp.get() != givenUpBefore) {
                throw authenticationFailed();
            }
            requireThatAnotherSessionCanCome();
            if (deadline.hasPassed()) {
                throw new IllegalStateException(source.problem());
            }
            long pause = Math.min(deadline.remainingNanos(), LONGEST_PAUSE.toNanos());
            var unused = next.await(pause, TimeUnit.NANOSECONDS);
        }
    }

    /** Curator makes another session when the event thread has reported the end of this one. */
    private void requireThatAnotherSessionCanCome() {
        Session known = current;
        if (known != null && known.isDeadWithBlockedEventThread()) {
            throw new IllegalStateException("the session with ZooKeeper has ended, and the application blocks the event"
                    + " thread of its client; there is no other session until that thread returns");
        }
    }

    private void giveUpDeadClient() {
        requireOpen();
        Started client = source.client(context());
        if (client != null && hasFailedAuthentication(client) && source.giveUp(client, context())) {
            givenUp.incrementAndGet();
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the ZooKeeper backend is closed");
        }
    }

    private @Nullable Session connected() {
        requireOpen();
        Started client = source.client(context());
        if (client == null) {
            return null;
        }
        if (hasFailedAuthentication(client)) {
            throw authenticationFailed();
        }
        Session known = connectedSession();
        if (known != null) {
            return known;
        }
        if (!client.curator().getZookeeperClient().isConnected()) {
            return null;
        }
        long instance = client.curator().getZookeeperClient().getInstanceIndex();
        ZooKeeper handle = handle(client.curator());
        if (client.curator().getZookeeperClient().getInstanceIndex() != instance) {
            return null;
        }
        Session session = sessionOf(client, handle, instance);
        if (session != null) {
            session.endIfClientIsClosed();
        }
        return session != null && session.isConnected() ? session : null;
    }

    private boolean hasFailedAuthentication(Started client) {
        if (!mayBeDead && !client.curator().getZookeeperClient().isConnected() && !hasEndedSession()) {
            return false;
        }
        try {
            return client.curator().getZookeeperClient().getZooKeeper().getState() == States.AUTH_FAILED;
        } catch (Exception | OutOfMemoryError e) {
            // The client is just starting, Curator passes on an earlier error, or it cannot start a thread for the
            // client that replaces this one. Then this is not known yet.
            return false;
        }
    }

    /** Curator may have failed to replace the handle of a session that has ended. It tries again if it is asked. */
    private boolean hasEndedSession() {
        Session known = current;
        return known != null && known.life().hasEnded();
    }

    private static RequestRefusedException authenticationFailed() {
        KeeperException words = KeeperException.create(Code.AUTHFAILED);
        return new RequestRefusedException("the authentication with ZooKeeper failed: " + words.getMessage(), words);
    }

    private @Nullable Session sessionOf(Started client, ZooKeeper handle, long instance) {
        Session known;
        Session made;
        mutex.lock();
        try {
            known = current;
            if (known != null && known.isOf(handle)) {
                return known;
            }
            if (handle.getState() != States.CONNECTED) {
                return null;
            }
            boolean isFirst = known == null || !known.isOver(client.curator());
            Moment begunAt = isFirst ? client.begunAt() : null;
            made = new Session(
                    client.curator(),
                    handle,
                    instance,
                    tick,
                    begunAt,
                    client.isCallerSupplied(),
                    highestNumber,
                    clock,
                    context());
            startBackground(made);
            current = made;
            if (closed) {
                stopBackground();
            }
        } finally {
            mutex.unlock();
        }
        if (known != null) {
            known.life().end();
        }
        context().log(() -> LOG.debug("session 0x{}, timeout {}", Long.toHexString(made.id()), made.timeout()));
        return made;
    }

    /** The threads of an earlier session end with it. */
    private void startBackground(Session session) {
        if (probe == null) {
            probe = TickProbe.start(source.connectString(), session, tick, context());
        }
        KeepAlive earlier = keepAlive;
        keepAlive = KeepAlive.start(session, tick, keptLocks, context());
        if (earlier != null) {
            earlier.stop();
        }
    }

    private void stopBackground() {
        KeepAlive runs = keepAlive;
        if (runs != null) {
            runs.stop();
        }
        TickProbe probes = probe;
        if (probes != null) {
            probes.stop();
            probe = null;
        }
    }

    private static ZooKeeper handle(CuratorFramework curator) {
        try {
            return curator.getZookeeperClient().getZooKeeper();
        } catch (Exception | OutOfMemoryError e) {
            String words = String.valueOf(e.getMessage());
            throw new IllegalStateException(
                    "no connection to ZooKeeper: " + ConnectStrings.withoutCredentials(words),
                    ConnectStrings.hasCredentials(words) ? null : e);
        }
    }

    private void heard(CuratorFramework client, CuratorEvent event) {
        switch (event.getType()) {
            case CLOSING -> closing();
            case WATCHED -> watched(event.getWatchedEvent());
            default -> {}
        }
    }

    private void closing() {
        Session session = current;
        if (session != null) {
            session.endIfClientIsClosed();
        }
        changed();
    }

    private void watched(WatchedEvent event) {
        if (event.getType() == Event.EventType.None) {
            mayBeDead = event.getState() == Event.KeeperState.AuthFailed;
            changed();
        }
    }

    private void changed() {
        mutex.lock();
        try {
            nextChange.countDown();
            nextChange = new CountDownLatch(1);
        } finally {
            mutex.unlock();
        }
    }

    /** Closes the backend's own client and its session. The next request makes another. */
    void disconnect() {
        stopBackground();
        source.disconnect(context());
    }

    /**
     * Closes the backend's own client, and waits for that for at most 500 ms. Leaves a caller-supplied client open.
     * After an error, another call tries again.
     */
    void close() {
        Session session = current;
        if (session != null) {
            session.close();
        }
        closed = true;
        changed();
        stopBackground();
        try {
            source.close(context);
        } catch (Throwable e) {
            closed = false;
            throw e;
        }
    }
}

package io.github.distlock.zookeeper;

import static java.util.Objects.requireNonNull;

import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.RequestRefusedException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.imps.CuratorFrameworkState;
import org.apache.curator.framework.state.ConnectionStateListener;
import org.apache.curator.utils.ZKPaths;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.proto.CreateRequest;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The part of Curator that the backend uses: its present handle to ZooKeeper, its namespace and its ACLs. Curator
 * replaces the handle after a session has ended. The backend does not use Curator's retry loops: it sends each request
 * once, and waits for the answer until the request's deadline.
 *
 * <p>Thread-safe.
 */
final class Connection {
    private static final Logger LOG = LoggerFactory.getLogger(ZooKeeperBackend.class);
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(50);
    private static final Duration LONGEST_CLOSE = Duration.ofMillis(500);

    private final CuratorFramework curator;
    private final boolean owned;
    private final Duration tick;
    private final LockClock clock;
    private final AtomicLong highestNumber = new AtomicLong();
    private final ReentrantLock mutex = new ReentrantLock();
    private final ConnectionStateListener listener = (client, state) -> changed();
    private volatile CompletableFuture<Boolean> nextChange = new CompletableFuture<>();
    private volatile @Nullable Session current;
    private volatile boolean closed;
    private volatile @Nullable BackendContext context;
    private boolean started;
    private @Nullable Moment startedAt;

    Connection(CuratorFramework curator, boolean owned, Duration tick, LockClock clock) {
        this.curator = curator;
        this.owned = owned;
        this.tick = tick;
        this.clock = clock;
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

    /**
     * Returns the session timeout that the servers have granted last, or {@code otherwise} before the first session.
     */
    Duration sessionTimeout(Duration otherwise) {
        Session session = current;
        return session == null ? otherwise : session.timeout();
    }

    /**
     * Returns the present session, and waits until it is connected.
     *
     * @throws RequestRefusedException if the caller-supplied client is closed
     * @throws IllegalStateException if the session is not connected by the deadline, or the backend is closed
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    Session session(Deadline deadline) throws InterruptedException {
        Session known = current;
        if (known != null && known.isConnected() && !closed) {
            return known;
        }
        start();
        while (true) {
            CompletableFuture<Boolean> next = nextChange;
            Session session = connected();
            if (session != null) {
                return session;
            }
            if (deadline.hasPassed()) {
                throw new IllegalStateException(
                        curator.getState() == CuratorFrameworkState.LATENT
                                ? "the CuratorFramework has not been started"
                                : "no connection to ZooKeeper at "
                                        + curator.getZookeeperClient().getCurrentConnectionString());
            }
            await(next, Math.min(deadline.remainingNanos(), LONGEST_PAUSE.toNanos()));
        }
    }

    private void start() {
        mutex.lock();
        try {
            requireOpen();
            if (!started) {
                curator.getConnectionStateListenable().addListener(listener);
                if (owned) {
                    startedAt = clock.now();
                    curator.start();
                }
                started = true;
            }
        } finally {
            mutex.unlock();
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the ZooKeeper backend is closed");
        }
        if (!owned && curator.getState() == CuratorFrameworkState.STOPPED) {
            throw new RequestRefusedException("the CuratorFramework is closed", null);
        }
    }

    private @Nullable Session connected() {
        requireOpen();
        if ((!owned && curator.getState() != CuratorFrameworkState.STARTED)
                || !curator.getZookeeperClient().isConnected()) {
            return null;
        }
        ZooKeeper handle = handle();
        mutex.lock();
        try {
            Session known = current;
            if (known == null || !known.isOf(handle)) {
                if (handle.getState() != ZooKeeper.States.CONNECTED) {
                    return null;
                }
                known = new Session(handle, tick, known == null ? startedAt : null, highestNumber, clock);
                current = known;
                Session made = known;
                context().log(() -> LOG.debug("session 0x{}, timeout {}", Long.toHexString(made.id()), made.timeout()));
            }
            return known.isConnected() ? known : null;
        } finally {
            mutex.unlock();
        }
    }

    private ZooKeeper handle() {
        try {
            return curator.getZookeeperClient().getZooKeeper();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("no connection to ZooKeeper: " + e.getMessage(), e);
        }
    }

    /** Waits for a change or for time. The caller checks again after both, so this does not report which one came. */
    private static void await(CompletableFuture<Boolean> next, long nanos) throws InterruptedException {
        try {
            next.get(nanos, TimeUnit.NANOSECONDS);
        } catch (ExecutionException | TimeoutException e) {
            LOG.trace("not connected yet", e);
        }
    }

    private void changed() {
        CompletableFuture<Boolean> change = nextChange;
        nextChange = new CompletableFuture<>();
        change.complete(true);
    }

    /** Returns a path with the namespace of the client. */
    String fullPath(String path) {
        return ZKPaths.fixForNamespace(curator.getNamespace(), path);
    }

    /**
     * Returns the ACL that the client's ACL provider gives to a new node. Reads it from an operation that is never
     * sent.
     */
    List<ACL> acl(String fullPath) {
        try {
            CreateRequest request = (CreateRequest) curator.usingNamespace(null)
                    .transactionOp()
                    .create()
                    .forPath(fullPath, new byte[0])
                    .get()
                    .toRequestRecord();
            return request.getAcl();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("cannot determine the ACL of " + fullPath + ": " + e.getMessage(), e);
        }
    }

    /**
     * Closes the backend's own client, and leaves a caller-supplied client open and unchanged. The backend's own client
     * closes only after an unanswered request has timed out. So a daemon thread closes it, and this method waits for
     * that thread for at most 500 ms. An interrupt ends the wait, and the thread keeps its interrupt flag.
     */
    void close() {
        mutex.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            curator.getConnectionStateListenable().removeListener(listener);
            if (!owned || !started) {
                return;
            }
        } finally {
            mutex.unlock();
        }
        changed();
        CountDownLatch done = new CountDownLatch(1);
        Thread closing = new Thread(
                () -> {
                    curator.close();
                    done.countDown();
                },
                "distlock-zookeeper-close");
        closing.setDaemon(true);
        closing.start();
        boolean interrupted = false;
        try {
            if (!done.await(LONGEST_CLOSE.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.debug("ZooKeeper does not answer; a background thread continues to close its client");
            }
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

package io.github.distlock.zookeeper;

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
 * What is used of Curator: the present handle to ZooKeeper, which it replaces when a session is over, its namespace and
 * its ACLs. Its retry loops are not: a request of ours is sent once, by the deadline that it has.
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
    private volatile CompletableFuture<Boolean> change = new CompletableFuture<>();
    private volatile @Nullable Session current;
    private volatile boolean closed;
    private boolean started;
    private @Nullable Moment startedAt;

    Connection(CuratorFramework curator, boolean owned, Duration tick, LockClock clock) {
        this.curator = curator;
        this.owned = owned;
        this.tick = tick;
        this.clock = clock;
    }

    LockClock clock() {
        return clock;
    }

    /** The session time-out that the servers granted last, or another before they did. */
    Duration sessionTimeout(Duration otherwise) {
        Session session = current;
        return session == null ? otherwise : session.timeout();
    }

    /** The present session, as soon as it is connected. */
    Session session(Deadline deadline) throws InterruptedException {
        Session known = current;
        if (known != null && known.isConnected() && !closed) {
            return known;
        }
        start();
        while (true) {
            CompletableFuture<Boolean> next = change;
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
                LOG.debug("session 0x{}, time-out {}", Long.toHexString(known.id()), known.timeout());
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

    /** Waits without throwing what ended the wait: whoever waits looks again. */
    private static void await(CompletableFuture<Boolean> next, long nanos) throws InterruptedException {
        try {
            next.get(nanos, TimeUnit.NANOSECONDS);
        } catch (ExecutionException | TimeoutException e) {
            LOG.trace("not connected yet", e);
        }
    }

    private void changed() {
        CompletableFuture<Boolean> made = change;
        change = new CompletableFuture<>();
        made.complete(true);
    }

    /** With the namespace of the caller's client. */
    String fullPath(String path) {
        return ZKPaths.fixForNamespace(curator.getNamespace(), path);
    }

    /** What the client's ACL provider says. It is asked by way of an operation that is never sent. */
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
            throw new IllegalStateException("no ACL for " + fullPath + ": " + e.getMessage(), e);
        }
    }

    /** A client that was lent is left as it was. Closing an own one takes until an unanswered request has timed out. */
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
                LOG.debug("ZooKeeper does not answer; its client ends in the background");
            }
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

package io.github.distlock.zookeeper;

import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Moment;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.api.CuratorListener;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client that the backend makes on first use, and closes.
 *
 * <h2>Threads</h2>
 *
 * The threads of Curator and ZooKeeper inherit what the thread that starts them has: thread-locals, and a context class
 * loader. So a thread of the engine starts the client, and no caller does. Callers wait for that as they wait for a
 * connection. Another thread of the engine closes the client, because a silent server delays that.
 *
 * <h2>Why a failed start leaves nothing</h2>
 *
 * A thread may fail to start, since the process may have only so many. {@link #mutex} guards the state, and each change
 * of it follows what may throw. If the client itself fails to start, its thread closes it. The next request makes
 * another client.
 *
 * <p>Thread-safe.
 */
final class OwnClient implements CuratorSource {
    private static final Logger LOG = LoggerFactory.getLogger(ZooKeeperBackend.class);
    private static final Duration LONGEST_CLOSE = Duration.ofMillis(500);

    private final Supplier<CuratorFramework> factory;
    private final String connectString;
    private final CuratorListener listener;
    private final Runnable changed;
    private final LockClock clock;
    private final ReentrantLock mutex = new ReentrantLock();
    private @Nullable Started client;
    private boolean starting;
    private boolean closed;
    private volatile @Nullable Throwable failure;

    /**
     * Makes the source of a client.
     *
     * @param changed runs after a client has started
     */
    OwnClient(
            Supplier<CuratorFramework> factory,
            String connectString,
            CuratorListener listener,
            Runnable changed,
            LockClock clock) {
        this.factory = factory;
        this.connectString = connectString;
        this.listener = listener;
        this.changed = changed;
        this.clock = clock;
    }

    @Override
    public @Nullable Started client(BackendContext context) {
        mutex.lock();
        try {
            if (client == null && !starting && !closed) {
                BackendThreads.start(context, "zookeeper", this::start);
                starting = true;
            }
            return client;
        } finally {
            mutex.unlock();
        }
    }

    private void start() {
        CuratorFramework made = null;
        Started result = null;
        try {
            Moment begunAt = clock.now();
            made = factory.get();
            made.getCuratorListenable().addListener(listener);
            made.start();
            result = new Started(made, begunAt, false);
        } catch (Throwable e) {
            // Callers look again after a pause, and report this if it is the last failure.
            failure = e;
        }
        if (started(result)) {
            changed.run();
        } else if (made != null) {
            made.close();
        }
    }

    /** Returns whether this source keeps the client. */
    private boolean started(@Nullable Started made) {
        mutex.lock();
        try {
            starting = false;
            if (made == null || closed) {
                return false;
            }
            client = made;
            failure = null;
            return true;
        } finally {
            mutex.unlock();
        }
    }

    @Override
    public boolean giveUp(Started failed, BackendContext context) {
        mutex.lock();
        try {
            if (!failed.equals(client)) {
                return false;
            }
            var unused = closeInBackground(failed, context);
            client = null;
            return true;
        } finally {
            mutex.unlock();
        }
    }

    private static CountDownLatch closeInBackground(Started open, BackendContext context) {
        CountDownLatch done = new CountDownLatch(1);
        Runnable closing = () -> {
            open.curator().close();
            done.countDown();
        };
        BackendThreads.start(context, "disconnect", closing);
        return done;
    }

    @Override
    public String connectString() {
        return connectString;
    }

    @Override
    public String problem() {
        Throwable failed = failure;
        String address = ConnectStrings.withoutCredentials(connectString);
        return failed == null
                ? "no connection to ZooKeeper at " + address
                : "the client of ZooKeeper at " + address + " could not be started: "
                        + ConnectStrings.withoutCredentials(failed.toString());
    }

    @Override
    public String fullPath(String path) {
        return path;
    }

    @Override
    public void disconnect(BackendContext context) {
        end(context, false);
    }

    @Override
    public void close(@Nullable BackendContext context) {
        end(context, true);
    }

    private void end(@Nullable BackendContext context, boolean closes) {
        CountDownLatch done = null;
        mutex.lock();
        try {
            if (client != null && context != null) {
                done = closeInBackground(client, context);
            }
            client = null;
            closed |= closes;
        } finally {
            mutex.unlock();
        }
        if (done != null && context != null) {
            await(done, context);
        }
    }

    /** An interrupt ends the wait, and the thread keeps its interrupt flag. */
    private static void await(CountDownLatch done, BackendContext context) {
        try {
            if (!done.await(LONGEST_CLOSE.toMillis(), TimeUnit.MILLISECONDS)) {
                context.log(() -> LOG.debug("ZooKeeper does not answer; a background thread closes its client"));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

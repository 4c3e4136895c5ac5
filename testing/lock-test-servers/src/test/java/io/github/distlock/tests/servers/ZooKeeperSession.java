package io.github.distlock.tests.servers;

import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ZKClientConfig;

/** A client with a connected session. */
final class ZooKeeperSession implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 10_000;
    private static final Duration LIMIT = Duration.ofSeconds(30);

    final ZooKeeper zooKeeper;

    ZooKeeperSession(String connectString) throws Exception {
        this(connectString, TIMEOUT_MILLIS);
    }

    ZooKeeperSession(String connectString, int timeoutMillis) throws Exception {
        zooKeeper = new ZooKeeper(connectString, timeoutMillis, event -> {}, new ZKClientConfig());
        await(() -> zooKeeper.getState() == ZooKeeper.States.CONNECTED);
    }

    static void create(String connectString, String path) throws Exception {
        try (ZooKeeperSession session = new ZooKeeperSession(connectString)) {
            session.create(path);
        }
    }

    /** Returns whether the node exists after all earlier updates. */
    static boolean exists(String connectString, String path) throws Exception {
        try (ZooKeeperSession session = new ZooKeeperSession(connectString)) {
            session.sync(path);
            return session.zooKeeper.exists(path, false) != null;
        }
    }

    void create(String path) throws Exception {
        zooKeeper.create(path, new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    }

    private void sync(String path) throws Exception {
        CountDownLatch done = new CountDownLatch(1);
        zooKeeper.sync(path, (code, synced, context) -> done.countDown(), null);
        if (!done.await(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new IllegalStateException("no answer");
        }
    }

    boolean await(Callable<Boolean> condition) {
        return Waiting.until(LIMIT, () -> {
            try {
                return condition.call();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Override
    public void close() throws InterruptedException {
        zooKeeper.close();
    }
}

package io.github.distlock.bench;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.common.ZKConfig;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;

/**
 * Waits for a lock behind very many nodes, which another program creates and deletes. A client with the default
 * {@code jute.maxbuffer} and one with a larger one wait, each with a hold of another lock. The program prints whether a
 * wait was refused, or how long after the last deletion it ended, and whether the other hold has lived on. Arguments:
 * nodes (20000), bytes of the larger {@code jute.maxbuffer} (4194304).
 */
public final class ZooKeeperLongQueue {
    private static final String DIRECTORY = "/distlock/long";
    /** ZooKeeper's client searches it for null, which {@code List.of} refuses. */
    private static final List<ACL> ANYONE = Collections.singletonList(new ACL(Perms.ALL, new Id("world", "anyone")));

    private static final int UNDER_WAY = 500;

    private final ZooKeeperServer server;
    private final int nodes;

    private ZooKeeperLongQueue(ZooKeeperServer server, int nodes) {
        this.server = server;
        this.nodes = nodes;
    }

    /**
     * Runs the program and prints its figures.
     *
     * @param args see the class comment
     * @throws Exception if the program fails
     */
    public static void main(String[] args) throws Exception {
        int nodes = args.length > 0 ? Integer.parseInt(args[0]) : 20_000;
        String larger = args.length > 1 ? args[1] : "4194304";
        try (ZooKeeperServer server = ZooKeeperServer.start(ZooKeeperSettings.defaults())) {
            ZooKeeperLongQueue queue = new ZooKeeperLongQueue(server, nodes);
            queue.run(String.valueOf(ZKClientConfig.CLIENT_MAX_PACKET_LENGTH_DEFAULT));
            queue.run(larger);
        }
    }

    private void run(String maxBuffer) throws Exception {
        ZKClientConfig config = new ZKClientConfig();
        config.setProperty(ZKConfig.JUTE_MAXBUFFER, maxBuffer);
        try (CuratorFramework curator = CuratorFrameworkFactory.builder()
                        .connectString(server.connectString())
                        .retryPolicy(new RetryOneTime(100))
                        .zkClientConfig(config)
                        .build();
                ZooKeeper others = connected()) {
            curator.start();
            try (LockClient client = LockClient.create(ZooKeeperBackend.of(curator))) {
                LockHandle other = client.lock("other").acquire();
                DistributedLock lock = client.lock("long");
                lock.acquire().close();
                List<String> created = create(others);
                System.out.printf("%,d nodes, jute.maxbuffer %s: %s", nodes, maxBuffer, wait(lock, others, created));
                System.out.println("; the other hold is " + other.state());
            }
        }
    }

    private static String wait(DistributedLock lock, ZooKeeper others, List<String> created) throws Exception {
        String words;
        CompletableFuture<LockHandle> waiter = lock.acquireAsync();
        try {
            Optional<LockHandle> early = held(waiter, 5);
            if (early.isPresent()) {
                return "granted before all others";
            }
            words = "waits";
        } catch (LockException e) {
            words = "refused: " + e.getMessage();
        }
        delete(others, created);
        long begin = System.nanoTime();
        if (words.equals("waits")) {
            held(waiter, 60).orElseThrow().close();
            words +=
                    ", and acquires " + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin) + " ms after the last";
        }
        return words;
    }

    /** Returns the hold, or empty if the acquire still waits. */
    private static Optional<LockHandle> held(CompletableFuture<LockHandle> waiter, int seconds) throws Exception {
        try {
            return Optional.of(waiter.get(seconds, TimeUnit.SECONDS));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (ExecutionException e) {
            throw (LockException) e.getCause();
        }
    }

    private ZooKeeper connected() throws Exception {
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeper others = new ZooKeeper(server.connectString(), 30_000, event -> {
            if (event.getState() == KeeperState.SyncConnected) {
                connected.countDown();
            }
        });
        connected.await();
        return others;
    }

    private List<String> create(ZooKeeper others) throws InterruptedException {
        List<String> created = new ArrayList<>();
        Semaphore room = new Semaphore(UNDER_WAY);
        for (int i = 0; i < nodes; i++) {
            room.acquire();
            others.create(
                    DIRECTORY + "/_c_" + UUID.randomUUID() + "-lock-",
                    new byte[0],
                    ANYONE,
                    CreateMode.EPHEMERAL_SEQUENTIAL,
                    (code, path, context, name) -> {
                        if (code == Code.OK.intValue()) {
                            created.add(name);
                        }
                        room.release();
                    },
                    null);
        }
        room.acquire(UNDER_WAY);
        if (created.size() != nodes) {
            throw new IllegalStateException("only " + created.size() + " nodes were created");
        }
        return created;
    }

    /** Deletes the nodes in their order. */
    private static void delete(ZooKeeper others, List<String> created) throws InterruptedException {
        Semaphore room = new Semaphore(UNDER_WAY);
        for (String path : created) {
            room.acquire();
            others.delete(path, -1, (code, asked, context) -> room.release(), null);
        }
        room.acquire(UNDER_WAY);
    }
}

package io.github.distlock.tests.zookeeper;

import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;

/** One server for all tests of this JVM that do not hurt it, as an operator sees it. It ends with the JVM. */
final class SharedZooKeeper {
    static final Duration TICK = Duration.ofMillis(200);

    private static final AtomicInteger NUMBER = new AtomicInteger();

    private static final class Shared {
        static final ZooKeeperServer SERVER = ZooKeeperServer.start(ZooKeeperSettings.defaults()
                .tickTime(TICK)
                .withSystemProperty("znode.container.checkIntervalMs", "1000"));
        static final ZooKeeper OPERATOR = connect();
    }

    private SharedZooKeeper() {}

    private static ZooKeeper connect() {
        CountDownLatch connected = new CountDownLatch(1);
        try {
            ZooKeeper operator = new ZooKeeper(Shared.SERVER.address(), 30_000, event -> {
                if (event.getState() == KeeperState.SyncConnected) {
                    connected.countDown();
                }
            });
            connected.await();
            return operator;
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    static ZooKeeperServer server() {
        return Shared.SERVER;
    }

    static String address() {
        return Shared.SERVER.address();
    }

    static ZooKeeper operator() {
        return Shared.OPERATOR;
    }

    /** A path that no other test uses. */
    static String freshPath() {
        return "/test" + NUMBER.incrementAndGet();
    }

    /** What an operator does over and over: retried while the connection is busy with something else. */
    private interface Question<T> {
        T ask() throws KeeperException, InterruptedException;
    }

    private static <T> T answer(Question<T> question) {
        try {
            return question.ask();
        } catch (KeeperException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    static List<String> children(String path) {
        return answer(() -> {
            try {
                return operator().getChildren(path, false);
            } catch (KeeperException.NoNodeException e) {
                return List.of();
            }
        });
    }

    static boolean exists(String path) {
        return answer(() -> operator().exists(path, false)) != null;
    }

    static void delete(String path) {
        answer(() -> {
            try {
                operator().delete(path, -1);
            } catch (KeeperException.NoNodeException e) {
                // Somebody else was faster.
            }
            return path;
        });
    }

    /** Deletes the first node of a lock. */
    static void deleteFirst(String directory) {
        children(directory).stream()
                .min(Comparator.comparing(child -> child.substring(child.length() - 10)))
                .ifPresent(first -> delete(directory + "/" + first));
    }

    /** The paths at and below this one that somebody watches. */
    static List<String> watched(String base) {
        try (Socket socket = new Socket(server().host(), server().port())) {
            socket.getOutputStream().write("wchp".getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> line.equals(base) || line.startsWith(base + "/"))
                    .toList();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static void await(String expected, Duration limit, BooleanSupplier condition) {
        long begin = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begin > limit.toNanos()) {
                throw new AssertionError("expected within " + limit + ": " + expected);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    static void letPass(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (end - System.nanoTime() > 0) {
            LockSupport.parkNanos(end - System.nanoTime());
        }
    }
}

package io.github.distlock.zookeeper;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.tests.servers.Server;
import io.github.distlock.tests.servers.ZooKeeperEnsemble;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;

/**
 * A server that all tests of this JVM share if they inject no faults into it. Sends an operator's requests to any
 * server.
 */
final class SharedZooKeeper {
    static final Duration TICK = Duration.ofMillis(200);

    private static final AtomicInteger NUMBER = new AtomicInteger();

    private static final class Shared {
        static final ZooKeeperServer SERVER = startAnother();
        static final ZooKeeper OPERATOR = connect(SERVER.address());
    }

    private SharedZooKeeper() {}

    /** Starts another server with the same settings. */
    static ZooKeeperServer startAnother() {
        return ZooKeeperServer.start(settings());
    }

    /** Starts a server that allows nodes with a time to live. */
    static ZooKeeperServer startWithTtlNodes() {
        return ZooKeeperServer.start(settings().withSystemProperty("zookeeper.extendedTypesEnabled", "true"));
    }

    /** Starts an ensemble of three servers with the same settings. */
    static ZooKeeperEnsemble startEnsemble() {
        return ZooKeeperEnsemble.start(settings());
    }

    private static ZooKeeperSettings settings() {
        return ZooKeeperSettings.defaults()
                .tickTime(TICK)
                .withSystemProperty("znode.container.checkIntervalMs", "1000");
    }

    private static ZooKeeper connect(String address) {
        CountDownLatch connected = new CountDownLatch(1);
        try {
            ZooKeeper operator = new ZooKeeper(address, 30_000, event -> {
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

    /**
     * Ends a session by a second client with the same session. The first client may move the session back before the
     * second one has ended it. So this tries again until the server does not know the session.
     */
    static void expire(ZooKeeper handle) throws Exception {
        int timeout = handle.getSessionTimeout();
        long id = handle.getSessionId();
        byte[] password = handle.getSessionPasswd();
        boolean known = true;
        while (known) {
            CompletableFuture<KeeperState> answer = new CompletableFuture<>();
            Watcher watcher = event -> {
                if (event.getState() == KeeperState.SyncConnected || event.getState() == KeeperState.Expired) {
                    answer.complete(event.getState());
                }
            };
            try (ZooKeeper second = new ZooKeeper(address(), timeout, watcher, id, password)) {
                known = answer.get() == KeeperState.SyncConnected;
            }
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

    /** Returns a path that no other test uses. */
    static String freshPath() {
        return "/test" + NUMBER.incrementAndGet();
    }

    /** Creates the directory of a lock, which the server does not remove while it is empty. */
    static void createDirectory(String base, String directory) throws KeeperException, InterruptedException {
        for (String path : List.of(base, directory)) {
            var unused = operator().create(path, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        }
    }

    private interface Question<T> {
        T ask() throws KeeperException, InterruptedException;
    }

    /** Asks a server as an operator. */
    @CanIgnoreReturnValue
    static <T> T asked(Server server, Function<ZooKeeper, T> question) {
        if (server == Shared.SERVER) {
            return question.apply(operator());
        }
        try (ZooKeeper operator = connect(server.address())) {
            // A follower may be behind. It answers later requests of this session after the sync.
            operator.sync("/", (code, path, context) -> {}, null);
            return question.apply(operator);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static <T> T answer(Question<T> question) {
        try {
            return question.ask();
        } catch (KeeperException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    static List<String> children(String path) {
        return children(operator(), path);
    }

    static List<String> children(ZooKeeper operator, String path) {
        return answer(() -> {
            try {
                return operator.getChildren(path, false);
            } catch (KeeperException.NoNodeException e) {
                return List.of();
            }
        });
    }

    static boolean exists(String path) {
        return answer(() -> operator().exists(path, false)) != null;
    }

    static void delete(String path) {
        delete(operator(), path);
    }

    @CanIgnoreReturnValue
    private static String delete(ZooKeeper operator, String path) {
        return answer(() -> {
            try {
                operator.delete(path, -1);
            } catch (KeeperException.NoNodeException e) {
                // Another client has deleted the node.
            }
            return path;
        });
    }

    /** Deletes the first node of a lock. */
    static void deleteFirst(String directory) {
        deleteFirst(operator(), directory);
    }

    @CanIgnoreReturnValue
    static Optional<String> deleteFirst(ZooKeeper operator, String directory) {
        return first(operator, directory).map(first -> delete(operator, directory + "/" + first));
    }

    /** Returns the watched paths at and below this one. */
    static List<String> watched(String base) {
        return fourLetterWord(server(), "wchp")
                .lines()
                .filter(line -> line.equals(base) || line.startsWith(base + "/"))
                .toList();
    }

    /** Returns a server's answer to a four-letter word. */
    static String fourLetterWord(Server server, String word) {
        try (Socket socket = new Socket(server.host(), server.port())) {
            socket.getOutputStream().write(word.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns the session of the first node of a lock. */
    static long sessionOfFirst(ZooKeeper operator, String directory) {
        String first = first(operator, directory).orElseThrow();
        return answer(() -> operator.exists(directory + "/" + first, false)).getEphemeralOwner();
    }

    private static Optional<String> first(ZooKeeper operator, String directory) {
        return children(operator, directory).stream()
                .min(Comparator.comparing(child -> child.substring(child.length() - 10)));
    }
}

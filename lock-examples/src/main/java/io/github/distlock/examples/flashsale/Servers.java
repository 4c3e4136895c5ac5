package io.github.distlock.examples.flashsale;

import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.Server;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import redis.clients.jedis.RedisClient;

/** The two servers that this program starts, and the number of requests that each has received. */
final class Servers implements AutoCloseable {
    /** Counts the requests of clients, and not the commands that scripts run inside the server. */
    private static final Pattern REDIS_REQUESTS =
            Pattern.compile("cmdstat_(?:eval|evalsha|script\\|load|subscribe|unsubscribe|hello|ping):calls=(\\d+)");

    private static final Pattern ZOOKEEPER_REQUESTS = Pattern.compile("zk_packets_received\\s+(\\d+)");

    private final RedisServer redis;
    private final ZooKeeperServer zooKeeper;

    private Servers(RedisServer redis, ZooKeeperServer zooKeeper) {
        this.redis = redis;
        this.zooKeeper = zooKeeper;
    }

    static Servers start() {
        RedisServer redis = RedisServer.start();
        try {
            return new Servers(
                    redis, ZooKeeperServer.start(ZooKeeperSettings.defaults().tickTime(Store.TICK)));
        } catch (RuntimeException e) {
            redis.close();
            throw e;
        }
    }

    String address(Store store) {
        return store == Store.REDIS ? redis.uri() : zooKeeper.connectString();
    }

    String version(Store store) {
        Server server = store == Store.REDIS ? redis : zooKeeper;
        return store + " " + server.version();
    }

    long requests(Store store) {
        return store == Store.REDIS ? redisRequests() : zooKeeperRequests();
    }

    private long redisRequests() {
        try (RedisClient admin = RedisClient.create(redis.uri())) {
            return sum(REDIS_REQUESTS, admin.info("commandstats"));
        }
    }

    private long zooKeeperRequests() {
        try (Socket socket = new Socket(zooKeeper.host(), zooKeeper.port())) {
            socket.getOutputStream().write("mntr".getBytes(StandardCharsets.US_ASCII));
            return sum(
                    ZOOKEEPER_REQUESTS, new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException("ZooKeeper does not count its requests", e);
        }
    }

    private static long sum(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map((MatchResult found) -> found.group(1))
                .mapToLong(Long::parseLong)
                .sum();
    }

    @Override
    public void close() {
        zooKeeper.close();
        redis.close();
    }
}

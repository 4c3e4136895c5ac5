package io.github.distlock.redis;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.ServerFixture;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.Server;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.Supplier;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.params.ScanParams;
import redis.clients.jedis.resps.ScanResult;

/** A separate prefix of keys on a server. */
class RedisFixture extends ServerFixture<Server> {
    /** Returns the members of a sorted set whose time is later than the server's present time. */
    private static final String LIVING = """
            local time = redis.call('TIME')
            return redis.call('ZRANGEBYSCORE', KEYS[1], time[1] * 1000000 + time[2], '+inf')
            """;

    /** The server that all tests of this JVM share if they inject no faults into it. */
    static final class Shared {
        static final RedisServer SERVER = RedisServer.start();
        /** Names its scripts, for tests that flush them, and tests that count requests. */
        static final String SCRIPTS = "the scripts of the shared server";
    }

    RedisFixture() {
        this(new RedisFactory());
    }

    RedisFixture(BackendFactory factory) {
        this(Shared.SERVER, factory);
    }

    RedisFixture(RedisServer server, BackendFactory factory) {
        super(server, RedisFixture::startStoring, factory);
    }

    /** Uses a part of running servers that are not a single one. */
    RedisFixture(Server running, Supplier<? extends Server> servers, BackendFactory factory) {
        super(running, servers, factory);
    }

    /** Uses other servers than a single one. */
    RedisFixture(Supplier<? extends Server> servers, BackendFactory factory) {
        super(servers, factory);
    }

    /** Returns the server that keeps a key. */
    RedisServer serverOf(String key) {
        return (RedisServer) server();
    }

    /** Returns all servers that keep keys. */
    List<RedisServer> keepers() {
        return List.of((RedisServer) server());
    }

    static RedisServer startStoring() {
        return RedisServer.start("appendonly yes", "appendfsync always");
    }

    @Override
    protected boolean tokensOutliveData() {
        return true;
    }

    @Override
    protected OptionalLong endsHoldAt(String name) {
        String key = space() + ":" + name;
        return OptionalLong.of(endsAt(serverOf(key), key));
    }

    /** Returns when a server ends a key, by {@link System#nanoTime()}. */
    static long endsAt(RedisServer server, String key) {
        return asked(server, admin -> {
            admin.ping();
            long askedAt = System.nanoTime();
            return askedAt + admin.pttl(key) * 1_000_000;
        });
    }

    /** Asks a server over a new connection, because tests stop and restart servers. */
    @CanIgnoreReturnValue
    static <T> T asked(RedisServer server, Function<RedisClient, T> question) {
        try (RedisClient admin = RedisClient.create(server.uri())) {
            return question.apply(admin);
        }
    }

    @Override
    public void lose(String name) {
        String key = space() + ":" + name;
        asked(serverOf(key), admin -> admin.del(key));
    }

    /**
     * Returns all keys except the last fencing tokens and requests for release. Of a queue, returns the entries of
     * living clients, and no tombstones.
     */
    @Override
    public List<String> leftovers() {
        return keepers().stream()
                .flatMap(server -> asked(server, this::leftovers).stream())
                .toList();
    }

    private List<String> leftovers(RedisClient admin) {
        ScanParams own = new ScanParams().match("*" + space() + ":*").count(1_000);
        List<String> leftovers = new ArrayList<>();
        String cursor = ScanParams.SCAN_POINTER_START;
        do {
            ScanResult<String> page = admin.scan(cursor, own);
            for (String key : page.getResult()) {
                if (key.endsWith(":alive")) {
                    String queue = key.substring(0, key.lastIndexOf(':')) + ":queue";
                    List<?> living = (List<?>) admin.eval(LIVING, List.of(key), List.of());
                    living.forEach(entry -> leftovers.add(queue + ": " + entry));
                } else if (!key.endsWith(":token") && !key.endsWith(":queue") && !key.endsWith(":requested")) {
                    leftovers.add(key);
                }
            }
            cursor = page.getCursor();
        } while (!cursor.equals(ScanParams.SCAN_POINTER_START));
        return leftovers;
    }
}

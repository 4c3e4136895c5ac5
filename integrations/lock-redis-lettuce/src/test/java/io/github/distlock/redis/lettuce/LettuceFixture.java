package io.github.distlock.redis.lettuce;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.ServerFixture;
import io.github.distlock.tests.servers.RedisServer;
import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.RedisClient;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.resource.ClientResources;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** A separate prefix of keys on a server that clients reach through Lettuce. */
class LettuceFixture extends ServerFixture<RedisServer> {
    /** Returns the members of a sorted set whose time is later than the server's present time. */
    private static final String LIVING = """
            local time = redis.call('TIME')
            return redis.call('ZRANGEBYSCORE', KEYS[1], time[1] * 1000000 + time[2], '+inf')
            """;

    private final Factory factory;

    LettuceFixture() {
        this(new Factory());
    }

    private LettuceFixture(Factory factory) {
        super(() -> RedisServer.start("appendonly yes", "appendfsync always"), factory);
        this.factory = factory;
    }

    /** Creates a client for each backend. A client outlives its backend. All share their threads. */
    public static final class Factory implements BackendFactory {
        private static final ClientResources RESOURCES = ClientResources.create();
        private final List<RedisClient> clients = new CopyOnWriteArrayList<>();

        @Override
        public LockBackend backend(String address, String space) {
            RedisClient client = RedisClient.create(RESOURCES, "redis://" + address);
            clients.add(client);
            return LettuceRedis.builder(client).keyPrefix(space + ":").build();
        }
    }

    @Override
    protected boolean tokensOutliveData() {
        return true;
    }

    @Override
    protected OptionalLong endsHoldAt(String name) {
        return OptionalLong.of(asked(server(), admin -> {
            var unused = admin.ping();
            long askedAt = System.nanoTime();
            return askedAt + admin.pttl(space() + ":" + name) * 1_000_000;
        }));
    }

    /** Asks a server over a new connection, because tests stop and restart servers. */
    static <T> T asked(RedisServer server, Function<RedisCommands<String, String>, T> question) {
        RedisClient client = RedisClient.create(Factory.RESOURCES, server.uri());
        try (StatefulRedisConnection<String, String> connection = client.connect()) {
            return question.apply(connection.sync());
        } finally {
            client.shutdown(0, 0, TimeUnit.SECONDS);
        }
    }

    @Override
    public void lose(String name) {
        var unused = asked(server(), admin -> admin.del(space() + ":" + name));
    }

    /**
     * Returns all keys except the last fencing tokens and requests for release. Of a queue, returns the entries of
     * living clients, and no tombstones.
     */
    @Override
    public List<String> leftovers() {
        return asked(server(), this::leftovers);
    }

    private List<String> leftovers(RedisCommands<String, String> admin) {
        ScanArgs own = ScanArgs.Builder.matches("*" + space() + ":*").limit(1_000);
        List<String> leftovers = new ArrayList<>();
        ScanCursor cursor = ScanCursor.INITIAL;
        while (!cursor.isFinished()) {
            KeyScanCursor<String> page = admin.scan(cursor, own);
            for (String key : page.getKeys()) {
                if (key.endsWith(":alive")) {
                    String queue = key.substring(0, key.lastIndexOf(':')) + ":queue";
                    List<?> living = admin.eval(LIVING, ScriptOutputType.MULTI, key);
                    living.forEach(entry -> leftovers.add(queue + ": " + entry));
                } else if (!key.endsWith(":token") && !key.endsWith(":queue") && !key.endsWith(":requested")) {
                    leftovers.add(key);
                }
            }
            cursor = page;
        }
        return leftovers;
    }

    @Override
    public void close() {
        factory.clients.forEach(client -> client.shutdown(0, 0, TimeUnit.SECONDS));
        super.close();
    }
}

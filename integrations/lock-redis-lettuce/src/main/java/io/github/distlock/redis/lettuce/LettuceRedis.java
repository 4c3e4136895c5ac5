package io.github.distlock.redis.lettuce;

import static java.util.Objects.requireNonNull;

import io.github.distlock.redis.RedisBackend;
import io.github.distlock.redis.RedisBackendBuilder;
import io.lettuce.core.RedisClient;
import io.lettuce.core.cluster.RedisClusterClient;

/**
 * Makes a {@link RedisBackend} over a caller-supplied client of Lettuce.
 *
 * <pre>{@code
 * LockClient locks = LockClient.create(LettuceRedis.create(redisClient));
 * }</pre>
 *
 * <p>The scripts, keys and guarantees are those of {@link RedisBackend}: clients over Jedis and over Lettuce share
 * locks, wait in one queue, and hand locks to each other. Jedis need not be on the class path.
 *
 * <p><b>Connections.</b> The backend makes connections of its own through the client, with its address, credentials,
 * TLS and resources: one for requests, one for renewals and heartbeats, and one for messages while a thread waits; over
 * a cluster, the first two for each primary. It opens them when they are needed. Closing the backend closes them. The
 * client stays open, and the caller closes it after the backend.
 *
 * <p><b>Time.</b> Each request ends at its deadline, whatever the timeouts of the client are. No request is repeated
 * after a connection has broken, although the client itself repeats commands.
 *
 * <p><b>Threads.</b> No code of the application runs on the event loops of Lettuce, and none may wait there. On a
 * thread whose name begins with {@code lettuce-}, a blocking acquire is refused, and a release goes on in the
 * background.
 *
 * <p><b>Settings.</b> {@link RedisBackendBuilder#maxConnections} and {@link RedisBackendBuilder#clientConfig} have no
 * effect. {@link RedisBackendBuilder#awaitReplicas} is refused, because {@code WAIT} would delay all other requests of
 * the connection.
 *
 * <p>All methods are thread-safe and send nothing.
 */
public final class LettuceRedis {
    private LettuceRedis() {}

    /**
     * Makes a backend over a client of one server, or of the primary that sentinels name.
     *
     * @param client the client, which was made with an address
     * @return a new backend
     */
    public static RedisBackend create(RedisClient client) {
        return builder(client).build();
    }

    /**
     * Makes a backend over a client of a cluster.
     *
     * @param client the client; the backend has it read the {@linkplain RedisClusterClient#refreshPartitionsAsync
     *     partitions} again after failures and redirections
     * @return a new backend
     */
    public static RedisBackend create(RedisClusterClient client) {
        return builder(client).build();
    }

    /**
     * Returns a builder of a backend over a client of one server, or of the primary that sentinels name.
     *
     * @param client as for {@link #create(RedisClient)}
     * @return a new builder
     */
    public static RedisBackendBuilder builder(RedisClient client) {
        requireNonNull(client, "client");
        return RedisBackend.builder(context -> new LettuceConnections(new OneServer(client, context), context));
    }

    /**
     * Returns a builder of a backend over a client of a cluster.
     *
     * @param client as for {@link #create(RedisClusterClient)}
     * @return a new builder
     */
    public static RedisBackendBuilder builder(RedisClusterClient client) {
        requireNonNull(client, "client");
        return RedisBackend.builder(context -> new LettuceConnections(new ClusterNodes(client, context), context));
    }
}

/**
 * The Redis backend of distlock, over Jedis.
 *
 * <p>Start at {@link io.github.distlock.redis.RedisBackend}.
 */
@SuppressWarnings("module") // The module to which a package is exported is built later.
module io.github.distlock.redis {
    requires transitive io.github.distlock;
    requires transitive io.github.distlock.fencing;
    requires transitive redis.clients.jedis;
    requires org.slf4j;
    requires static com.google.errorprone.annotations;
    requires static org.jspecify;

    exports io.github.distlock.redis;
    exports io.github.distlock.redis.connection to
            io.github.distlock.redis.lettuce,
            io.github.distlock.simulator;
}

/**
 * The Redis backend of distlock, over Jedis.
 *
 * <p>Start at {@link io.github.distlock.redis.RedisBackend}.
 */
module io.github.distlock.redis {
    requires transitive io.github.distlock;
    requires transitive redis.clients.jedis;
    requires org.slf4j;
    requires static com.google.errorprone.annotations;
    requires static org.jspecify;

    exports io.github.distlock.redis;
}

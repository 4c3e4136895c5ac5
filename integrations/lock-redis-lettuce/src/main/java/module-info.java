/**
 * The Redis backend of distlock, over a caller-supplied client of Lettuce.
 *
 * <p>Start at {@link io.github.distlock.redis.lettuce.LettuceRedis}.
 */
module io.github.distlock.redis.lettuce {
    requires transitive io.github.distlock.redis;
    requires transitive lettuce.core;
    requires static com.google.errorprone.annotations;
    requires static org.jspecify;

    exports io.github.distlock.redis.lettuce;
}

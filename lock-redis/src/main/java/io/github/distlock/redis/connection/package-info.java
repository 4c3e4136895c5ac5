/**
 * What a module needs to connect the Redis backend through another client library than Jedis. Only the modules of this
 * project use it. Start at {@link io.github.distlock.redis.connection.Connections}.
 */
@NullMarked
@CheckReturnValue
package io.github.distlock.redis.connection;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;

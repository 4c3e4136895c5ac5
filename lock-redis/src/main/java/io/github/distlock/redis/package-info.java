/** Keeps locks in Redis. Start at {@link io.github.distlock.redis.RedisBackend}. */
@NullMarked
@CheckReturnValue
package io.github.distlock.redis;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;

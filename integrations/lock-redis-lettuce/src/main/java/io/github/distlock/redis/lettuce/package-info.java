/** Keeps locks in Redis through Lettuce. Start at {@link io.github.distlock.redis.lettuce.LettuceRedis}. */
@NullMarked
@CheckReturnValue
package io.github.distlock.redis.lettuce;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;

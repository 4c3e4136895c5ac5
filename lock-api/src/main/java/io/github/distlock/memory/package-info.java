/**
 * A store in memory, for unit tests of code that locks. It behaves like a real store, with a clock that a test can move
 * and ways to take a hold away. Start at {@link io.github.distlock.memory.InMemoryStore}.
 */
@NullMarked
@CheckReturnValue
package io.github.distlock.memory;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;

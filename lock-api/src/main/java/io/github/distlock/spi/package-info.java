/**
 * What the author of a backend implements, and what the engine hands to it.
 *
 * <p>A backend answers short questions about one store; waiting, time-outs, interruption, renewal, loss, local queueing
 * and clean-up are the engine's, written once. Start at {@link io.github.distlock.spi.LockBackend}; the contract suite
 * in {@code lock-tests} proves a finished backend.
 *
 * <p>Nothing here accepts or returns {@code null} unless it says so.
 */
@NullMarked
@CheckReturnValue
package io.github.distlock.spi;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;

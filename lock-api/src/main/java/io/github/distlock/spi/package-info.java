/**
 * The interface that the author of a backend implements, and the objects that the engine passes to it.
 *
 * <p>A backend answers short questions about one store. The engine does the rest, once for all stores: waiting,
 * timeouts, interruption, renewal, loss, local queues and cleanup. Start at {@link io.github.distlock.spi.LockBackend}.
 * The contract in {@code lock-tests} proves a finished backend.
 *
 * <p>Nothing here accepts or returns {@code null} unless it says so.
 */
@NullMarked
@CheckReturnValue
package io.github.distlock.spi;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;

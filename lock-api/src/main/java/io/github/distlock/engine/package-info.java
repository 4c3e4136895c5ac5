/**
 * The engine: waiting, local handoff, renewal, loss and cleanup, the same for all stores. It asks a backend short
 * questions ({@link io.github.distlock.spi.LockBackend}). The module does not export this package.
 *
 * <p>An acquire goes through four files, and back the same way:
 * <ol>
 *   <li>{@link io.github.distlock.engine.NamedLock}: a name and its options;
 *   <li>{@link io.github.distlock.engine.BlockingAcquisition}, on the caller's thread, or
 *       {@link io.github.distlock.engine.AsyncAcquisition};
 *   <li>{@link io.github.distlock.engine.Acquisition}: asks and waits until there is one outcome;
 *   <li>{@link io.github.distlock.engine.LocalQueue}: whose turn it is among the waiters of this client, and the
 *       request to the store.
 * </ol>
 *
 * <p>Then read {@link io.github.distlock.engine.Lease}, one grant of the store; {@link io.github.distlock.engine.Hold},
 * one holder's part of it; and {@link io.github.distlock.engine.LeaseKeeper}, which renews leases and ends them on
 * time. {@link io.github.distlock.engine.Engine} puts the parts together and closes them.
 */
@NullMarked
@CheckReturnValue
package io.github.distlock.engine;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;

/**
 * Distributed locks.
 *
 * <pre>{@code
 * try (LockClient locks = LockClient.create(backend)) {
 *     DistributedLock lock = locks.lock("orders/42");
 *     try (LockHandle held = lock.acquire()) {
 *         orders.save(order, held.fencingToken());
 *     }
 * }
 * }</pre>
 *
 * <p>{@link io.github.distlock.LockClient} hands out locks, {@link io.github.distlock.DistributedLock} is acquired,
 * {@link io.github.distlock.LockHandle} is one hold. Unit tests of code that locks use
 * {@link io.github.distlock.memory.InMemoryStore}.
 *
 * <p>Nothing here accepts or returns {@code null} unless it says so; {@code null} is refused with a
 * {@link java.lang.NullPointerException} that names the parameter, before anything else happens. A result that is
 * ignored is a leaked lock, so ignoring one is flagged by tools that know {@code CheckReturnValue}.
 */
@NullMarked
@CheckReturnValue
package io.github.distlock;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;

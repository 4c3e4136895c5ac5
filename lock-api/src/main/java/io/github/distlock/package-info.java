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
 * <p>A {@link io.github.distlock.LockClient} returns locks, a {@link io.github.distlock.DistributedLock} is acquired,
 * and a {@link io.github.distlock.LockHandle} is one hold. Unit tests of code that locks use
 * {@link io.github.distlock.memory.InMemoryStore}.
 *
 * <p>Nothing here accepts or returns {@code null} unless it says so. A {@code null} argument causes a
 * {@link java.lang.NullPointerException} that names the parameter, before anything else happens. Tools that know
 * {@code CheckReturnValue} warn if a result is ignored, since it may be a lock that nobody releases.
 */
@NullMarked
@CheckReturnValue
package io.github.distlock;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;

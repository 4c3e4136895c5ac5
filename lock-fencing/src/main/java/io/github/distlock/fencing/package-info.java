/**
 * The receiving side of fencing: rejects late requests of earlier holders of a lock.
 *
 * <p>Start at {@link io.github.distlock.fencing.FencingGuard} for resources in memory, and at
 * {@link io.github.distlock.fencing.SqlFence} for those in a database.
 */
@NullMarked
package io.github.distlock.fencing;

import org.jspecify.annotations.NullMarked;

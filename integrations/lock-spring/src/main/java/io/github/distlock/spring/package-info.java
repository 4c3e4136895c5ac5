/**
 * Locks by annotation: {@link io.github.distlock.spring.DistributedLocked} on a method of a Spring bean, switched on by
 * {@link io.github.distlock.spring.EnableDistributedLocks}.
 */
@NullMarked
package io.github.distlock.spring;

import org.jspecify.annotations.NullMarked;

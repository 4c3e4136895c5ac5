/**
 * The contract that every backend has to keep, as tests.
 *
 * <p>The author of a backend extends {@link io.github.distlock.tests.LockContract} and provides a
 * {@link io.github.distlock.tests.BackendFixture}, which builds clients of the store and disturbs them.
 */
@NullMarked
package io.github.distlock.tests;

import org.jspecify.annotations.NullMarked;

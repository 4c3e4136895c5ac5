/**
 * The contract that every backend has to keep, as tests.
 *
 * <p>Who writes a backend extends {@link io.github.distlock.tests.LockContract} and says in a
 * {@link io.github.distlock.tests.BackendFixture} how to build a client of the store and how to hurt it.
 */
@NullMarked
package io.github.distlock.tests;

import org.jspecify.annotations.NullMarked;

/**
 * Waiting in tests, and tests on busy machines: {@link io.github.distlock.tests.waiting.Waiting} waits for conditions,
 * and {@link io.github.distlock.tests.waiting.StarvationExtension} has tests repeated that failed on a stalled or
 * starved machine.
 */
@NullMarked
package io.github.distlock.tests.waiting;

import org.jspecify.annotations.NullMarked;

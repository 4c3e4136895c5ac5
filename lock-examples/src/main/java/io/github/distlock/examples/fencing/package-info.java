/**
 * A holder that is paused between the check of its hold and its write, and the resources that refuse the late write.
 * Start at {@link io.github.distlock.examples.fencing.PausedHolder}.
 */
@NullMarked
package io.github.distlock.examples.fencing;

import org.jspecify.annotations.NullMarked;

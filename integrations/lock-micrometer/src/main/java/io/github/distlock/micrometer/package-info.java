/** Metrics and observations for Micrometer. Start at {@link io.github.distlock.micrometer.LockMetrics}. */
@NullMarked
@CheckReturnValue
package io.github.distlock.micrometer;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;

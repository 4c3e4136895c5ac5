/**
 * A simulator: clients of several processes and models of their servers run in one JVM on virtual time. A seed decides
 * each schedule, delay, fault and clock, so the same seed repeats the same run.
 */
@NullMarked
package io.github.distlock.simulator;

import org.jspecify.annotations.NullMarked;

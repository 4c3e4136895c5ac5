/** A model of Redis servers, and connections to them over the simulated network. */
@NullMarked
package io.github.distlock.simulator.redis;

import org.jspecify.annotations.NullMarked;

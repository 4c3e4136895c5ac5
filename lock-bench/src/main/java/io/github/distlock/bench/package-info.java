/**
 * Benchmarks and a soak test. Each benchmark prints its figures, and those of a floor that it measures in the same run.
 */
@NullMarked
package io.github.distlock.bench;

import org.jspecify.annotations.NullMarked;

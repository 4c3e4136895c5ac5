/** Benchmarks: each a program that prints its figures beside a floor of the same run. */
@NullMarked
package io.github.distlock.bench;

import org.jspecify.annotations.NullMarked;

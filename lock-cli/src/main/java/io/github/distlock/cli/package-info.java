/**
 * The command line of distlock.
 *
 * <p>{@link io.github.distlock.cli.Distlock} has the main method. Each verb is a class. A verb that cannot do what it
 * was asked for throws a {@link io.github.distlock.cli.Failure}, which has the exit code.
 */
@NullMarked
package io.github.distlock.cli;

import org.jspecify.annotations.NullMarked;

/**
 * Keeps locks in ZooKeeper, through Curator. Start at {@link io.github.distlock.zookeeper.ZooKeeperBackend}.
 *
 * <p>Nothing here accepts or returns {@code null} unless it says so. A method that gets {@code null} throws a
 * {@link java.lang.NullPointerException} that names the parameter, before it does anything else.
 */
@NullMarked
@CheckReturnValue
package io.github.distlock.zookeeper;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;

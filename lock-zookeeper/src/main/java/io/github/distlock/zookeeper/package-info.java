/**
 * The ZooKeeper backend, over Curator. {@link io.github.distlock.zookeeper.ZooKeeperBackend} is all that a user needs.
 *
 * <p>Nothing here accepts or returns {@code null} unless it says so; {@code null} is refused with a
 * {@link java.lang.NullPointerException} that names the parameter, before anything else happens.
 */
@NullMarked
@CheckReturnValue
package io.github.distlock.zookeeper;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;

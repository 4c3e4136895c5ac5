/**
 * Real servers for tests, and ways to hurt them: {@link io.github.distlock.tests.servers.RedisServer},
 * {@link io.github.distlock.tests.servers.FaultProxy} between a client and its server, and
 * {@link io.github.distlock.tests.servers.JvmProcess} for clients in processes of their own.
 */
@NullMarked
package io.github.distlock.tests.servers;

import org.jspecify.annotations.NullMarked;

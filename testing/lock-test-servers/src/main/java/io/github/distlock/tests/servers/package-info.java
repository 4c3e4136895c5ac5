/**
 * Real servers for tests, and faults: servers such as {@link io.github.distlock.tests.servers.RedisServer}, a
 * {@link io.github.distlock.tests.servers.FaultProxy} between a client and its server, and a
 * {@link io.github.distlock.tests.servers.ChildProgram} for clients in separate processes.
 */
@NullMarked
package io.github.distlock.tests.servers;

import org.jspecify.annotations.NullMarked;

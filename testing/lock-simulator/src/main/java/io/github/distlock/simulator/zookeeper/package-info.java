/**
 * A model of a ZooKeeper ensemble, written from ZooKeeper's documentation and checked against its servers. Clients
 * reach it over the simulated network, through ZooKeeper's own client library.
 */
@NullMarked
package io.github.distlock.simulator.zookeeper;

import org.jspecify.annotations.NullMarked;

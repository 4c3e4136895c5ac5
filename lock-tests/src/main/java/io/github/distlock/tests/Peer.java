package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.spi.LockBackend;
import java.util.List;

/** One client, with what a test needs to observe it and to disturb it. */
final class Peer {
    final String client;
    final LockBackend backend;
    final FaultyBackend faults;
    final Network network;
    final Events events;
    final LockClient locks;

    Peer(String client, LockBackend backend, FaultyBackend faults, Network network, Events events, LockClient locks) {
        this.client = client;
        this.backend = backend;
        this.faults = faults;
        this.network = network;
        this.events = events;
        this.locks = locks;
    }

    DistributedLock lock(String name) {
        return locks.lock(name);
    }

    /** Returns the names of this client's threads that are alive. */
    List<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(Thread::isAlive)
                .map(Thread::getName)
                .filter(thread -> thread.startsWith("distlock-" + client + "-"))
                .sorted()
                .toList();
    }
}

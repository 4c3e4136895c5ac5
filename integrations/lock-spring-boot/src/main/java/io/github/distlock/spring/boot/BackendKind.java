package io.github.distlock.spring.boot;

import java.util.Locale;

/** The values of {@code distlock.backend}. */
enum BackendKind {
    /** Redis or Valkey. */
    REDIS("lock-redis"),
    /** ZooKeeper. */
    ZOOKEEPER("lock-zookeeper"),
    /** The memory of this process, for tests. */
    MEMORY("lock-api");

    final String artifact;

    BackendKind(String artifact) {
        this.artifact = artifact;
    }

    /** Returns the value as it is written in properties. */
    String property() {
        return name().toLowerCase(Locale.ROOT);
    }
}

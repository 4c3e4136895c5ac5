package io.github.distlock.bench;

import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.LockBackend;

/** A store that is soaked. */
interface SoakedStore extends AutoCloseable {
    static SoakedStore of(String kind) {
        return switch (kind) {
            case "memory" -> new InMemory();
            case "redis" -> new SoakedRedis();
            case "zookeeper" -> new SoakedZooKeeper();
            default -> throw new IllegalArgumentException("memory, redis or zookeeper, but was " + kind);
        };
    }

    LockBackend newBackend();

    /** Over how many names. */
    int names();

    /** How many cycles, unless told otherwise. */
    long cycles();

    /** How many connections a client may keep when it is idle. */
    long idleConnections();

    /** What it has, but for what it keeps on purpose and for a time. */
    long entries();

    @Override
    void close();

    /** A store in this process. */
    final class InMemory implements SoakedStore {
        private final InMemoryStore store = new InMemoryStore();

        @Override
        public LockBackend newBackend() {
            return store.connect();
        }

        @Override
        public int names() {
            return 1_000_000;
        }

        @Override
        public long cycles() {
            return 10_000_000;
        }

        @Override
        public long entries() {
            return store.size();
        }

        @Override
        public long idleConnections() {
            return 0;
        }

        @Override
        public void close() {}
    }
}

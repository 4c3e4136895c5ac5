package io.github.distlock.bench;

import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.LockBackend;

/** A store for the soak test. */
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

    /** Returns over how many names the acquires are spread. */
    int names();

    /** Returns the default number of cycles. */
    long cycles();

    /** Returns how many connections an idle client may keep. */
    long idleConnections();

    /** Returns how many entries the store has, without those that it keeps for a time on purpose. */
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

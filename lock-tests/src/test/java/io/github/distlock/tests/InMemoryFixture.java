package io.github.distlock.tests;

import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.LockBackend;
import java.time.Duration;
import java.util.List;

/** A store in memory, whose clock the contract moves. */
class InMemoryFixture implements BackendFixture {
    final InMemoryStore store = new InMemoryStore();

    @Override
    public LockBackend newBackend() {
        return store.connect();
    }

    @Override
    public void lose(String name) {
        store.delete(name);
    }

    @Override
    public void silence(LockBackend backend) {
        ((InMemoryBackend) backend).pause();
    }

    @Override
    public void restore(LockBackend backend) {
        ((InMemoryBackend) backend).resume();
    }

    @Override
    public void letPass(Duration time) {
        store.advance(time);
    }

    @Override
    public List<String> leftovers() {
        int size = store.size();
        return size == 0 ? List.of() : List.of(size + " locks held or waited for");
    }

    @Override
    public Duration lease() {
        return Duration.ofSeconds(30);
    }

    @Override
    public void close() {}
}

package io.github.distlock.tests;

import io.github.distlock.LockStatus;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockBackend;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;

/** A store in memory, whose clock the contract moves. */
class InMemoryFixture extends BackendFixture {
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
        connection(backend).pause();
    }

    @Override
    public void restore(LockBackend backend) {
        connection(backend).resume();
    }

    /** Finds the connection beneath everything that a test has wrapped around it. */
    private static InMemoryBackend connection(LockBackend backend) {
        return backend instanceof WrappedBackend wrapped ? connection(wrapped.inner) : (InMemoryBackend) backend;
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
    OptionalLong endsHoldAt(String name) throws InterruptedException {
        LockStatus status = store.connect().inspect(name, Deadline.after(patience(), store.clock()));
        Duration remaining = status.holders().get(0).remainingLease();
        return OptionalLong.of(store.clock().nanoTime() + remaining.toNanos());
    }

    @Override
    public Duration lease() {
        return Duration.ofSeconds(30);
    }

    @Override
    public void close() {}
}

package io.github.distlock;

import static java.util.Objects.requireNonNull;

import io.github.distlock.engine.Engine;
import java.util.Collection;
import java.util.List;

/** A client over an engine, which does not know this package's factories. */
final class EngineClient implements LockClient {
    private final Engine engine;
    private final LockOptions defaultOptions;

    EngineClient(Engine engine, LockOptions defaultOptions) {
        engine.requireSupport(defaultOptions);
        engine.start();
        this.engine = engine;
        this.defaultOptions = defaultOptions;
    }

    @Override
    public String name() {
        return engine.clientName();
    }

    @Override
    public DistributedLock lock(String name) {
        return lock(name, defaultOptions);
    }

    @Override
    public DistributedLock lock(String name, LockOptions options) {
        return engine.lock(name, requireNonNull(options, "options"));
    }

    @Override
    public DistributedLock allOf(Collection<String> names) {
        return allOf(names, defaultOptions);
    }

    @Override
    public DistributedLock allOf(Collection<String> names, LockOptions options) {
        return engine.allOf(names, requireNonNull(options, "options"));
    }

    @Override
    public DistributedReadWriteLock readWriteLock(String name) {
        return readWriteLock(name, defaultOptions);
    }

    @Override
    public DistributedReadWriteLock readWriteLock(String name, LockOptions options) {
        return engine.readWriteLock(name, requireNonNull(options, "options"));
    }

    @Override
    public DistributedSemaphore semaphore(String name, int limit) {
        return semaphore(name, limit, defaultOptions);
    }

    @Override
    public DistributedSemaphore semaphore(String name, int limit, LockOptions options) {
        return engine.semaphore(name, limit, requireNonNull(options, "options"));
    }

    @Override
    public LockInspector inspector() {
        return engine.inspector();
    }

    @Override
    public List<LockUsage> usage() {
        return engine.usage();
    }

    @Override
    public String dump() {
        return engine.dump();
    }

    @Override
    public void close() {
        engine.close();
    }
}

package io.github.distlock.engine;

import io.github.distlock.DistributedLock;
import io.github.distlock.DistributedSemaphore;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.LockMode;

/** A name, its options and a limit. */
record NamedSemaphore(String name, int limit, LockOptions options, NamedLock.Shared shared)
        implements DistributedSemaphore {

    @Override
    public DistributedLock permits(int count) {
        return new NamedLock(new LockKey(name, LockMode.permits(count, limit), options), shared);
    }

    @Override
    public String toString() {
        return "semaphore \"" + name + "\", limit " + limit + ", " + options;
    }
}

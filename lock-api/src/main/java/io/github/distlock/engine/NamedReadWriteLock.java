package io.github.distlock.engine;

import io.github.distlock.DistributedLock;
import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.LockMode;
import io.github.distlock.view.ReadWriteView;
import java.util.concurrent.locks.ReadWriteLock;

/** A name and its options, as a lock for readers and one for writers. */
final class NamedReadWriteLock implements DistributedReadWriteLock {
    private final NamedLock readLock;
    private final NamedLock writeLock;
    private final NamedLock.Shared shared;
    private final Downgrades downgrades;

    NamedReadWriteLock(String name, LockOptions options, NamedLock.Shared shared, Downgrades downgrades) {
        this.readLock = new NamedLock(new LockKey(name, LockMode.READ, options), shared);
        this.writeLock = new NamedLock(new LockKey(name, LockMode.WRITE, options), shared);
        this.shared = shared;
        this.downgrades = downgrades;
    }

    @Override
    public String name() {
        return readLock.name();
    }

    @Override
    public LockOptions options() {
        return readLock.options();
    }

    @Override
    public DistributedLock readLock() {
        return readLock;
    }

    @Override
    public DistributedLock writeLock() {
        return writeLock;
    }

    @Override
    public LockHandle downgrade(LockHandle writing) {
        return downgrades.downgrade(name(), writing);
    }

    @Override
    public ReadWriteLock asReadWriteLock() {
        return new ReadWriteView(this, readLock.ownerId(), writeLock.ownerId(), shared.reentrantHolds());
    }

    @Override
    public String toString() {
        return "read-write lock \"" + name() + "\", " + options();
    }
}

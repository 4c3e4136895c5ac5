package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.LockMode;
import java.util.Set;

/** How a client uses a lock. A rule that concerns all kinds of locks is checked for each of these. */
enum LockUse {
    LOCK,
    READER,
    WRITER,
    PERMIT;

    /** The number of permits of a semaphore whose test sets no other. */
    private static final int LIMIT = 2;

    LockMode mode() {
        return switch (this) {
            case LOCK -> LockMode.EXCLUSIVE;
            case READER -> LockMode.READ;
            case WRITER -> LockMode.WRITE;
            case PERMIT -> LockMode.permits(1, LIMIT);
        };
    }

    boolean isPossible(Set<Capability> capabilities) {
        return switch (this) {
            case LOCK -> true;
            case READER, WRITER -> capabilities.contains(Capability.READ_WRITE);
            case PERMIT -> capabilities.contains(Capability.PERMITS);
        };
    }

    DistributedLock lock(LockClient locks, String name) {
        return switch (this) {
            case LOCK -> locks.lock(name);
            case READER -> locks.readWriteLock(name).readLock();
            case WRITER -> locks.readWriteLock(name).writeLock();
            case PERMIT -> locks.semaphore(name, LIMIT).permit();
        };
    }

    /** Returns the same lock, as a client uses it that shares it with no other holder. */
    DistributedLock alone(LockClient locks, String name) {
        return switch (this) {
            case LOCK, WRITER -> lock(locks, name);
            case READER -> WRITER.lock(locks, name);
            case PERMIT -> locks.semaphore(name, LIMIT).permits(LIMIT);
        };
    }
}

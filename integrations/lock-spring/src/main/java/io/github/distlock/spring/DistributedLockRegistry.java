package io.github.distlock.spring;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LockClient;
import io.github.distlock.ThreadOwnedLock;
import org.springframework.integration.support.locks.LockRegistry;

/**
 * The locks of a client as a {@link LockRegistry} of Spring Integration, for aggregators, leader election and other
 * endpoints. Needs Spring Integration 6.5 or newer. Thread-safe, and keeps nothing for its locks.
 */
// The interface has a type parameter in Spring Integration 7.1, and none in 6.5.
@SuppressWarnings({"rawtypes", "exports"})
public final class DistributedLockRegistry implements LockRegistry {
    private final LockClient client;
    private final String prefix;

    /**
     * Makes a registry.
     *
     * @param client takes the locks, with its default options; the caller closes it
     * @param prefix the beginning of the names of the locks; may be empty
     */
    public DistributedLockRegistry(LockClient client, String prefix) {
        this.client = requireNonNull(client, "client");
        this.prefix = requireNonNull(prefix, "prefix");
    }

    /**
     * Returns the lock of a key.
     *
     * @param lockKey its text after the prefix is the name of the lock
     * @return a lock that is reentrant and owned by a thread; {@code unlock} throws a
     *     {@link io.github.distlock.LockLostException} if the lock was lost
     */
    @Override
    public ThreadOwnedLock obtain(Object lockKey) {
        return client.lock(prefix + requireNonNull(lockKey, "lockKey")).asLock();
    }
}

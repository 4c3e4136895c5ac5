package io.github.distlock;

/**
 * A number of permits, among all clients of a store: see {@link LockClient#semaphore(String, int)}. Immutable,
 * thread-safe, and cheap to make.
 *
 * <p><b>Order.</b> The store's queue serves requests first come, first served. A small request never overtakes a large
 * one in it. A released permit may pass to another thread of the same client, as for a lock.
 *
 * <p><b>Limit.</b> Each client brings its own limit: a request is granted if the permits in use and its own fit the
 * limit of its client. So a rolling deployment can change the limit. A client that sees another limit logs this once.
 *
 * <p><b>Holds.</b> Each hold has its own lease, so that the permits of a crashed holder are free after it. The permits
 * of a hold are released together. Fencing tokens of permits identify a hold: do not compare them.
 */
public interface DistributedSemaphore {

    /**
     * Returns the semaphore's name.
     *
     * @return as given to the client
     */
    String name();

    /**
     * Returns how many permits there are.
     *
     * @return the limit of this client, at least 1
     */
    int limit();

    /**
     * Returns the options.
     *
     * @return what acquires ask for
     */
    LockOptions options();

    /**
     * Returns one permit.
     *
     * @return a lock with up to {@link #limit()} holders at the same time
     */
    default DistributedLock permit() {
        return permits(1);
    }

    /**
     * Returns several permits, which are acquired and released together. It has no {@link DistributedLock#reentrant()}
     * and no {@link DistributedLock#asLock()} view: these throw {@link UnsupportedOperationException}.
     *
     * @param count how many, from 1 to {@link #limit()}
     * @return a lock whose holds have that many permits each
     * @throws IllegalArgumentException if {@code count} is out of bounds
     */
    DistributedLock permits(int count);
}

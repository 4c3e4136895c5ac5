package io.github.distlock;

import io.github.distlock.spi.LockBackend;
import java.util.Collection;
import java.util.List;

/**
 * A client of one store. Make one per application and store, keep it while the application runs, and close it at the
 * end. Thread-safe.
 *
 * <p>A client owns its backend and a few daemon threads, named {@code distlock-<client>-<role>}, which start when they
 * are needed. Making a client sends nothing.
 */
public interface LockClient extends AutoCloseable {

    /**
     * Makes a client with default settings.
     *
     * @param backend the way to the store; closed with the client
     * @return a new client
     */
    static LockClient create(LockBackend backend) {
        return builder(backend).build();
    }

    /**
     * Begins the settings of a new client.
     *
     * @param backend the way to the store; closed with the client
     * @return a builder with defaults
     */
    static LockClientBuilder builder(LockBackend backend) {
        return new LockClientBuilder(backend);
    }

    /**
     * Returns the client's name.
     *
     * @return as set with {@link LockClientBuilder#name}
     */
    String name();

    /**
     * Returns a lock with the client's default options. Sends nothing and keeps nothing, so ask for it as often as you
     * like.
     *
     * @param name any text, not blank, of at most 1,024 bytes in UTF-8, without unpaired surrogates. Names that differ
     *     in any character are different locks; names are not normalized
     * @return the lock
     * @throws IllegalArgumentException if the name is out of these bounds
     * @throws IllegalStateException if the client is closed
     */
    DistributedLock lock(String name);

    /**
     * Returns a lock with options of its own. Sends nothing and keeps nothing.
     *
     * @param name as for {@link #lock(String)}
     * @param options what its acquires ask for
     * @return the lock
     * @throws IllegalArgumentException if the name is out of bounds, or the store cannot provide the options
     * @throws IllegalStateException if the client is closed
     */
    DistributedLock lock(String name, LockOptions options);

    /**
     * Returns several locks as one, with the client's default options: all of them are held, or none. Sends nothing.
     *
     * <p>An acquire takes the locks one after the other, in the order of {@link String#compareTo}. So clients that need
     * the same locks do not wait for each other in a circle. While an acquire waits for a lock, it holds those before
     * it. A time limit covers all locks together. A single try asks for each lock once, and so takes up to
     * {@link LockClientBuilder#requestTimeout} for each.
     *
     * <p>The handle is lost as soon as one of the locks is, and closing it releases all. Each lock has its own
     * {@linkplain LockHandle#fencingToken(String) fencing token}.
     *
     * @param names at least one name as for {@link #lock(String)}; duplicates count once
     * @return the locks as one; of one name, that lock
     * @throws IllegalArgumentException if there is no name, or if a name is out of bounds
     * @throws IllegalStateException if the client is closed
     */
    DistributedLock allOf(Collection<String> names);

    /**
     * Returns several locks as one, with options of their own. Otherwise like {@link #allOf(Collection)}.
     *
     * @param names as for {@link #allOf(Collection)}
     * @param options what the acquires of each lock ask for
     * @return the locks as one
     * @throws IllegalArgumentException as for {@link #allOf(Collection)}, or if the store cannot provide the options
     * @throws IllegalStateException if the client is closed
     */
    DistributedLock allOf(Collection<String> names, LockOptions options);

    /**
     * Returns a read-write lock with the client's default options. Sends nothing and keeps nothing.
     *
     * @param name as for {@link #lock(String)}. A name has one kind: while anybody holds the name as another kind of
     *     lock or waits for it, acquires throw a {@link LockException}, whose message names both kinds
     * @return the lock
     * @throws IllegalArgumentException if the name is out of bounds, if the default options have a
     *     {@linkplain LockOptions#minimumHold(Duration) minimum hold} or a
     *     {@linkplain LockOptions#lockDelay(Duration) lock delay}, or if the store cannot provide read-write locks
     * @throws IllegalStateException if the client is closed
     */
    DistributedReadWriteLock readWriteLock(String name);

    /**
     * Returns a read-write lock with options of its own. Otherwise like {@link #readWriteLock(String)}.
     *
     * @param name as for {@link #readWriteLock(String)}
     * @param options what the acquires of both locks ask for
     * @return the lock
     * @throws IllegalArgumentException if the name is out of bounds, if the options have a
     *     {@linkplain LockOptions#minimumHold(Duration) minimum hold} or a
     *     {@linkplain LockOptions#lockDelay(Duration) lock delay}, or if the store cannot provide them or
     *     read-write locks
     * @throws IllegalStateException if the client is closed
     */
    DistributedReadWriteLock readWriteLock(String name, LockOptions options);

    /**
     * Returns a semaphore with the client's default options. Sends nothing and keeps nothing.
     *
     * @param name as for {@link #readWriteLock(String)}
     * @param limit how many permits there are, from 1 to {@link Integer#MAX_VALUE}. Use the same in all clients,
     *     except while a deployment changes it
     * @return the semaphore
     * @throws IllegalArgumentException if the name or the limit is out of bounds, if the default options have a
     *     {@linkplain LockOptions#minimumHold(Duration) minimum hold} or a
     *     {@linkplain LockOptions#lockDelay(Duration) lock delay}, or if the store cannot provide semaphores
     * @throws IllegalStateException if the client is closed
     */
    DistributedSemaphore semaphore(String name, int limit);

    /**
     * Returns a semaphore with options of its own. Otherwise like {@link #semaphore(String, int)}.
     *
     * @param name as for {@link #readWriteLock(String)}
     * @param limit as for {@link #semaphore(String, int)}
     * @param options what its acquires ask for
     * @return the semaphore
     * @throws IllegalArgumentException if the name or the limit is out of bounds, if the options have a
     *     {@linkplain LockOptions#minimumHold(Duration) minimum hold} or a
     *     {@linkplain LockOptions#lockDelay(Duration) lock delay}, or if the store cannot provide them or
     *     semaphores
     * @throws IllegalStateException if the client is closed
     */
    DistributedSemaphore semaphore(String name, int limit, LockOptions options);

    /**
     * Returns the inspector of this client's store, for operators.
     *
     * @return an inspector
     * @throws UnsupportedOperationException if the store has none
     */
    LockInspector inspector();

    /**
     * Returns how many holds and waiters this client has of each lock, for metrics. Sends nothing. Looks at one lock
     * after the other, while all of them may change. Also works after the client was closed.
     *
     * @return a new list of the locks that this client holds or waits for, in no fixed order
     */
    List<LockUsage> usage();

    /**
     * Returns who holds locks and who waits for them in this client, with their ages, as text for a person: a line for
     * each name, hold and acquire. Sends nothing. Also works after the client was closed.
     *
     * @return lines, whose format may change
     */
    String dump();

    /**
     * Closes the client:
     * <ul>
     *   <li>it refuses new acquires;
     *   <li>acquires that wait fail with a {@link LockException};
     *   <li>holders continue, and their leases are renewed, until they have released or
     *         {@link LockClientBuilder#shutdownTimeout} is over;
     *   <li>the remaining holds are reported as lost ({@link LossReason#CLIENT_CLOSED}) and released;
     *   <li>threads and backend end.
     * </ul>
     *
     * <p>Takes at most the shutdown timeout and two request timeouts, and a second more if callbacks or the logger
     * hang. Logs how many releases the store did not confirm. Idempotent; a concurrent second call waits for the first.
     * An interrupt does not stop it; the flag is kept.
     */
    @Override
    void close();
}

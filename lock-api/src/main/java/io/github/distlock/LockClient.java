package io.github.distlock;

import io.github.distlock.spi.LockBackend;

/**
 * One application's way to the locks of one store. Make one per application and store, keep it as long as the
 * application runs, and close it at the end. Thread-safe.
 *
 * <p>It owns the backend that it was made with and a few daemon threads, named {@code distlock-<client>-<role>}, which
 * start when they are first needed. Making one sends nothing.
 */
public interface LockClient extends AutoCloseable {

    /**
     * A client with default settings.
     *
     * @param backend the way to the store; closed with the client
     * @return a new client
     */
    static LockClient create(LockBackend backend) {
        return builder(backend).build();
    }

    /**
     * Settings for a new client.
     *
     * @param backend the way to the store; closed with the client
     * @return a builder with defaults
     */
    static LockClientBuilder builder(LockBackend backend) {
        return new LockClientBuilder(backend);
    }

    /**
     * A lock with the client's default options. Sends nothing and keeps nothing: ask for it as often as you like.
     *
     * @param name any text, not blank, of at most 1,024 bytes in UTF-8, without unpaired surrogates. Names that differ
     *     in any character are different locks; no normalisation takes place
     * @return the lock
     * @throws IllegalArgumentException when the name is out of these bounds
     * @throws IllegalStateException when the client has been closed
     */
    DistributedLock lock(String name);

    /**
     * A lock with options of its own. Sends nothing and keeps nothing.
     *
     * @param name as for {@link #lock(String)}
     * @param options what its acquires ask for
     * @return the lock
     * @throws IllegalArgumentException when the name is out of bounds, or the store cannot do what the options ask for
     * @throws IllegalStateException when the client has been closed
     */
    DistributedLock lock(String name, LockOptions options);

    /**
     * A look at locks from the outside.
     *
     * @return the inspector of this client's store
     * @throws UnsupportedOperationException when the store offers none
     */
    LockInspector inspector();

    /**
     * Ends all use, in this order: new acquires are refused; whoever waits fails with a {@link LockException}; holders
     * go on, and are renewed, until they have finished or {@link LockClientBuilder#shutdownTimeout} is over; holds that
     * then remain are reported lost ({@link LossReason#CLIENT_CLOSED}) and released; threads and backend are ended.
     *
     * <p>Takes at most the shutdown time-out and two request time-outs. Idempotent; a concurrent second call waits for
     * the first. An interrupt does not cut it short; the flag is kept.
     */
    @Override
    void close();
}

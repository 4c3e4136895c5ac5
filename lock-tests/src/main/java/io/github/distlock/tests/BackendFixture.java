package io.github.distlock.tests;

import io.github.distlock.spi.LockBackend;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * One store for one test of the {@linkplain LockContract contract}: how to build its clients and how to hurt them. When it
 * is made, the store holds nothing.
 *
 * <p>What goes wrong with a single request (a reply that is lost or late, a renewal that fails) the contract does by
 * itself, between the engine and the backend; a fixture provides only what needs to know the store. For a store on a real
 * server, {@link ServerFixture} is where to begin.
 */
public interface BackendFixture extends AutoCloseable {

    /**
     * The way to the store of one more client. The contract closes it, with its client.
     *
     * @return a new backend over the same store
     */
    LockBackend newBackend();

    /**
     * Removes the hold of a lock from the store, behind everybody's back, as an operator or an eviction would: delete the
     * key or the node. Does nothing when there is none.
     *
     * @param name the lock's name
     * @throws Exception when the store refuses, which fails the test
     */
    void lose(String name) throws Exception;

    /**
     * From now on no request of this client is answered, and nothing of it reaches the store, as if the network swallowed
     * it. Other clients go on.
     *
     * @param backend from {@link #newBackend()}
     */
    void silence(LockBackend backend);

    /**
     * Ends what {@link #silence} began. Does nothing for a client that is not silenced, or closed.
     *
     * @param backend from {@link #newBackend()}
     */
    void restore(LockBackend backend);

    /**
     * Lets time pass for the store and all clients: waits, or moves the clock that they share in such a way that what falls
     * due meanwhile happens.
     *
     * @param time how long
     */
    void letPass(Duration time);

    /**
     * What holds, places and other traces of locks there are in the store. What the store keeps on purpose and drops by
     * itself, such as the last fencing token of a name, does not count.
     *
     * @return one text for each, for people; empty when the store is clean
     * @throws Exception when the store refuses, which fails the test
     */
    List<String> leftovers() throws Exception;

    /**
     * The lease of the contract's holds: so long that a busy machine never misses a renewal; where {@link #letPass} waits,
     * as short as that allows, for some tests take several leases. Not shorter than the {@link
     * io.github.distlock.spi.Validity#length() validity} of any grant, so that a hold that nobody renews has ended when a lease
     * has passed: where a session keeps the holds, its time-out.
     *
     * @return 3 s unless overridden
     */
    default Duration lease() {
        return Duration.ofSeconds(3);
    }

    /**
     * How long the contract waits for what has to happen, but for which no bound is promised. Only failing tests wait that
     * long.
     *
     * @return 20 s unless overridden
     */
    default Duration patience() {
        return Duration.ofSeconds(20);
    }

    /**
     * What a busy machine may add to the bounds that are promised.
     *
     * @return half a second unless overridden
     */
    default Duration slack() {
        return Duration.ofMillis(500);
    }

    /**
     * What the contract can cause around this store. What is missing is reported by name, and what comes nearest is caused
     * in its place.
     *
     * @return what it causes by itself, between the engine and the backend; all of them for a {@link ServerFixture}
     */
    default Set<StoreFault> faults() {
        return StoreFault.withoutServer();
    }

    /** Ends what this fixture made: servers, proxies, the store. Called after all its clients were closed. */
    @Override
    void close();
}

package io.github.distlock.tests;

import io.github.distlock.spi.LockBackend;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * One store for one test of the {@linkplain LockContract contract}: how to build its clients and how to disturb them.
 * The store of a new fixture is empty.
 *
 * <p>The contract itself loses and delays single requests and replies, between the engine and the backend. A fixture
 * provides only what needs to know the store. For a store on a real server, extend {@link ServerFixture}.
 */
public abstract class BackendFixture implements AutoCloseable {
    private final List<Network> networks = new CopyOnWriteArrayList<>();
    private final List<Program> programs = new CopyOnWriteArrayList<>();

    /** For the fixture of one backend. */
    protected BackendFixture() {}

    /**
     * Connects one more client to the store. The contract closes the backend with its client.
     *
     * @return a new backend over the same store
     */
    public abstract LockBackend newBackend();

    /**
     * Removes the hold of a lock from the store without telling any client, as an operator or an eviction does: deletes
     * the key or the node. Does nothing if there is none.
     *
     * @param name the lock's name
     * @throws Exception if the store refuses, which fails the test
     */
    public abstract void lose(String name) throws Exception;

    /**
     * Keeps all messages of this client from arriving, as if the network swallowed them: no request reaches the store,
     * and none is answered. Other clients go on.
     *
     * @param backend from {@link #newBackend()}
     */
    public abstract void silence(LockBackend backend);

    /**
     * Ends what {@link #silence} began. Does nothing for a client that is not silenced, or is closed.
     *
     * @param backend from {@link #newBackend()}
     */
    public abstract void restore(LockBackend backend);

    /**
     * Lets time pass for the store and all clients: waits, or moves the clock that they share in such a way that what
     * falls due meanwhile happens.
     *
     * @param time how long
     */
    public abstract void letPass(Duration time);

    /**
     * Lists the holds, queue entries and other traces of locks on the store. What the store keeps on purpose and drops
     * by itself does not count, such as the last fencing token of a name.
     *
     * @return one text for each, for people; empty if the store is clean
     * @throws Exception if the store refuses, which fails the test
     */
    public abstract List<String> leftovers() throws Exception;

    /**
     * Returns the lease of the contract's holds: so long that a busy machine never misses a renewal. Where
     * {@link #letPass} waits, it is as short as that allows, for some tests take several leases. It is not shorter than
     * the {@link io.github.distlock.spi.Validity#length() validity} of any grant, so that a hold that is not renewed
     * has ended when a lease has passed. Where a session keeps the holds, it is the session's timeout.
     *
     * @return 3 s unless overridden
     */
    public Duration lease() {
        return Duration.ofSeconds(3);
    }

    /**
     * Returns how long the contract waits for what has to happen, but for which no bound is promised. Only failing
     * tests wait that long.
     *
     * @return 20 s unless overridden
     */
    public Duration patience() {
        return Duration.ofSeconds(20);
    }

    /**
     * Returns what a busy machine may add to the bounds that are promised.
     *
     * @return half a second unless overridden
     */
    public Duration slack() {
        return Duration.ofMillis(500);
    }

    /** Ends what this fixture has made, such as servers and the store. The contract has closed all clients before. */
    @Override
    public abstract void close();

    // Faults of networks, servers and processes: the nearest to them, unless overridden

    /** Returns the faults that this fixture causes. The nearest to it takes the place of any other. */
    Set<StoreFault> faults() {
        return StoreFault.WITHOUT_SERVER;
    }

    /** Returns the network of a client that uses a new backend. */
    final Network connect(LockBackend backend) {
        Network network = network(backend);
        networks.add(network);
        return network;
    }

    Network network(LockBackend backend) {
        return SimulatedNetwork.of(this, backend);
    }

    /** Moves this fixture to a server that no other test uses. */
    void useServerOf(OwnServer tests) {}

    void pauseServer() {
        networks.forEach(Network::silence);
    }

    void resumeServer() {
        networks.forEach(Network::heal);
    }

    void killServer() {
        networks.forEach(Network::refuse);
    }

    void restartServer() {
        networks.forEach(Network::heal);
    }

    /** Restarts the server without its data, which include the hold of this lock. */
    void restartServerWithout(String name) throws Exception {
        lose(name);
        restartServer();
    }

    OptionalLong endsHoldAt(String name) throws InterruptedException {
        return OptionalLong.empty();
    }

    boolean tokensOutliveData() {
        return true;
    }

    /** Returns for how long the store grants nothing after it has lost its data. */
    Duration refusesAfterLoss() {
        return Duration.ZERO;
    }

    /** Starts a client in a process of its own. */
    final Program start(String name, Duration lease) {
        Program program = program(name, lease);
        programs.add(program);
        return program;
    }

    Program program(String name, Duration lease) {
        return new SimulatedProgram(connect(newBackend()), name, lease);
    }

    /** Ends all faults that a test has caused, also if the test failed half-way. */
    void endFaults() {
        networks.forEach(Network::heal);
        programs.forEach(Program::close);
    }
}

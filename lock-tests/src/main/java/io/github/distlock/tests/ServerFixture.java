package io.github.distlock.tests;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.JvmProcess;
import io.github.distlock.tests.servers.Server;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A store on a real server. Each client reaches it through a network of its own, and the contract causes every
 * {@link StoreFault}: of that network, of clients in processes of their own, and of a server that no other test uses. Time
 * passes by itself.
 *
 * <pre>{@code
 * final class MyFixture extends ServerFixture {
 *     MyFixture(Server server) {
 *         super(server, new MyFactory());
 *     }
 *
 *     @Override
 *     protected ServerFixture over(Server server) {
 *         return new MyFixture(server);
 *     }
 *
 *     @Override
 *     protected Server startServer() {
 *         return MyServer.start();
 *     }
 *
 *     @Override
 *     public void lose(String name) {
 *         // delete the hold of this lock in the part of the server that is called space()
 *     }
 *
 *     @Override
 *     public List<String> leftovers() {
 *         // what there is in that part
 *     }
 * }
 * }</pre>
 */
public abstract class ServerFixture implements BackendFixture {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final Server server;
    private final BackendFactory factory;
    private final String space = "contract" + NUMBER.incrementAndGet();
    private final Map<LockBackend, FaultProxy> networks = new ConcurrentHashMap<>();

    /**
     * A part of its own on a server, which other tests may use at the same time.
     *
     * @param server a running one; whoever started it closes it
     * @param factory how clients reach it; other processes make one more of its class
     */
    protected ServerFixture(Server server, BackendFactory factory) {
        this.server = Objects.requireNonNull(server, "server");
        this.factory = Objects.requireNonNull(factory, "factory");
    }

    /**
     * The same kind of fixture on another server.
     *
     * @param another from {@link #startServer()}
     * @return a new fixture
     */
    protected abstract ServerFixture over(Server another);

    /**
     * Starts one more server, for tests that pause, kill and empty it. Not called when {@link #faults()} leaves these out. It has
     * to find its data again after a
     * {@link Server#restart restart} that keeps them.
     *
     * @return a server that answers; the contract closes it
     */
    protected abstract Server startServer();

    /**
     * Whether fencing tokens go on rising when the server has lost all its data.
     *
     * @return false unless overridden
     */
    protected boolean tokensOutliveData() {
        return false;
    }

    /**
     * When the server would end the present hold of a lock if it heard nothing more from the holder; not later than in
     * truth. With it the contract measures how much earlier the hold ends for its holder.
     *
     * @param name the lock's name
     * @return by {@link System#nanoTime()}; empty unless overridden, for a store that does not tell
     */
    protected OptionalLong endsHoldAt(String name) {
        return OptionalLong.empty();
    }

    /**
     * The server of this fixture.
     *
     * @return where it was made for
     */
    protected final Server server() {
        return server;
    }

    /**
     * The part of the server that belongs to this fixture.
     *
     * @return letters and digits, as the {@link BackendFactory} is told
     */
    protected final String space() {
        return space;
    }

    @Override
    public final LockBackend newBackend() {
        FaultProxy network = FaultProxy.to(server);
        LockBackend backend = factory.backend(network.address(), space);
        networks.put(backend, network);
        return backend;
    }

    /** The network of one client. */
    final FaultProxy network(LockBackend backend) {
        return Objects.requireNonNull(networks.get(backend), "not a client of this fixture");
    }

    /** A client of this store in a process of its own. */
    final JvmProcess program(String lockName) {
        return JvmProcess.start(
                LockProgram.class,
                factory.getClass().getName(),
                server.address(),
                space,
                lockName,
                String.valueOf(lease().toMillis()));
    }

    @Override
    public final void silence(LockBackend backend) {
        network(backend).silence();
    }

    @Override
    public final void restore(LockBackend backend) {
        network(backend).heal();
    }

    @Override
    public final void letPass(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (end - System.nanoTime() > 0) {
            LockSupport.parkNanos(end - System.nanoTime());
            if (Thread.currentThread().isInterrupted()) {
                throw new IllegalStateException("the test was interrupted, probably by its time-out");
            }
        }
    }

    /**
     * {@inheritDoc}
     *
     * <p>All of them. Whose servers cannot be started anew, or not be reached from another process, leaves some out.
     */
    @Override
    public Set<StoreFault> faults() {
        return Collections.unmodifiableSet(EnumSet.allOf(StoreFault.class));
    }

    /** Ends the networks. Who overrides it calls it. */
    @Override
    public void close() {
        networks.values().forEach(FaultProxy::close);
    }
}

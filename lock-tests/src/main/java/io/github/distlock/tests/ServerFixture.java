package io.github.distlock.tests;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.JvmProcess;
import io.github.distlock.tests.servers.Server;
import io.github.distlock.tests.servers.Waiting;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A store on a real server. Each client reaches it through a network of its own, and the contract causes every
 * {@link StoreFault}: of that network, of clients in processes of their own, and of a server that no other test uses. Time
 * passes by itself.
 *
 * <pre>{@code
 * public class MyBackendContractTest extends LockContract implements BackendFactory {
 *     @Override
 *     public LockBackend backend(String address, String space) {
 *         return MyBackend.connect(address, space);
 *     }
 *
 *     @Override
 *     protected BackendFixture newFixture() {
 *         return new ServerFixture<>(MyServer::start, this) {
 *             @Override
 *             public void lose(String name) {
 *                 // delete the hold of this lock in the part of server() that is called space()
 *             }
 *
 *             @Override
 *             public List<String> leftovers() {
 *                 // what there is in that part
 *             }
 *         };
 *     }
 * }
 * }</pre>
 *
 * @param <S> what kind of server
 */
public abstract class ServerFixture<S extends Server> implements BackendFixture {
    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final Map<Class<?>, Server> SHARED = new ConcurrentHashMap<>();

    private final Supplier<? extends S> servers;
    private final BackendFactory factory;
    private final String space = "contract" + NUMBER.incrementAndGet();
    private final Map<LockBackend, FaultProxy> networks = new ConcurrentHashMap<>();
    private volatile @Nullable S server;

    /**
     * A part of its own on a server that all fixtures of this class share, from the first use to the end of this JVM.
     *
     * @param servers starts a server that answers, and that finds its data again after a {@linkplain Server#restart restart} that
     *     keeps them: once to be shared, and once more for the tests that pause, kill and empty theirs
     * @param factory how clients reach it; other processes make one more of its class
     */
    protected ServerFixture(Supplier<? extends S> servers, BackendFactory factory) {
        this.servers = Objects.requireNonNull(servers, "servers");
        this.factory = Objects.requireNonNull(factory, "factory");
    }

    /**
     * A part of its own on a server that other tests may use at the same time.
     *
     * @param server a running one; whoever started it closes it
     * @param servers starts one more, for the tests that pause, kill and empty theirs; not used when {@link #faults()} leaves
     *     these out
     * @param factory how clients reach it; other processes make one more of its class
     */
    protected ServerFixture(S server, Supplier<? extends S> servers, BackendFactory factory) {
        this(servers, factory);
        this.server = Objects.requireNonNull(server, "server");
    }

    /** A server for tests that hurt it; they close it. */
    final Server startServer() {
        return servers.get();
    }

    /** From now on it is about this server, which {@link #startServer} of the same kind of fixture has started. */
    @SuppressWarnings("unchecked")
    final void moveTo(Server own) {
        server = (S) own;
    }

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
     * @return a running one, unless a test has hurt it
     */
    @SuppressWarnings("unchecked")
    public final S server() {
        S known = server;
        if (known == null) {
            known = (S) SHARED.computeIfAbsent(getClass(), fixture -> servers.get());
            server = known;
        }
        return known;
    }

    /**
     * How clients reach the server.
     *
     * @return as given to the constructor
     */
    public final BackendFactory factory() {
        return factory;
    }

    /**
     * The part of the server that belongs to this fixture.
     *
     * @return letters and digits, as the {@link BackendFactory} is told
     */
    public final String space() {
        return space;
    }

    @Override
    public final LockBackend newBackend() {
        FaultProxy network = FaultProxy.to(server());
        LockBackend backend = factory.backend(network.address(), space);
        networks.put(backend, network);
        return backend;
    }

    /** The network of one client. */
    final FaultProxy network(LockBackend backend) {
        return Objects.requireNonNull(networks.get(backend), "not a client of this fixture");
    }

    /** A client of this store in a process of its own. */
    final JvmProcess program(String lockName, Duration lease) {
        return JvmProcess.start(
                LockProgram.class,
                factory.getClass().getName(),
                server().address(),
                space,
                lockName,
                String.valueOf(lease.toMillis()));
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
        Waiting.letPass(time);
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

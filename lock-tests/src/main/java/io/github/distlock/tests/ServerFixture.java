package io.github.distlock.tests;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.Server;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
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
 * A store on a real server. Each client reaches it through a network of its own. The contract causes faults of that
 * network, of clients in processes of their own, and of a server that no other test uses. Time passes by itself.
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
public abstract class ServerFixture<S extends Server> extends BackendFixture {
    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final Map<Class<?>, Server> SHARED = new ConcurrentHashMap<>();

    private final Supplier<? extends S> servers;
    private final BackendFactory factory;
    private final String space = "contract" + NUMBER.incrementAndGet();
    private final Map<LockBackend, FaultProxy> proxies = new ConcurrentHashMap<>();
    private volatile @Nullable S server;
    private boolean hasOwnServer;

    /**
     * Uses a part of a server that all fixtures of this class share, from the first use to the end of this JVM.
     *
     * @param servers starts a server that answers, and that finds its data again after a
     *     {@linkplain Server#restart restart} that keeps them: once for all tests, and once more for the tests that
     *     pause, kill and wipe it
     * @param factory how clients reach the server; other processes make another instance of its class
     */
    protected ServerFixture(Supplier<? extends S> servers, BackendFactory factory) {
        this.servers = Objects.requireNonNull(servers, "servers");
        this.factory = Objects.requireNonNull(factory, "factory");
    }

    /**
     * Uses a part of a server that other tests may use at the same time.
     *
     * @param server a running server, which its owner closes
     * @param servers starts one more for the tests that pause, kill and wipe it
     * @param factory how clients reach the server; other processes make another instance of its class
     */
    protected ServerFixture(S server, Supplier<? extends S> servers, BackendFactory factory) {
        this(servers, factory);
        this.server = Objects.requireNonNull(server, "server");
    }

    /**
     * Returns whether fencing tokens go on rising after the server has lost all its data.
     *
     * @return false unless overridden
     */
    @Override
    protected boolean tokensOutliveData() {
        return false;
    }

    /**
     * Returns for how long the server grants nothing after it has lost all its data. A server that is one of several
     * may do so, because another one may still have a hold that this one has lost.
     *
     * @return zero unless overridden
     */
    @Override
    protected Duration refusesAfterLoss() {
        return Duration.ZERO;
    }

    /**
     * Returns when the server will end the present hold of a lock if it hears nothing more from the holder, or an
     * earlier moment. The contract measures how much earlier the hold ends for its holder.
     *
     * @param name the lock's name
     * @return by {@link System#nanoTime()}; empty unless overridden, for a store that does not tell
     */
    @Override
    protected OptionalLong endsHoldAt(String name) {
        return OptionalLong.empty();
    }

    /**
     * Returns the server of this fixture.
     *
     * @return a running server, unless a test has killed it
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
     * Returns how clients reach the server.
     *
     * @return as given to the constructor
     */
    public final BackendFactory factory() {
        return factory;
    }

    /**
     * Returns the part of the server that belongs to this fixture.
     *
     * @return letters and digits, as given to the {@link BackendFactory}
     */
    public final String space() {
        return space;
    }

    @Override
    public final LockBackend newBackend() {
        FaultProxy proxy = FaultProxy.to(server());
        LockBackend backend = factory.backend(proxy.address(), space);
        proxies.put(backend, proxy);
        return backend;
    }

    private FaultProxy proxy(LockBackend backend) {
        return Objects.requireNonNull(proxies.get(backend), "not a client of this fixture");
    }

    @Override
    public final void silence(LockBackend backend) {
        proxy(backend).silence();
    }

    @Override
    public final void restore(LockBackend backend) {
        proxy(backend).heal();
    }

    @Override
    public final void letPass(Duration time) {
        Waiting.letPass(time);
    }

    /** Closes the networks. An override calls this method. */
    @Override
    public void close() {
        proxies.values().forEach(FaultProxy::close);
    }

    @Override
    final Set<StoreFault> faults() {
        return EnumSet.allOf(StoreFault.class);
    }

    @Override
    final Network network(LockBackend backend) {
        return new ProxyNetwork(backend, proxy(backend));
    }

    @SuppressWarnings("unchecked")
    @Override
    final void useServerOf(OwnServer tests) {
        server = (S) tests.startedBy(servers);
        hasOwnServer = true;
    }

    @Override
    final void pauseServer() {
        server().pause();
    }

    @Override
    final void resumeServer() {
        server().resume();
    }

    @Override
    final void killServer() {
        server().kill();
    }

    @Override
    final void restartServer() {
        server().restart(true);
    }

    @Override
    final void restartServerWithout(String name) {
        server().restart(false);
    }

    @Override
    final Program program(String name, Duration lease) {
        return new ProcessProgram(ChildProgram.start(
                LockProgram.class, factory.getClass().getName(), server().address(), space, name, lease.toString()));
    }

    @Override
    final void endFaults() {
        if (hasOwnServer) {
            server().resume();
            if (!server().isRunning()) {
                server().restart(false);
            }
        }
        super.endFaults();
    }
}

package io.github.distlock.zookeeper;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockNames;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.spi.Signals;
import io.github.distlock.zookeeper.ZooKeeperGrant.Ending;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import org.apache.curator.framework.CuratorFramework;
import org.apache.zookeeper.KeeperException;

/**
 * Keeps locks in ZooKeeper, through Curator.
 *
 * <pre>{@code
 * try (LockClient locks = LockClient.create(ZooKeeperBackend.connect("zk1:2181,zk2:2181,zk3:2181"))) {
 *     try (LockHandle held = locks.lock("orders/42").acquire()) {
 *         …
 *     }
 * }
 * }</pre>
 *
 * <p><b>Nodes.</b> A lock is the directory {@code <base>/<name>}, with the name percent-encoded. Each holder and each
 * waiter has an ephemeral sequential node in it. Curator's {@code InterProcessMutex} uses the same layout. A mutex on
 * the same path excludes the clients of this backend, and is excluded by them. The same is true of kazoo's
 * {@code Lock} with {@code extra_lock_patterns=["-lock-"]}, if Curator does not use the path, too. In the same way,
 * readers and writers share a path with Curator's {@code InterProcessReadWriteLock}. Semaphores share a path with no
 * other library.
 *
 * <p><b>Leases.</b> A hold lives as long as its session. The lock of a crashed holder is free when the holder's session
 * has timed out. This backend ignores the lease of {@link io.github.distlock.LockOptions#renewedLease}. The client ends
 * a hold with a fixed lease.
 *
 * <p><b>Fencing tokens.</b> Their bases are the ensemble's transaction numbers, which increase as long as the ensemble
 * keeps its data.
 *
 * <p><b>Event threads.</b> ZooKeeper's event thread runs watchers and callbacks, and also receives the answers to
 * requests. So a request of this backend fails there at once, with a message that says so: a blocking acquire, and an
 * inspector's request. Use {@link io.github.distlock.DistributedLock#acquireAsync()} or another thread. A release there
 * does not wait: its outcome is {@link io.github.distlock.LockHandle.Release#PENDING}, and another thread deletes the
 * node. An acquire that waits behind another thread of the same client parks the event thread until it is its turn.
 *
 * <p><b>A caller-supplied client.</b> The application's own watchers may block its event thread. Then requests take up
 * to half a second longer, and holds continue. If the caller closes the client, or if its session ends in another way,
 * all holds end at once. Requests over a closed client fail at once, as do those over a client whose authentication has
 * failed.
 *
 * <p>Thread-safe.
 */
@SuppressWarnings("exports") // an annotation for tools, which users do not need
public final class ZooKeeperBackend implements LockBackend {
    private static final Set<Capability> CAPABILITIES = Set.of(
            Capability.FAIR,
            Capability.INSPECT,
            Capability.FORCE_RELEASE,
            Capability.READ_WRITE,
            Capability.PERMITS,
            Capability.STICKY,
            Capability.RELEASE_REQUESTS,
            Capability.LOCK_DELAY);
    private static final Set<Capability> CAPABILITIES_BELOW_A_BASE = Set.of(
            Capability.FAIR,
            Capability.INSPECT,
            Capability.LIST,
            Capability.FORCE_RELEASE,
            Capability.READ_WRITE,
            Capability.PERMITS,
            Capability.STICKY,
            Capability.RELEASE_REQUESTS,
            Capability.LOCK_DELAY);

    private final Connection connection;
    private final Function<String, String> paths;
    private final Duration sessionTimeout;
    private final ServerTick tick;

    ZooKeeperBackend(
            Connection.SourceFactory source, Function<String, String> paths, Duration sessionTimeout, ServerTick tick) {
        this.paths = paths;
        this.sessionTimeout = sessionTimeout;
        this.tick = tick;
        this.connection = new Connection(source, tick, LockClock.system());
    }

    /**
     * Makes a backend with its own connection, which it closes. The locks are below {@code /distlock}, and the backend
     * asks for a session timeout of 30 s. It connects on first use.
     *
     * @param connectString {@code host:port[,host:port…][/chroot]}
     * @return a new backend
     * @throws IllegalArgumentException if this is not a valid connect string
     */
    public static ZooKeeperBackend connect(String connectString) {
        return builder(connectString).build();
    }

    /**
     * Makes a backend over a caller-supplied client. The client's namespace, chroot and ACL provider apply. The locks
     * are below {@code /distlock}.
     *
     * <p>The caller may start the client later. The backend neither starts, changes nor closes it.
     *
     * @param curator the client, which the caller closes after the backend
     * @return a new backend
     */
    public static ZooKeeperBackend of(CuratorFramework curator) {
        return builder(curator).build();
    }

    /**
     * Returns a builder of a backend with its own connection.
     *
     * @param connectString as for {@link #connect}
     * @return a new builder
     * @throws IllegalArgumentException as for {@link #connect}
     */
    public static ZooKeeperBackendBuilder builder(String connectString) {
        return new ZooKeeperBackendBuilder(connectString);
    }

    /**
     * Returns a builder of a backend over a caller-supplied client.
     *
     * @param curator as for {@link #of}
     * @return a new builder
     */
    public static ZooKeeperBackendBuilder builder(CuratorFramework curator) {
        return new ZooKeeperBackendBuilder(curator);
    }

    @Override
    public Set<Capability> capabilities() {
        return paths instanceof LockPaths.Below ? CAPABILITIES_BELOW_A_BASE : CAPABILITIES;
    }

    @Override
    public void start(BackendContext context) {
        connection.use(context);
    }

    @Override
    public Contender contend(LockRequest request, Signals signals) {
        return new ZooKeeperContender(directory(request.name()), request, signals);
    }

    private LockDirectory directory(String name) {
        return new LockDirectory(connection, name, connection.fullPath(LockPaths.map(name, paths)));
    }

    @Override
    public void requireMayWait() {
        Connection.requireMayWait();
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
        Session session = connection.session(deadline);
        Map<String, Renewal> renewals = new LinkedHashMap<>();
        for (Renewal renewal : due) {
            ZooKeeperGrant grant = (ZooKeeperGrant) renewal.grant();
            if (grant.isOf(session) && !grant.isMissing()) {
                renewals.put(grant.path(), renewal);
            } else {
                // The hold ended with its node, or with its session, which another one has replaced.
                renewal.gone();
            }
        }
        proving(() -> Heartbeat.send(session, List.copyOf(renewals.keySet()), deadline, unchecked -> {
            Renewal renewal = renewals.remove(unchecked.path());
            if (renewal != null && unchecked.isMissing()) {
                renewal.gone();
            } else if (renewal != null) {
                renewal.unknown(unchecked.failure());
            }
        }));
        renewals.values().forEach(renewal -> {
            renewal.renewed(session.validity());
            ((ZooKeeperGrant) renewal.grant()).watch();
        });
    }

    /**
     * {@inheritDoc}
     *
     * <p>The deletions are sent back to back, so thousands of holds take about one round trip. If the backend has its
     * own connection, {@link #close} then ends the session, and with it all other holds.
     */
    @Override
    public Map<Grant, Grant.Release> releaseAll(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        Session session = connection.session(deadline);
        Map<Grant, Ending> deletions = new LinkedHashMap<>();
        for (Grant grant : grants) {
            deletions.put(grant, ((ZooKeeperGrant) grant).sendDeletion(session));
        }
        Map<Grant, Grant.Release> found = new HashMap<>();
        for (Map.Entry<Grant, Ending> sent : deletions.entrySet()) {
            try {
                found.put(sent.getKey(), sent.getValue().await(deadline));
            } catch (KeeperException e) {
                // The outcome is unknown, and the next hold may have another one.
            }
        }
        return found;
    }

    @Override
    public void heartbeat(Collection<? extends Contender> waiting, Deadline deadline) throws InterruptedException {
        Session session = connection.session(deadline);
        List<ZooKeeperContender> waiters =
                waiting.stream().map(ZooKeeperContender.class::cast).toList();
        proving(() -> WaiterCheck.heartbeat(session, waiters, clock(), deadline));
    }

    private interface Proof {
        void send() throws KeeperException, InterruptedException;
    }

    private static void proving(Proof proof) throws InterruptedException {
        try {
            proof.send();
        } catch (KeeperException e) {
            throw new IllegalStateException("the heartbeat to ZooKeeper failed: " + e.getMessage(), e);
        }
    }

    @Override
    public Duration heartbeatInterval() {
        return tick.heartbeatInterval(connection.sessionTimeout(sessionTimeout));
    }

    @Override
    public Duration expiry(LockRequest request) {
        return tick.expiry(connection.sessionTimeout(sessionTimeout)).plus(request.lockDelay());
    }

    @Override
    public boolean isBoundToSession() {
        return true;
    }

    @Override
    public LockStatus inspect(String name, Deadline deadline) throws InterruptedException {
        return inspect(name, deadline, Inspection::status);
    }

    @Override
    public LockNames list(String prefix, Optional<String> position, Deadline deadline) throws InterruptedException {
        if (!(paths instanceof LockPaths.Below below)) {
            throw new UnsupportedOperationException(
                    "locks cannot be listed: ZooKeeperBackendBuilder.paths(…) maps names to paths, and not back");
        }
        try {
            Session session = connection.session(deadline);
            return new NameListing(connection, session, below, deadline).page(prefix, position.orElse(""));
        } catch (KeeperException e) {
            throw Failures.of(prefix + "*", e);
        }
    }

    @Override
    public List<LockStatus.Holder> forceRelease(String name, OptionalLong fencingBase, Deadline deadline)
            throws InterruptedException {
        return inspect(
                name,
                deadline,
                inspection -> fencingBase.isPresent()
                        ? inspection.deleteHolder(fencingBase.getAsLong())
                        : inspection.deleteHolders());
    }

    @Override
    public int requestRelease(String name, LockOwner requester, Deadline deadline) throws InterruptedException {
        try {
            return ReleaseRequests.send(directory(name), connection.session(deadline), requester, deadline);
        } catch (KeeperException e) {
            throw Failures.of(name, e);
        }
    }

    @Override
    public Map<Grant, RequestedRelease> requestedReleases(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        try {
            return ReleaseRequests.read(connection.session(deadline), grants, deadline);
        } catch (KeeperException e) {
            throw new IllegalStateException("requests for release could not be read: " + e.getMessage(), e);
        }
    }

    private interface Question<T> {
        T ask(Inspection inspection) throws KeeperException, InterruptedException;
    }

    private <T> T inspect(String name, Deadline deadline, Question<T> question) throws InterruptedException {
        LockDirectory directory = directory(name);
        try {
            return question.ask(new Inspection(directory, connection.session(deadline), deadline));
        } catch (KeeperException e) {
            throw Failures.of(name, e);
        }
    }

    @Override
    public LockClock clock() {
        return connection.clock();
    }

    /** Closes the backend's own connection and its session. A caller-supplied client keeps its connection. */
    @Override
    public void disconnect() {
        connection.disconnect();
    }

    /**
     * Ends the backend's own connection, and waits for that for at most 500 ms. A caller-supplied client stays open.
     */
    @Override
    public void close() {
        connection.close();
    }
}

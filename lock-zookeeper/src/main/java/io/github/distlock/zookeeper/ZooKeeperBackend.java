package io.github.distlock.zookeeper;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Signals;
import io.github.distlock.zookeeper.Session.Unchecked;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.curator.framework.CuratorFramework;
import org.apache.zookeeper.KeeperException;

/**
 * Locks in ZooKeeper, over Curator.
 *
 * <pre>{@code
 * try (LockClient locks = LockClient.create(ZooKeeperBackend.connect("zk1:2181,zk2:2181,zk3:2181"))) {
 *     try (LockHandle held = locks.lock("orders/42").acquire()) {
 *         …
 *     }
 * }
 * }</pre>
 *
 * <p><b>Layout.</b> A lock is a directory, {@code <base>/<name>} with the name percent-encoded, and each holder or
 * waiter an ephemeral sequential node in it. It is the layout of Curator's {@code InterProcessMutex}, so that a mutex
 * on the same path excludes these locks and is excluded; so does kazoo's {@code Lock} with
 * {@code extra_lock_patterns=["-lock-"]}.
 *
 * <p><b>Leases.</b> A hold lives as long as its session: a crashed holder's lock is free when its session has timed
 * out. The lease of {@link io.github.distlock.LockOptions#renewedLease} says nothing here; a fixed lease is ended by
 * the client.
 *
 * <p><b>Tokens</b> are made of transaction numbers, which rise over everything but the loss of an ensemble's data.
 *
 * <p>Thread-safe.
 */
@SuppressWarnings("exports") // an annotation for tools, which users need not have
public final class ZooKeeperBackend implements LockBackend {
    private static final Set<Capability> CAPABILITIES =
            Set.of(Capability.FAIR, Capability.INSPECT, Capability.FORCE_RELEASE);

    private final Connection connection;
    private final Function<String, String> paths;
    private final Duration sessionTimeout;
    private final Duration tick;

    ZooKeeperBackend(
            CuratorFramework curator,
            boolean owned,
            Function<String, String> paths,
            Duration sessionTimeout,
            Duration tick) {
        this.paths = paths;
        this.sessionTimeout = sessionTimeout;
        this.tick = tick;
        this.connection = new Connection(curator, owned, tick, LockClock.system());
    }

    /**
     * Locks over connections of their own, with the default settings: below {@code /distlock}, with sessions of 30 s.
     * Connects when it is first used.
     *
     * @param connectString {@code host:port}, more of them separated by commas, and a chroot if there is one
     * @return a new backend that owns its connection
     * @throws IllegalArgumentException when that is no connect string
     */
    public static ZooKeeperBackend connect(String connectString) {
        return builder(connectString).build();
    }

    /**
     * Locks over a caller's client, with the default settings. The client's namespace, chroot and ACL provider apply.
     * It may be started later; it stays open when this backend is closed, and as it was.
     *
     * @param curator the client, for as long as the backend lives
     * @return a new backend
     */
    public static ZooKeeperBackend of(CuratorFramework curator) {
        return builder(curator).build();
    }

    /**
     * The same as {@link #connect} with other settings.
     *
     * @param connectString {@code host:port}, more of them separated by commas, and a chroot if there is one
     * @return a new builder
     * @throws IllegalArgumentException when that is no connect string
     */
    public static ZooKeeperBackendBuilder builder(String connectString) {
        return new ZooKeeperBackendBuilder(connectString);
    }

    /**
     * The same as {@link #of} with other settings.
     *
     * @param curator the client, for as long as the backend lives
     * @return a new builder
     */
    public static ZooKeeperBackendBuilder builder(CuratorFramework curator) {
        return new ZooKeeperBackendBuilder(curator);
    }

    @Override
    public Set<Capability> capabilities() {
        return CAPABILITIES;
    }

    @Override
    public Contender contend(LockRequest request, Signals signals) {
        return new ZooKeeperContender(directory(request.name()), request, signals);
    }

    private LockDirectory directory(String name) {
        String path = LockPaths.requirePath(paths.apply(name), name);
        return new LockDirectory(connection, name, connection.fullPath(path));
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
        Map<ZooKeeperGrant, Renewal> renewals = new HashMap<>();
        Map<String, ZooKeeperGrant> grants = new HashMap<>();
        for (Renewal renewal : due) {
            ZooKeeperGrant grant = (ZooKeeperGrant) renewal.grant();
            renewals.put(grant, renewal);
            grants.put(grant.path(), grant);
        }
        Session session = beat(grants.keySet(), deadline, unchecked -> {
            ZooKeeperGrant grant = grants.get(unchecked.path());
            Renewal renewal = grant == null ? null : renewals.remove(grant);
            if (renewal != null && unchecked.isMissing()) {
                renewal.gone();
            } else if (renewal != null) {
                renewal.unknown(unchecked.failure());
            }
        });
        renewals.forEach((grant, renewal) -> {
            if (grant.isOf(session)) {
                renewal.renewed(session.validity());
                grant.watch();
            } else {
                renewal.unknown(new IllegalStateException("the session of this hold was replaced by another"));
            }
        });
    }

    @Override
    public void heartbeat(Collection<? extends Contender> waiting, Deadline deadline) throws InterruptedException {
        Map<String, ZooKeeperContender> places = new HashMap<>();
        for (Contender contender : waiting) {
            ZooKeeperContender place = (ZooKeeperContender) contender;
            String path = place.path();
            if (path != null) {
                places.put(path, place);
            }
        }
        beat(places.keySet(), deadline, unchecked -> {
            ZooKeeperContender place = places.get(unchecked.path());
            if (place != null && unchecked.isMissing()) {
                place.wakeUp();
            }
        });
    }

    /** A heartbeat; tells which nodes are not there, or may not be read. */
    @CanIgnoreReturnValue
    private Session beat(Collection<String> paths, Deadline deadline, Consumer<Unchecked> unchecked)
            throws InterruptedException {
        try {
            Session session = connection.session(deadline);
            Heartbeat.beat(session, paths, deadline, unchecked);
            return session;
        } catch (KeeperException e) {
            throw new IllegalStateException("ZooKeeper says " + e.getMessage(), e);
        }
    }

    @Override
    public Duration heartbeatInterval() {
        return SessionTerm.heartbeatInterval(connection.sessionTimeout(sessionTimeout), tick);
    }

    @Override
    public Duration expiry(LockRequest request) {
        Duration timeout = connection.sessionTimeout(sessionTimeout);
        return timeout.plus(SessionTerm.tick(timeout, tick));
    }

    @Override
    public boolean isBoundToSession() {
        return true;
    }

    @Override
    public LockStatus inspect(String name, Deadline deadline) throws InterruptedException {
        return look(name, deadline, Inspection::status);
    }

    @Override
    public List<LockStatus.Holder> forceRelease(String name, Deadline deadline) throws InterruptedException {
        return look(name, deadline, Inspection::deleteFirst);
    }

    private interface Look<T> {
        T at(Inspection inspection) throws KeeperException, InterruptedException;
    }

    private <T> T look(String name, Deadline deadline, Look<T> look) throws InterruptedException {
        LockDirectory directory = directory(name);
        try {
            return look.at(new Inspection(directory, connection.session(deadline), deadline));
        } catch (KeeperException e) {
            throw Failures.of(name, e);
        }
    }

    @Override
    public LockClock clock() {
        return connection.clock();
    }

    @Override
    public void close() {
        connection.close();
    }
}

package io.github.distlock.tests.zookeeper;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A base path of its own on a server that all tests of this JVM share; each client has a network of its own.
 *
 * <p>The lease is the session's time-out. ZooKeeper's client takes up to a second to come back after its connection broke, so
 * shorter sessions do not outlive half a time-out of silence.
 */
final class ZooKeeperFixture implements BackendFixture {
    private static final Duration SESSION = Duration.ofSeconds(7);

    private final String base = SharedZooKeeper.freshPath();
    private final Map<LockBackend, FaultProxy> networks = new ConcurrentHashMap<>();

    @Override
    public LockBackend newBackend() {
        FaultProxy network = FaultProxy.to(SharedZooKeeper.server());
        LockBackend backend = ZooKeeperBackend.builder(network.address())
                .basePath(base)
                .sessionTimeout(SESSION)
                .tick(SharedZooKeeper.TICK)
                .build();
        networks.put(backend, network);
        return backend;
    }

    @Override
    public void lose(String name) {
        SharedZooKeeper.deleteFirst(base + "/" + name.replace("/", "%2F"));
    }

    @Override
    public void silence(LockBackend backend) {
        networks.get(backend).silence();
    }

    @Override
    public void restore(LockBackend backend) {
        networks.get(backend).heal();
    }

    @Override
    public void letPass(Duration time) {
        SharedZooKeeper.letPass(time);
    }

    @Override
    public List<String> leftovers() {
        List<String> leftovers = new ArrayList<>();
        for (String lock : SharedZooKeeper.children(base)) {
            for (String node : SharedZooKeeper.children(base + "/" + lock)) {
                leftovers.add(lock + "/" + node);
            }
        }
        return leftovers;
    }

    @Override
    public Duration lease() {
        return SESSION;
    }

    @Override
    public void close() {
        networks.values().forEach(FaultProxy::close);
    }
}

package io.github.distlock.bench;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import java.time.Duration;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;

/** A ZooKeeper server. It removes empty directories after a time. */
final class SoakedZooKeeper implements SoakedStore {
    private static final Duration TICK = Duration.ofMillis(500);

    private final ZooKeeperServer server =
            ZooKeeperServer.start(ZooKeeperSettings.defaults().tickTime(TICK));

    @Override
    public LockBackend newBackend() {
        return ZooKeeperBackend.builder(server.connectString()).tick(TICK).build();
    }

    @Override
    public int names() {
        return 100;
    }

    @Override
    public long cycles() {
        return 100_000;
    }

    @Override
    public long idleConnections() {
        return 1;
    }

    @Override
    public long entries() {
        try (CuratorFramework operator =
                CuratorFrameworkFactory.newClient(server.connectString(), new RetryOneTime(1_000))) {
            operator.start();
            long nodes = 0;
            for (String lock : operator.getChildren().forPath("/distlock")) {
                nodes += operator.getChildren().forPath("/distlock/" + lock).size();
            }
            return nodes;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        server.close();
    }
}

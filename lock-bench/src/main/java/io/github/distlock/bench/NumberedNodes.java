package io.github.distlock.bench;

import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.NodeExistsException;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;

/**
 * Ephemeral, numbered nodes over ZooKeeper's own client: created to acquire, deleted to release.
 *
 * <p>A chained client waits for the deletion of the node whose number precedes its own. It looks up no list of nodes.
 * If a client dies before it is served, the next one is served too early. So this is no lock, but the least that
 * passing one costs.
 */
record NumberedNodes(ZooKeeper client, boolean chained) implements Peer.Client {
    /** ZooKeeper's client searches it for null, which {@code List.of} refuses. */
    private static final List<ACL> ANYONE = Collections.singletonList(new ACL(Perms.ALL, new Id("world", "anyone")));

    private static final String ROOT = "/floor";
    private static final int SESSION_MILLIS = 30_000;

    static NumberedNodes connect(String server, boolean chained) {
        try {
            return new NumberedNodes(new ZooKeeper(server, SESSION_MILLIS, event -> {}), chained);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public Acquire lock(String name) {
        String directory = ROOT + "/" + name;
        try {
            create(ROOT);
            create(directory);
        } catch (KeeperException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return () -> acquire(directory + "/lock-");
    }

    private void create(String path) throws KeeperException, InterruptedException {
        try {
            var unused = client.create(path, new byte[0], ANYONE, CreateMode.PERSISTENT);
        } catch (NodeExistsException e) {
            // Another client has created it.
        }
    }

    private AutoCloseable acquire(String prefix) throws KeeperException, InterruptedException {
        String node = client.create(prefix, new byte[0], ANYONE, CreateMode.EPHEMERAL_SEQUENTIAL);
        if (chained) {
            String before = String.format("%s%010d", prefix, Integer.parseInt(node.substring(prefix.length())) - 1);
            CountDownLatch deleted = new CountDownLatch(1);
            if (client.exists(before, event -> deleted.countDown()) != null) {
                deleted.await();
            }
        }
        return () -> client.delete(node, -1);
    }

    @Override
    public void close() {
        try {
            client.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

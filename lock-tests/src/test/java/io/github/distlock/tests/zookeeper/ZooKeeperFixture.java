package io.github.distlock.tests.zookeeper;

import io.github.distlock.tests.ServerFixture;
import io.github.distlock.tests.servers.Server;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.apache.zookeeper.ZooKeeper;

/** A base path of its own on a server. The lease is the session's time-out. */
final class ZooKeeperFixture extends ServerFixture {
    private final String base = "/" + space();

    ZooKeeperFixture(Server server) {
        super(server, new ZooKeeperFactory());
    }

    @Override
    protected ServerFixture over(Server another) {
        return new ZooKeeperFixture(another);
    }

    @Override
    protected Server startServer() {
        return SharedZooKeeper.startAnother();
    }

    /** The server has heard from the holder a tick ago at the latest: heartbeats come that often. */
    @Override
    protected OptionalLong endsHoldAt(String name) {
        return OptionalLong.of(System.nanoTime() - SharedZooKeeper.TICK.toNanos() + ZooKeeperFactory.SESSION.toNanos());
    }

    @Override
    public void lose(String name) {
        String directory = base + "/" + name.replace("/", "%2F");
        SharedZooKeeper.asked(server(), operator -> SharedZooKeeper.deleteFirst(operator, directory));
    }

    @Override
    public List<String> leftovers() {
        return SharedZooKeeper.asked(server(), this::leftovers);
    }

    private List<String> leftovers(ZooKeeper operator) {
        List<String> leftovers = new ArrayList<>();
        for (String lock : SharedZooKeeper.children(operator, base)) {
            for (String node : SharedZooKeeper.children(operator, base + "/" + lock)) {
                leftovers.add(lock + "/" + node);
            }
        }
        return leftovers;
    }

    @Override
    public Duration lease() {
        return ZooKeeperFactory.SESSION;
    }
}

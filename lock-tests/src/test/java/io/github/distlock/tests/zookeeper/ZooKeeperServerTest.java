package io.github.distlock.tests.zookeeper;

import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.ServerRules;
import io.github.distlock.tests.servers.Server;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** What needs a real server, for ZooKeeper. */
class ZooKeeperServerTest extends ServerRules {
    private static ZooKeeperServer server;

    @BeforeAll
    static void start() {
        server = ZooKeeperServer.start(ZooKeeperSettings.defaults().tickTime(ZooKeeperFactory.TICK));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Override
    protected Server server() {
        return server;
    }

    @Override
    protected Class<? extends BackendFactory> factory() {
        return ZooKeeperFactory.class;
    }

    @Override
    protected Duration lease() {
        return ZooKeeperFactory.SESSION;
    }

    @Override
    protected boolean tokensOutliveData() {
        return false;
    }

    @Override
    protected Duration expiry() {
        return ZooKeeperFactory.SESSION.plus(ZooKeeperFactory.TICK);
    }

    /** The server has heard from the holder a tick ago at the latest: heartbeats come that often. */
    @Override
    protected long serverEndsHoldAt(String space, String name) {
        return System.nanoTime() - ZooKeeperFactory.TICK.toNanos() + ZooKeeperFactory.SESSION.toNanos();
    }
}

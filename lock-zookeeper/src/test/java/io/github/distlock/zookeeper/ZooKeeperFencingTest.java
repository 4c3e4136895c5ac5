package io.github.distlock.zookeeper;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.history.FencingExperiment;
import io.github.distlock.tests.servers.Server;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import java.time.Duration;

/** Fencing, with tokens from ZooKeeper. */
class ZooKeeperFencingTest extends FencingExperiment {
    private static final Duration TICK = Duration.ofMillis(200);

    @Override
    protected Server newServer() {
        return ZooKeeperServer.start(ZooKeeperSettings.defaults().tickTime(TICK));
    }

    @Override
    protected Class<? extends BackendFactory> factory() {
        return ShortSessions.class;
    }

    /** Creates backends whose session timeout is the lease of the experiment. */
    public static final class ShortSessions implements BackendFactory {
        @Override
        public LockBackend backend(String address, String space) {
            return ZooKeeperBackend.builder(address)
                    .basePath("/" + space)
                    .sessionTimeout(Duration.ofSeconds(2))
                    .tick(TICK)
                    .build();
        }
    }
}

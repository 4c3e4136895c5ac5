package io.github.distlock.zookeeper;

import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.RequestRefusedException;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.api.CuratorListener;
import org.apache.curator.framework.imps.CuratorFrameworkBase;
import org.apache.curator.framework.imps.CuratorFrameworkState;
import org.apache.curator.utils.ZKPaths;
import org.jspecify.annotations.Nullable;

/**
 * A caller-supplied client. This class neither starts, changes nor closes it, and only listens to it.
 *
 * <p>Only the client itself reports its closing, and not a view of it with another namespace. So this class listens to
 * the client behind a view.
 */
final class SuppliedClient implements CuratorSource {
    private final CuratorFramework supplied;
    private final Started started;
    private final CuratorListener listener;
    private final ReentrantLock mutex = new ReentrantLock();
    private boolean listening;
    private boolean closed;

    SuppliedClient(CuratorFramework supplied, CuratorListener listener) {
        this.supplied = supplied;
        this.started =
                new Started(supplied instanceof CuratorFrameworkBase view ? view.client() : supplied, null, true);
        this.listener = listener;
    }

    @Override
    public @Nullable Started client(BackendContext context) {
        listen();
        return switch (started.curator().getState()) {
            case LATENT -> null;
            case STARTED -> started;
            case STOPPED -> throw new RequestRefusedException("the CuratorFramework is closed", null);
        };
    }

    private void listen() {
        mutex.lock();
        try {
            if (!listening && !closed) {
                started.curator().getCuratorListenable().addListener(listener);
                listening = true;
            }
        } finally {
            mutex.unlock();
        }
    }

    @Override
    public boolean giveUp(Started failed, BackendContext context) {
        return false;
    }

    @Override
    public String connectString() {
        return supplied.getZookeeperClient().getCurrentConnectionString();
    }

    @Override
    public String problem() {
        return supplied.getState() == CuratorFrameworkState.LATENT
                ? "the CuratorFramework has not been started"
                : "no connection to ZooKeeper at " + ConnectStrings.withoutCredentials(connectString());
    }

    @Override
    public String fullPath(String path) {
        return ZKPaths.fixForNamespace(supplied.getNamespace(), path);
    }

    /** Does nothing: the connection is the client's. */
    @Override
    public void disconnect(BackendContext context) {}

    @Override
    public void close(@Nullable BackendContext context) {
        mutex.lock();
        try {
            closed = true;
            if (listening) {
                started.curator().getCuratorListenable().removeListener(listener);
                listening = false;
            }
        } finally {
            mutex.unlock();
        }
    }
}

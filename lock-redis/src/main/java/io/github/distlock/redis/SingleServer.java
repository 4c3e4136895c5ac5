package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.exceptions.JedisException;

/** One server, which keeps all locks. */
final class SingleServer implements Topology {
    private final Route only;

    SingleServer(HostAndPort address, Node.Shared shared) {
        this.only = new Route(new Node(address, address, shared));
    }

    @Override
    public Object server(byte[] lockKey) {
        return only.node().server();
    }

    @Override
    public Route route(byte[] lockKey, Deadline deadline) {
        return only;
    }

    @Override
    public Node any(Deadline deadline) {
        return only.node();
    }

    @Override
    public @Nullable Route afterFailure(Route failed, byte[] lockKey, JedisException error, Deadline deadline) {
        return null;
    }

    @Override
    public Collection<Node> serving(Deadline deadline) {
        return List.of(only.node());
    }

    @Override
    public boolean failsOver() {
        return false;
    }

    @Override
    public void disconnect() {
        only.node().disconnect();
    }

    @Override
    public void close() {
        only.node().close(OwnConnections.CLOSED);
    }

    @Override
    public String toString() {
        return only.node().toString();
    }
}

package io.github.distlock.redis;

import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.LockClock;
import java.util.function.Function;
import redis.clients.jedis.DefaultJedisClientConfig;

/** Connections of a backend without the backend. Time passes for them as a test says. */
final class TestNodes {
    private TestNodes() {}

    static RedisContext context(LockClock clock, BackendContext engine) {
        RedisContext context = new RedisContext(clock, replaced -> {});
        context.start(engine);
        return context;
    }

    static Node.Shared shared(RedisContext context, ServerConnection.Check check, ReplicaPolicy replicas) {
        return new Node.Shared(
                DefaultJedisClientConfig.builder().build(),
                check,
                8,
                new Script.Settings(Publisher.SCRIPT, 3_600_000),
                replicas,
                context,
                new LateExchanges(context));
    }

    static OwnConnections connections(Function<Node.Shared, Topology> topology, Node.Shared shared) {
        return new OwnConnections(topology.apply(shared), shared.late(), shared.context());
    }
}

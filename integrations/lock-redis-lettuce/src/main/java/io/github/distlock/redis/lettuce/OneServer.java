package io.github.distlock.redis.lettuce;

import io.github.distlock.redis.connection.ConnectionContext;
import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.Deadline;
import io.lettuce.core.RedisClient;
import io.lettuce.core.protocol.CommandType;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The server to which a {@link RedisClient} leads: one server, or the primary that sentinels name at the time of the
 * connection. {@link SentinelWatch} says when another primary has taken its place. A connection to a server that has
 * become a replica ends with its next answer, because that server refuses to write. The next one leads to the new
 * primary.
 */
final class OneServer implements Deployment {
    /** The client decides which server keeps the locks, and does not say which. */
    private static final Object SERVER = "";

    private final ClientDialer dialer;
    private final Route only;
    private final Set<LettuceListening> subscriptions = ConcurrentHashMap.newKeySet();
    private final ConnectionContext context;

    OneServer(RedisClient client, ConnectionContext context) {
        this.context = context;
        this.dialer = new ClientDialer(client, context, this::leave);
        this.only = new Route(new Node(dialer, SERVER, context), false);
    }

    /** Leaves former primaries: requests and subscriptions there fail, and all holds are renewed at the new one. */
    private void leave(Set<String> former) {
        boolean left = only.node().leave(former);
        for (LettuceListening each : subscriptions) {
            left |= each.leave(former);
        }
        if (left) {
            context.connectionLost(SERVER);
        }
    }

    @Override
    public void begun(LettuceListening listening) {
        subscriptions.add(listening);
    }

    @Override
    public void ended(LettuceListening listening) {
        subscriptions.remove(listening);
    }

    @Override
    public Object server(byte[] lockKey) {
        return SERVER;
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
    public @Nullable Route redirected(Route from, byte[] lockKey, String words) {
        return null;
    }

    @Override
    public void failed(Node node) {}

    @Override
    public List<Connections.Server> servers(Deadline deadline) throws InterruptedException {
        // Connects, so that the address is known.
        List<Link.Words> ping = List.of(new Link.Words(CommandType.PING, List.of()));
        Object reply = only.node()
                .exchange(ping, Connections.Purpose.REQUEST, deadline)
                .get(0);
        if (reply instanceof RuntimeException error && !(error instanceof ErrorReply)) {
            throw error;
        }
        return List.of(new NodeServer(only.node(), dialer.toString(), dialer.hasSentinels(), lockKey -> true));
    }

    @Override
    public void disconnect() {
        Deadline soon = Closing.soon(context.clock());
        only.node().disconnect(soon);
        dialer.disconnect(soon);
    }

    @Override
    public void close() {
        only.node().close(Errors.CLOSED);
        only.node().awaitClosed(Closing.soon(context.clock()));
        dialer.close();
    }

    @Override
    public String toString() {
        return dialer.toString();
    }
}

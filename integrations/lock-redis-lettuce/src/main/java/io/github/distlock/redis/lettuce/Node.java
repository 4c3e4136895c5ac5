package io.github.distlock.redis.lettuce;

import io.github.distlock.redis.connection.ConnectionContext;
import io.github.distlock.redis.connection.Connections;
import io.github.distlock.spi.Deadline;
import java.util.List;
import java.util.Set;

/**
 * One server that keeps locks, and the backend's two connections to it. Requests of callers never delay renewals and
 * heartbeats.
 */
final class Node {
    private final Dialer dialer;
    private final Object server;
    private final Lane requests;
    private final Lane upkeep;

    /**
     * Connects to nothing yet.
     *
     * @param server what {@linkplain Connections#server names the server} of the locks that this node keeps
     */
    Node(Dialer dialer, Object server, ConnectionContext context) {
        this.dialer = dialer;
        this.server = server;
        Runnable lost = () -> context.connectionLost(server);
        this.requests = new Lane(dialer, context, lost);
        this.upkeep = new Lane(dialer, context, lost);
    }

    Dialer dialer() {
        return dialer;
    }

    Object server() {
        return server;
    }

    List<Object> exchange(List<Link.Words> commands, Connections.Purpose purpose, Deadline deadline)
            throws InterruptedException {
        return lane(purpose).exchange(commands, deadline);
    }

    private Lane lane(Connections.Purpose purpose) {
        return purpose == Connections.Purpose.UPKEEP ? upkeep : requests;
    }

    /** Returns whether there is a connection for a purpose, on which the server has not been silent for too long. */
    boolean isConnected(Connections.Purpose purpose) {
        return lane(purpose).isConnected();
    }

    /** Closes the connections to some addresses. Returns whether there were any. Does not block. */
    boolean leave(Set<String> addresses) {
        boolean left = requests.leave(addresses);
        return upkeep.leave(addresses) || left;
    }

    /** Closes the connections, and waits for that. The next request opens others. */
    void disconnect(Deadline soon) {
        requests.disconnect(soon);
        upkeep.disconnect(soon);
    }

    /** Closes the connections, so that requests under way fail now. Does not block. */
    void close(String why) {
        requests.close(why);
        upkeep.close(why);
    }

    /** Waits for the end of connections that are being closed. */
    void awaitClosed(Deadline soon) {
        requests.awaitClosed(soon);
        upkeep.awaitClosed(soon);
    }
}

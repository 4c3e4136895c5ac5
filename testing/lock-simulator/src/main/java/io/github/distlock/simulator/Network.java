package io.github.distlock.simulator;

import java.util.HashMap;
import java.util.Map;

/**
 * The links between processes and servers. A link has a latency in each direction, and may be held: messages then wait
 * until it is released. Messages of one {@link Connection} arrive in order, as with TCP. They are lost only if the
 * connection breaks.
 */
public final class Network {
    private static final long LEAST_LATENCY = 20_000;

    private final World world;
    private final long usualLatency;
    private final Map<String, Link> links = new HashMap<>();
    private long lastArrival;

    /**
     * Creates a network.
     *
     * @param world the simulation
     * @param usualLatency nanoseconds that most messages need
     */
    public Network(World world, long usualLatency) {
        this.world = world;
        this.usualLatency = usualLatency;
    }

    /**
     * Opens a connection. To let the handshake take time, the caller sends a message first.
     *
     * @param client the name of the process
     * @param server the name of the server
     * @return an open connection
     */
    public Connection connect(String client, String server) {
        return new Connection(this, client, server);
    }

    /**
     * Returns whether a link carries messages at present in both directions.
     *
     * @param one a process or server
     * @param other another one
     * @return false if one direction is held
     */
    public boolean isOpen(String one, String other) {
        return !link(one, other).isHeld() && !link(other, one).isHeld();
    }

    /**
     * Holds messages of one direction until a time. Messages that have already left arrive as planned.
     *
     * @param from the sender
     * @param to the receiver
     * @param until when the link is released, on the scale of {@link World#nanoTime()}
     */
    public void hold(String from, String to, long until) {
        Link link = link(from, to);
        link.heldUntil = Math.max(link.heldUntil, until);
    }

    /** Releases all links. Messages that already wait arrive as planned. */
    public void heal() {
        links.values().forEach(link -> link.heldUntil = 0);
    }

    /** Returns when a message that is sent now arrives. */
    long arrival(String from, String to) {
        long arrival = Math.max(world.nanoTime(), link(from, to).heldUntil) + latency();
        lastArrival = Math.max(lastArrival, arrival);
        return arrival;
    }

    /** Returns when the last message arrives that is under way. */
    long lastArrival() {
        return lastArrival;
    }

    /** Most messages need about the usual time. Some need much longer. */
    private long latency() {
        int kind = world.random().nextInt(1000);
        long longest = kind < 900 ? 2 * usualLatency : kind < 995 ? 10 * usualLatency : 200 * usualLatency;
        return LEAST_LATENCY + world.random().nextLong(longest);
    }

    World world() {
        return world;
    }

    private Link link(String from, String to) {
        return links.computeIfAbsent(from + ">" + to, key -> new Link());
    }

    private final class Link {
        private long heldUntil;

        private boolean isHeld() {
            return heldUntil > world.nanoTime();
        }
    }
}

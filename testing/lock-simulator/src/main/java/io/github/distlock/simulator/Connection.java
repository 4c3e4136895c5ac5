package io.github.distlock.simulator;

import java.util.ArrayList;
import java.util.List;

/**
 * A connection between a process and a server: two directions, each of which keeps the order of its messages. When the
 * connection breaks, messages that have not arrived are lost, and both ends learn it after a while. Each end may learn
 * it at any time, so code must not rely on it: a held link delays it too.
 */
public final class Connection {
    private final Network network;
    private final String client;
    private final String server;
    private final List<Runnable> brokenForClient = new ArrayList<>();
    private final List<Runnable> brokenForServer = new ArrayList<>();
    private long lastToServer;
    private long lastToClient;
    private boolean broken;

    Connection(Network network, String client, String server) {
        this.network = network;
        this.client = client;
        this.server = server;
    }

    /**
     * Sends a message to the server.
     *
     * @param arrival what happens when the message arrives; never runs if the connection breaks before
     */
    public void toServer(Runnable arrival) {
        lastToServer = Math.max(lastToServer, network.arrival(client, server));
        deliver(lastToServer, arrival);
    }

    /**
     * Sends a message to the client.
     *
     * @param arrival what happens when the message arrives; never runs if the connection breaks before
     */
    public void toClient(Runnable arrival) {
        lastToClient = Math.max(lastToClient, network.arrival(server, client));
        deliver(lastToClient, arrival);
    }

    /**
     * Delays the next messages to the client.
     *
     * @param nanos by how much at least
     */
    public void delayToClient(long nanos) {
        lastToClient = Math.max(lastToClient, network.world().nanoTime() + nanos);
    }

    private void deliver(long at, Runnable arrival) {
        network.world().at(at, () -> {
            if (!broken) {
                arrival.run();
            }
        });
    }

    /**
     * Adds what the client does when it learns that the connection is broken. If the client broke it itself by
     * {@link #closeByClient()}, this never runs.
     *
     * @param action an event
     */
    public void onBrokenForClient(Runnable action) {
        brokenForClient.add(action);
    }

    /**
     * Adds what the server does when it learns that the connection is broken.
     *
     * @param action an event
     */
    public void onBrokenForServer(Runnable action) {
        brokenForServer.add(action);
    }

    /** Breaks the connection at once, as a crash of a router does. Both ends learn it later. */
    public void breakOff() {
        if (end()) {
            notifyServer();
            notifyClient();
        }
    }

    /** Closes the connection at the client's side. Messages under way are lost. */
    public void closeByClient() {
        if (end()) {
            notifyServer();
        }
    }

    /** Closes the connection at the server's side. Messages under way are lost. */
    public void closeByServer() {
        if (end()) {
            notifyClient();
        }
    }

    private boolean end() {
        boolean ends = !broken;
        broken = true;
        return ends;
    }

    private void notifyServer() {
        brokenForServer.forEach(action -> network.world().at(network.arrival(client, server), action));
    }

    private void notifyClient() {
        brokenForClient.forEach(action -> network.world().at(network.arrival(server, client), action));
    }

    /**
     * Returns whether the connection has ended, which its ends may not know yet.
     *
     * @return true once it was broken or closed
     */
    public boolean isBroken() {
        return broken;
    }
}

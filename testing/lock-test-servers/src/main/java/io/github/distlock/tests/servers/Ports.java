package io.github.distlock.tests.servers;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ports that stay free while their server is down. They lie outside the range from which operating systems take the
 * local ports of outgoing connections. An outgoing connection from such a port would prevent a restart of the server,
 * or would connect to itself.
 *
 * <p>Other JVMs choose ports at the same time. So this JVM keeps a datagram socket on each port that it has chosen,
 * until it ends, and chooses no port that has one. Servers use only stream sockets. To look whether a server listens on
 * a port, it connects. If it listened there itself for a moment, a process that it is starting would have a copy of its
 * socket, and would keep the port in use for some time.
 */
final class Ports {
    /** The address at which processes listen. */
    static final String LOOPBACK = InetAddress.getLoopbackAddress().getHostAddress();

    private static final int LOWEST = 10_000;
    private static final int BEYOND = 32_000;
    private static final int TRIES = 1_000;

    /** Referenced, so that they stay open. */
    private static final Set<DatagramSocket> RESERVATIONS = ConcurrentHashMap.newKeySet();

    private Ports() {}

    /** Returns a port on which no process listens and that no call has returned, in this or another running JVM. */
    static int free() {
        for (int i = 0; i < TRIES; i++) {
            int port = ThreadLocalRandom.current().nextInt(LOWEST, BEYOND);
            if (reserve(port) && isFree(port)) {
                return port;
            }
        }
        throw new IllegalStateException("no free port between " + LOWEST + " and " + BEYOND);
    }

    /** Returns a port as {@link #free()} does, of which also the one at a distance is free and reserved. */
    static int freeWith(int distance) {
        for (int i = 0; i < TRIES; i++) {
            int port = ThreadLocalRandom.current().nextInt(LOWEST, BEYOND - distance);
            if (reserve(port) && reserve(port + distance) && isFree(port) && isFree(port + distance)) {
                return port;
            }
        }
        throw new IllegalStateException("no free pair of ports between " + LOWEST + " and " + BEYOND);
    }

    /** Returns false if a running JVM has reserved the port. */
    static boolean reserve(int port) {
        try {
            return RESERVATIONS.add(new DatagramSocket(new InetSocketAddress(LOOPBACK, port)));
        } catch (SocketException e) {
            return false;
        }
    }

    private static boolean isFree(int port) {
        try (Socket any = new Socket(LOOPBACK, port)) {
            return !any.isConnected();
        } catch (IOException e) {
            return true;
        }
    }
}

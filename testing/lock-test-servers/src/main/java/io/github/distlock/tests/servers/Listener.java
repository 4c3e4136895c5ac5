package io.github.distlock.tests.servers;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * Accepts connections in a thread of its own.
 *
 * <p>A socket goes on accepting until the thread that waits at it has left, and that happens a moment after the socket was
 * closed. So closing waits for that thread.
 */
final class Listener implements AutoCloseable {
    private static final Duration END = Duration.ofSeconds(5);

    private final ServerSocket socket;
    private final Consumer<Socket> opened;
    private final Thread thread;

    Listener(InetSocketAddress address, Consumer<Socket> opened) throws IOException {
        this.opened = opened;
        socket = new ServerSocket();
        try {
            socket.setReuseAddress(true);
            socket.bind(address);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
        thread = FaultProxy.daemon("accept", this::accept);
    }

    private void accept() {
        while (!socket.isClosed()) {
            try {
                Socket client = socket.accept();
                client.setTcpNoDelay(true);
                opened.accept(client);
            } catch (IOException e) {
                // The listener was closed, or the client was gone before it was accepted.
            }
        }
    }

    @Override
    public void close() {
        FaultProxy.closeQuietly(socket);
        try {
            thread.join(END.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

package io.github.distlock.tests.servers;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * Accepts connections in a separate thread.
 *
 * <p>The operating system accepts connections until the thread in {@code accept()} has returned, which happens after
 * {@code ServerSocket.close()} has returned. So {@link #close()} waits for that thread.
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
                // The listener was closed, or the client closed the connection before it was accepted.
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

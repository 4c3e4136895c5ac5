package io.github.distlock.tests.servers;

import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
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
    private static final Duration BIND = Duration.ofSeconds(10);

    private final ServerSocket socket;
    private final Consumer<Socket> opened;
    private final Thread thread;

    Listener(InetSocketAddress address, Consumer<Socket> opened) throws IOException {
        this.opened = opened;
        socket = listening(address);
        thread = FaultProxy.daemon("accept", this::accept);
    }

    /**
     * Listens at an address where this JVM may have listened before. A process that this JVM was starting at that time
     * has a copy of the former socket, and keeps the address in use until it has closed it.
     */
    private static ServerSocket listening(InetSocketAddress address) throws IOException {
        ServerSocket created = new ServerSocket();
        created.setReuseAddress(true);
        Waiting.until(BIND, () -> isBound(created, address));
        if (!created.isBound()) {
            created.close();
            throw new BindException("in use: " + address);
        }
        return created;
    }

    private static boolean isBound(ServerSocket socket, InetSocketAddress address) {
        try {
            socket.bind(address);
            return true;
        } catch (BindException e) {
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
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

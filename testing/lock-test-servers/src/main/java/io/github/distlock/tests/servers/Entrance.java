package io.github.distlock.tests.servers;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** One address of a {@link FaultProxy}, before one server. The proxy holds a lock while it opens or closes it. */
final class Entrance {
    private static final int CONNECT_MILLIS = 10_000;

    private final InetSocketAddress address = new InetSocketAddress(Ports.LOOPBACK, Ports.free());
    private final String serverHost;
    private final int serverPort;
    private @Nullable Listener listener;

    Entrance(String serverHost, int serverPort) {
        this.serverHost = serverHost;
        this.serverPort = serverPort;
    }

    String host() {
        return address.getAddress().getHostAddress();
    }

    int port() {
        return address.getPort();
    }

    String address() {
        return host() + ":" + port();
    }

    /** Accepts connections from now on. Does nothing if it already does. */
    void open(BiConsumer<Entrance, Socket> opened) throws IOException {
        if (listener == null) {
            listener = new Listener(address, client -> opened.accept(this, client));
        }
    }

    /** Refuses connections from now on. */
    void close() {
        if (listener != null) {
            listener.close();
            listener = null;
        }
    }

    Socket connectToServer() throws IOException {
        Socket server = new Socket();
        try {
            server.setTcpNoDelay(true);
            server.connect(new InetSocketAddress(serverHost, serverPort), CONNECT_MILLIS);
            return server;
        } catch (IOException e) {
            server.close();
            throw e;
        }
    }
}

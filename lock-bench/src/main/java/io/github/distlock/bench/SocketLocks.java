package io.github.distlock.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import redis.clients.jedis.HostAndPort;

/**
 * The requests of {@link PlainLocks} as bytes that are encoded once, over a socket for each lock. A lock has one
 * thread, and is always free.
 */
final class SocketLocks implements Peer.Client {
    private static final String VALUE = "0123456789abcdef0123456789abcdef";

    private final HostAndPort server;
    private final List<Connection> connections = new ArrayList<>();

    SocketLocks(HostAndPort server) {
        this.server = server;
    }

    @Override
    public Acquire lock(String name) {
        try {
            Connection connection = new Connection(server, "socket:" + name);
            connections.add(connection);
            return connection::acquire;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        connections.forEach(Connection::close);
    }

    private static final class Connection implements AutoCloseable {
        private static final byte[] DONE = "+OK\r\n".getBytes(US_ASCII);
        private static final byte[] DELETED = ":1\r\n".getBytes(US_ASCII);

        private final Socket socket;
        private final OutputStream output;
        private final InputStream input;
        private final byte[] acquire;
        private final byte[] release;

        private Connection(HostAndPort server, String key) throws IOException {
            socket = new Socket(server.getHost(), server.getPort());
            socket.setTcpNoDelay(true);
            output = socket.getOutputStream();
            input = socket.getInputStream();
            acquire = request("SET", key, VALUE, "NX", "PX", "30000");
            output.write(request("SCRIPT", "LOAD", PlainLocks.COMPARE_AND_DELETE));
            String digest = new String(input.readNBytes("$40\r\n".length() + 40 + 2), US_ASCII)
                    .lines()
                    .skip(1)
                    .findFirst()
                    .orElseThrow();
            release = request("EVALSHA", digest, "1", key, VALUE);
        }

        private static byte[] request(String... words) {
            StringBuilder text = new StringBuilder("*" + words.length + "\r\n");
            for (String word : words) {
                text.append('$')
                        .append(word.length())
                        .append("\r\n")
                        .append(word)
                        .append("\r\n");
            }
            return text.toString().getBytes(US_ASCII);
        }

        private AutoCloseable acquire() throws IOException {
            exchange(acquire, DONE);
            return () -> exchange(release, DELETED);
        }

        private void exchange(byte[] request, byte[] expected) throws IOException {
            output.write(request);
            byte[] reply = input.readNBytes(expected.length);
            if (!Arrays.equals(reply, expected)) {
                throw new IOException("the server has answered " + new String(reply, US_ASCII));
            }
        }

        @Override
        public void close() {
            try {
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}

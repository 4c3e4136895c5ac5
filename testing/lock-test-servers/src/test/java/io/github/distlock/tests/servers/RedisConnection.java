package io.github.distlock.tests.servers;

import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A connection to Redis for inline commands and replies of one line. */
final class RedisConnection implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 10_000;

    final Socket socket;
    private final BufferedReader replies;

    RedisConnection(Server server) throws IOException {
        this(server.host(), server.port());
    }

    RedisConnection(String host, int port) throws IOException {
        socket = new Socket(host, port);
        socket.setTcpNoDelay(true);
        replies = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        replyWithin(TIMEOUT_MILLIS);
    }

    void replyWithin(int millis) throws IOException {
        socket.setSoTimeout(millis);
    }

    void send(String command) throws IOException {
        socket.getOutputStream().write((command + "\r\n").getBytes(StandardCharsets.UTF_8));
    }

    /** Returns the next line. */
    String reply() throws IOException {
        String line = replies.readLine();
        if (line == null) {
            throw new EOFException("the connection was closed");
        }
        return line;
    }

    /** Returns the first line of the reply. */
    String ask(String command) throws IOException {
        send(command);
        return reply();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}

package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ServerSocketFactory;

/**
 * A server that speaks the protocol of Redis, and misbehaves as a test wants. It serves each connection on one thread:
 * it reads one command, and answers it. Thread-safe.
 */
final class ScriptedServer implements AutoCloseable {

    /** What the server does with one connection. */
    interface Service {
        void serve(Client client) throws IOException;
    }

    /** What the server does with one command. */
    interface Behavior {
        void answer(Client client, List<String> command) throws IOException;
    }

    /** Greater than the states in the replies of other scripts. */
    private static final AtomicLong LAST_BASE = new AtomicLong(6);

    private final ServerSocket socket;
    private final Service service;
    private final Thread acceptor;
    private final List<Client> clients = new CopyOnWriteArrayList<>();
    private final List<List<String>> commands = new CopyOnWriteArrayList<>();
    private final AtomicInteger ended = new AtomicInteger();

    /** Starts a server that answers one command after the other. */
    static ScriptedServer answering(Behavior behavior) {
        return new ScriptedServer(client -> client.answerAll(behavior));
    }

    /** Starts a server with small buffers. */
    ScriptedServer(Service service) {
        this(ServerSocketFactory.getDefault(), service);
    }

    /** Starts a server with small buffers. */
    ScriptedServer(ServerSocketFactory sockets, Service service) {
        this.service = service;
        try {
            this.socket = sockets.createServerSocket();
            socket.setReceiveBufferSize(4_096);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        acceptor = daemon(this::accept);
    }

    @CanIgnoreReturnValue
    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "scripted server");
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private void accept() {
        try {
            while (true) {
                Client client = new Client(socket.accept(), clients.size());
                clients.add(client);
                daemon(client::serve);
            }
        } catch (IOException e) {
            // The server is closed.
        }
    }

    String address() {
        return socket.getInetAddress().getHostAddress() + ":" + socket.getLocalPort();
    }

    String uri() {
        return "redis://" + address();
    }

    /** Returns how many clients have connected. */
    int connections() {
        return clients.size();
    }

    /** Returns how many clients have ended their connections. */
    int ended() {
        return ended.get();
    }

    /** Returns all commands that clients have sent, in the order of their arrival. */
    List<List<String>> commands() {
        return List.copyOf(commands);
    }

    /** Closes the socket and all connections. Afterwards, the system refuses connections: no thread accepts any. */
    @Override
    public void close() {
        try {
            socket.close();
            acceptor.join(10_000);
            for (Client client : clients) {
                client.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** One connection. */
    final class Client {
        final int number;
        private final Socket connection;
        private final OutputStream output;

        private Client(Socket connection, int number) throws IOException {
            this.connection = connection;
            this.number = number;
            this.output = connection.getOutputStream();
        }

        private void serve() {
            try {
                connection.setSendBufferSize(4_096);
                service.serve(this);
            } catch (IOException e) {
                // The connection has ended.
            } finally {
                ended.incrementAndGet();
            }
        }

        void answerAll(Behavior behavior) throws IOException {
            InputStream input = new BufferedInputStream(connection.getInputStream());
            while (true) {
                List<String> command = read(input);
                commands.add(command);
                behavior.answer(this, command);
            }
        }

        private List<String> read(InputStream input) throws IOException {
            int length = Integer.parseInt(line(input).substring(1));
            List<String> command = new ArrayList<>();
            for (int i = 0; i < length; i++) {
                byte[] part = input.readNBytes(Integer.parseInt(line(input).substring(1)));
                command.add(new String(part, UTF_8));
                var unused = input.readNBytes(2);
            }
            return command;
        }

        private String line(InputStream input) throws IOException {
            StringBuilder line = new StringBuilder();
            for (int next = input.read(); next != '\n'; next = input.read()) {
                if (next < 0) {
                    throw new IOException("the client has ended the connection");
                }
                line.append((char) next);
            }
            return line.toString().strip();
        }

        /** Answers as a server does on which each script succeeds. */
        void succeed(List<String> command) throws IOException {
            switch (command.get(0)) {
                case "PING" -> send("+PONG\r\n");
                case "EVALSHA", "EVAL" -> replyToScript(command);
                default -> send("+OK\r\n");
            }
        }

        /** Replies with the number of the request, and a greater base than before. */
        private void replyToScript(List<String> command) throws IOException {
            replyToScript(command, ":" + LAST_BASE.incrementAndGet() + "\r\n");
        }

        /** Replies with the number of the request, and an answer of one part or none. */
        void replyToScript(List<String> command, String answer) throws IOException {
            String request = command.get(3 + Integer.parseInt(command.get(2)));
            send("*" + (answer.isEmpty() ? 1 : 2) + "\r\n$" + request.length() + "\r\n" + request + "\r\n" + answer);
        }

        void send(String text) throws IOException {
            send(text.getBytes(UTF_8));
        }

        void send(byte[] data) throws IOException {
            output.write(data);
            output.flush();
        }

        void close() throws IOException {
            connection.close();
        }
    }
}

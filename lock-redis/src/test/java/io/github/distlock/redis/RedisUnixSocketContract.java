package io.github.distlock.redis;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.LockContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import redis.clients.jedis.HostAndPort;

/**
 * The contract of backends, for Redis over Unix sockets. Each client has a socket of its own, which leads to the proxy
 * that causes the faults of its network. Not part of the normal build, which runs the contract over TCP. {@link
 * UnixSocketTest} is about the socket of a server.
 */
@Execution(ExecutionMode.CONCURRENT)
class RedisUnixSocketContract extends LockContract {
    @Override
    protected BackendFixture newFixture() {
        UnixFactory factory = new UnixFactory();
        factory.relaying = true;
        return new RedisFixture(factory) {
            @Override
            public void close() {
                super.close();
                factory.close();
            }
        };
    }

    /** Creates backends that reach the server through a Unix socket each. */
    public static final class UnixFactory implements BackendFactory, AutoCloseable {
        /** Other processes reach the server over TCP: they are killed, and would leave their sockets. */
        private boolean relaying;

        private final List<Relay> relays = new CopyOnWriteArrayList<>();

        @Override
        public LockBackend backend(String address, String space) {
            if (!relaying) {
                return new RedisFactory().backend(address, space);
            }
            try {
                Relay relay = new Relay(HostAndPort.from(address));
                relays.add(relay);
                return RedisBackend.builder("redis+unix://" + relay.file)
                        .keyPrefix(space + ":")
                        .build();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            relays.forEach(Relay::close);
        }
    }

    /** Passes on what comes over connections to a Unix socket. If one side ends, the other one ends, too. */
    private static final class Relay {
        private final Path file;
        private final InetSocketAddress server;
        private final ServerSocketChannel listening;

        private Relay(HostAndPort server) throws IOException {
            Path directory = Files.createTempDirectory("relay");
            this.file = directory.resolve("socket");
            this.server = new InetSocketAddress(server.getHost(), server.getPort());
            this.listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            listening.bind(UnixDomainSocketAddress.of(file));
            file.toFile().deleteOnExit();
            directory.toFile().deleteOnExit();
            start(this::accept);
        }

        private interface Work {
            void run() throws IOException;
        }

        private static void start(Work work) {
            Thread thread = new Thread(() -> {
                try {
                    work.run();
                } catch (IOException e) {
                    // A side has ended.
                }
            });
            thread.setDaemon(true);
            thread.start();
        }

        private void accept() throws IOException {
            while (true) {
                SocketChannel client = listening.accept();
                start(() -> serve(client));
            }
        }

        private void serve(SocketChannel client) throws IOException {
            try (client;
                    SocketChannel connection = SocketChannel.open(server)) {
                start(() -> copy(connection, client));
                copy(client, connection);
            }
        }

        private static void copy(SocketChannel from, SocketChannel to) throws IOException {
            ByteBuffer some = ByteBuffer.allocate(16_384);
            try (from;
                    to) {
                while (from.read(some.clear()) >= 0) {
                    some.flip();
                    while (some.hasRemaining()) {
                        to.write(some);
                    }
                }
            }
        }

        private void close() {
            try {
                listening.close();
                Files.deleteIfExists(file);
                Files.deleteIfExists(file.getParent());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}

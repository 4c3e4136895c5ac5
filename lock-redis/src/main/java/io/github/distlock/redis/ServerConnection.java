package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.spi.Deadline;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.Protocol.Keyword;
import redis.clients.jedis.RedisCredentials;
import redis.clients.jedis.RedisCredentialsProvider;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * One connection, whose exchanges end by their deadline whatever its socket does. One thread at a time uses it.
 *
 * <p>A socket bounds a single read, but neither a reply that comes byte by byte nor a write. So the connection notes
 * the deadline of the exchange under way, and {@link LateExchanges} resets the socket after it. Exactly one of two
 * threads takes the note away: the user when its exchange has ended, or the thread that resets the socket. If the user
 * does not find its note, the connection counts as reset. So a late reset never hits the next exchange.
 */
final class ServerConnection {
    final Connection jedis;
    private final JedisClientConfig config;
    private final Runnable watch;
    private final ConnectionSocket socket;
    private final AtomicReference<@Nullable Deadline> underWay = new AtomicReference<>();
    /** When the connection was last put back; the stack writes it. */
    long idleSince;

    /** What a server is asked at the end of the handshake, as a sign of life. */
    enum Check {
        /** Whether it answers. */
        ALIVE(Command.PING),
        /** Whether it is a primary. */
        PRIMARY(Command.ROLE);

        private final Command command;

        Check(Command command) {
            this.command = command;
        }

        private void require(Object reply) {
            if (this == PRIMARY
                    && reply instanceof List<?> role
                    && !Replies.text(role.get(0)).equals("master")) {
                throw new JedisDataException(
                        "READONLY the server is no primary, but has the role " + Replies.text(role.get(0)));
            }
        }
    }

    /** An exchange over one connection: requests and their replies. */
    interface Exchange<T> {
        T over(Connection connection);
    }

    /**
     * Makes a connection, which sends nothing yet.
     *
     * @param connected when the connection must have been made
     * @param watch sees to it that another thread calls {@link #resetIfLate} while an exchange is under way
     */
    ServerConnection(HostAndPort server, JedisClientConfig config, Deadline connected, Runnable watch) {
        this.config = config;
        this.watch = watch;
        this.socket = new ConnectionSocket(server, config, connected);
        this.jedis = new Connection(socket);
    }

    /**
     * Connects, authenticates, selects the database and asks for a sign of life, in one round trip. Sends no
     * {@code HELLO} and no {@code CLIENT SETINFO}, because some proxies do not know them. A missing right to give the
     * connection a name or to ask for the sign of life has no effect.
     */
    void connect(Check check, Deadline deadline) throws InterruptedException {
        List<CommandArguments> needed = new ArrayList<>();
        addCredentials(needed);
        if (config.getDatabase() > 0) {
            needed.add(new CommandArguments(Command.SELECT).add(config.getDatabase()));
        }
        List<CommandArguments> all = new ArrayList<>(needed);
        if (config.getClientName() != null) {
            all.add(new CommandArguments(Command.CLIENT).add(Keyword.SETNAME).add(config.getClientName()));
        }
        all.add(new CommandArguments(check.command));
        List<Object> replies = exchange(
                connection -> {
                    all.forEach(connection::sendCommand);
                    return connection.getMany(all.size());
                },
                deadline);
        for (int i = 0; i < replies.size(); i++) {
            boolean isNeeded = i < needed.size();
            if (replies.get(i) instanceof JedisDataException error && (isNeeded || !JedisCalls.isMissingRight(error))) {
                throw error;
            }
        }
        check.require(replies.get(replies.size() - 1));
    }

    private void addCredentials(List<CommandArguments> commands) {
        Supplier<RedisCredentials> supplier = config.getAuthXManager();
        if (supplier == null) {
            supplier = config.getCredentialsProvider();
        }
        if (!(supplier instanceof RedisCredentialsProvider provider)) {
            add(commands, supplier == null ? null : supplier.get());
            return;
        }
        try {
            provider.prepare();
            add(commands, provider.get());
        } finally {
            provider.cleanUp();
        }
    }

    private static void add(List<CommandArguments> commands, @Nullable RedisCredentials credentials) {
        if (credentials == null || credentials.getPassword() == null) {
            return;
        }
        CommandArguments command = new CommandArguments(Command.AUTH);
        if (credentials.getUser() != null) {
            command.add(credentials.getUser());
        }
        commands.add(command.add(new String(credentials.getPassword()).getBytes(UTF_8)));
    }

    /**
     * Exchanges requests and replies until the deadline.
     *
     * @throws JedisConnectionException if the connection has broken, or if the exchange was not complete in time
     */
    <T> T exchange(Exchange<T> exchange, Deadline deadline) throws InterruptedException {
        underWay.set(deadline);
        watch.run();
        try {
            jedis.setSoTimeout(deadline.remainingMillis());
            return exchange.over(jedis);
        } catch (JedisConnectionException e) {
            if (Thread.interrupted()) {
                // An interrupt of a virtual thread closes the socket from which the thread reads.
                InterruptedException interrupted = new InterruptedException(e.getMessage());
                interrupted.initCause(e);
                throw interrupted;
            }
            throw deadline.hasPassed() ? late(e) : e;
        } finally {
            if (!underWay.compareAndSet(deadline, null)) {
                reset();
            }
        }
    }

    private static JedisConnectionException late(Exception cause) {
        SocketTimeoutException timeout = new SocketTimeoutException();
        timeout.addSuppressed(cause);
        return new JedisConnectionException("the server has not answered in time", timeout);
    }

    /** Resets the socket if an exchange is late. Returns whether an exchange is under way. Any thread may call this. */
    boolean resetIfLate() {
        Deadline deadline = underWay.get();
        if (deadline != null && deadline.hasPassed() && underWay.compareAndSet(deadline, null)) {
            reset();
        }
        return deadline != null;
    }

    boolean isReset() {
        return socket.isReset();
    }

    /** Resets the socket: the server discards what it has not read yet, and a thread that reads here wakes up. */
    void reset() {
        socket.reset();
    }
}

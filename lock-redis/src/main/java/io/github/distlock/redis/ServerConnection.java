package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.spi.Deadline;
import java.util.ArrayList;
import java.util.List;
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
import redis.clients.jedis.exceptions.JedisDataException;

/** One of the backend's own connections. */
final class ServerConnection extends BoundedConnection {
    private final JedisClientConfig config;
    private final ConnectionSocket socket;
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

    /**
     * Makes a connection, which sends nothing yet.
     *
     * @param connected when the connection must have been made
     */
    ServerConnection(HostAndPort server, JedisClientConfig config, Deadline connected, LateExchanges late) {
        this(config, new ConnectionSocket(server, config, connected), late);
    }

    private ServerConnection(JedisClientConfig config, ConnectionSocket socket, LateExchanges late) {
        super(new Connection(socket), late);
        this.config = config;
        this.socket = socket;
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
     * Sets no limit if a reset ends late exchanges. The operating system needs three calls for a read with a limit, and
     * one for a read without.
     */
    @Override
    void limitReads(Deadline deadline, boolean watched) {
        jedis.connect(); // takes the limit from the socket
        int millis = watched ? 0 : deadline.remainingMillis();
        if (jedis.getSoTimeout() != millis) {
            jedis.setSoTimeout(millis);
        }
    }

    @Override
    boolean isReset() {
        return socket.isReset();
    }

    /** Resets the socket, as {@link ConnectionSocket#reset} says. */
    @Override
    void reset() {
        socket.reset();
    }
}

package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.spi.Deadline;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisNoScriptException;

/**
 * The backend's own connections to one server. Callers do their I/O on their own threads, and no request lasts longer
 * than its deadline. Renewals and heartbeats have connections that no acquire can exhaust.
 */
final class OwnConnections implements Redis {
    private static final int UPKEEP_CONNECTIONS = 4;
    private static final Duration SUBSCRIBING = Duration.ofSeconds(1);
    private static final int LONGEST_SILENCE_MILLIS = 5_000;

    private final OpenConnections connections;
    private final ConnectionStack requests;
    private final ConnectionStack upkeep;
    private final RedisContext context;
    private final Script.Settings settings;

    OwnConnections(
            HostAndPort server,
            JedisClientConfig config,
            int maxConnections,
            RedisContext context,
            Script.Settings settings) {
        this.connections = new OpenConnections(server, config, context);
        this.requests = new ConnectionStack(maxConnections, connections, context, null);
        this.upkeep = new ConnectionStack(UPKEEP_CONNECTIONS, connections, context, requests);
        this.context = context;
        this.settings = settings;
    }

    @Override
    public List<?> call(ScriptCall call, Deadline deadline) throws InterruptedException {
        try {
            return requests.exchange(List.of(call), connection -> call(connection, call), deadline);
        } catch (JedisException e) {
            throw JedisCalls.translated(e, call.lockName());
        }
    }

    private List<?> call(Connection connection, ScriptCall call) {
        try {
            return JedisCalls.answer(call, connection.executeCommand(JedisCalls.byDigest(call, settings)));
        } catch (JedisNoScriptException e) {
            return JedisCalls.answer(call, connection.executeCommand(JedisCalls.bySource(call, settings)));
        }
    }

    @Override
    public List<Object> callAll(List<ScriptCall> calls, Deadline deadline) throws InterruptedException {
        try {
            return JedisCalls.answersOrErrors(
                    calls, upkeep.exchange(calls, connection -> callAll(connection, calls), deadline));
        } catch (JedisException e) {
            throw JedisCalls.translated(e, calls.get(0).lockName());
        }
    }

    /**
     * Repeats what the server has answered with {@code NOSCRIPT}. The first of these requests of each script brings it.
     *
     * @return for each request its answer, or the error reply as Jedis has read it
     */
    private List<Object> callAll(Connection connection, List<ScriptCall> calls) {
        List<Object> replies = sendAll(
                connection,
                calls.stream().map(call -> JedisCalls.byDigest(call, settings)).toList());
        List<CommandArguments> again = new ArrayList<>();
        Set<Script> brought = new HashSet<>();
        for (int i = 0; i < replies.size(); i++) {
            if (replies.get(i) instanceof JedisNoScriptException) {
                ScriptCall call = calls.get(i);
                again.add(
                        brought.add(call.script())
                                ? JedisCalls.bySource(call, settings)
                                : JedisCalls.byDigest(call, settings));
            }
        }
        Iterator<Object> repeated = sendAll(connection, again).iterator();
        for (int i = 0; i < replies.size(); i++) {
            Object reply = replies.get(i);
            replies.set(
                    i,
                    JedisCalls.answerOrError(
                            calls.get(i), reply instanceof JedisNoScriptException ? repeated.next() : reply));
        }
        return replies;
    }

    private static List<Object> sendAll(Connection connection, List<CommandArguments> commands) {
        commands.forEach(connection::sendCommand);
        return connection.getMany(commands.size());
    }

    @Override
    public void publish(List<ScriptCall.Notice> notices, Deadline deadline) throws InterruptedException {
        List<CommandArguments> commands = notices.stream()
                .map(notice -> new CommandArguments(Command.PUBLISH)
                        .add(notice.channel())
                        .add(notice.message()))
                .toList();
        Object unused = requests.exchange(List.of(), connection -> sendAll(connection, commands), deadline);
    }

    @Override
    public boolean sendsAgain() {
        return false;
    }

    @Override
    public Listening listening(String channel, Consumer<String> messages, Runnable subscribed) {
        return new OwnListening(channel, messages, subscribed);
    }

    @Override
    public boolean canListen() {
        return true;
    }

    @Override
    public void disconnect() {
        requests.dropIdle();
        upkeep.dropIdle();
    }

    @Override
    public void close() {
        requests.close();
        upkeep.close();
        connections.close();
    }

    /** One thread reads; another one writes the pings, which a connection allows. */
    private final class OwnListening implements Listening {
        private final String channel;
        private final Consumer<String> messages;
        private final Runnable subscribed;
        private volatile @Nullable ServerConnection connection;
        private volatile boolean ready;
        private volatile boolean ended;

        private OwnListening(String channel, Consumer<String> messages, Runnable subscribed) {
            this.channel = channel;
            this.messages = messages;
            this.subscribed = subscribed;
        }

        @Override
        public void run() throws InterruptedException {
            try {
                listen();
            } catch (JedisDataException e) {
                throw new ErrorReply(String.valueOf(e.getMessage()), e);
            }
        }

        private void listen() throws InterruptedException {
            Deadline soon = Deadline.after(SUBSCRIBING, context.clock);
            ServerConnection opened = connections.connect(soon);
            connection = opened;
            try {
                read(opened.exchange(this::subscribe, soon));
                opened.jedis.setSoTimeout(LONGEST_SILENCE_MILLIS);
                ready = true;
                while (!ended) {
                    read(opened.jedis.getUnflushedObject());
                }
            } finally {
                connection = null;
                connections.drop(opened);
            }
        }

        private Object subscribe(Connection jedis) {
            jedis.sendCommand(new CommandArguments(Command.SUBSCRIBE).add(channel));
            return jedis.getOne();
        }

        private void read(Object push) {
            if (!(push instanceof List<?> parts) || !(parts.get(0) instanceof byte[] kind)) {
                return;
            }
            String what = new String(kind, UTF_8);
            if (what.equals("message")) {
                messages.accept(Replies.text(parts.get(2)));
            } else if (what.equals("subscribe")) {
                subscribed.run();
            }
        }

        @Override
        public void askForSignOfLife() {
            ServerConnection current = connection;
            if (current != null && ready) {
                current.jedis.sendCommand(Command.PING);
                current.jedis.getMany(0); // flushes; the reading thread gets the reply
            }
        }

        @Override
        public boolean isSilent() {
            return false;
        }

        @Override
        public void end() {
            ended = true;
            ServerConnection current = connection;
            if (current != null) {
                current.reset();
            }
        }
    }
}

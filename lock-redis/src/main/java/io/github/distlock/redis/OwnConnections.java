package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.Protocol.Command;
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

    private final ConnectionStack requests;
    private final ConnectionStack upkeep;
    private final Function<Deadline, ServerConnection> connector;
    private final LockClock clock;
    private final Publisher publisher;

    OwnConnections(
            HostAndPort server,
            JedisClientConfig config,
            int maxConnections,
            ThreadFactory threads,
            LockClock clock,
            Publisher publisher) {
        this.connector = deadline -> new ServerConnection(server, config, deadline);
        this.requests = new ConnectionStack(maxConnections, connector, threads, clock);
        this.upkeep = new ConnectionStack(UPKEEP_CONNECTIONS, connector, threads, clock);
        this.clock = clock;
        this.publisher = publisher;
    }

    @Override
    public List<?> call(ScriptCall call, Deadline deadline) throws InterruptedException {
        try {
            return Replies.list(requests.exchange(List.of(call), connection -> call(connection, call), deadline));
        } catch (JedisException e) {
            throw Replies.translated(e, call.lockName());
        }
    }

    private Object call(Connection connection, ScriptCall call) {
        try {
            return call.answer(connection.executeCommand(call.byDigest(publisher)));
        } catch (JedisNoScriptException e) {
            return call.answer(connection.executeCommand(call.bySource(publisher)));
        }
    }

    @Override
    public List<Object> callAll(List<ScriptCall> calls, Deadline deadline) throws InterruptedException {
        try {
            return upkeep.exchange(calls, connection -> callAll(connection, calls), deadline);
        } catch (JedisException e) {
            throw Replies.translated(e, calls.get(0).lockName());
        }
    }

    private List<Object> callAll(Connection connection, List<ScriptCall> calls) {
        calls.forEach(call -> connection.sendCommand(call.byDigest(publisher)));
        List<Object> replies = new ArrayList<>(connection.getMany(calls.size()));
        for (int i = 0; i < replies.size(); i++) {
            if (replies.get(i) instanceof JedisNoScriptException) {
                connection.sendCommand(calls.get(i).bySource(publisher));
                replies.set(i, connection.getMany(1).get(0));
            }
            replies.set(i, calls.get(i).answer(replies.get(i)));
        }
        return replies;
    }

    @Override
    public void publish(ScriptCall.Notice notice, Deadline deadline) throws InterruptedException {
        CommandArguments command =
                new CommandArguments(Command.PUBLISH).add(notice.channel()).add(notice.message());
        Object unused = requests.exchange(List.of(), connection -> connection.executeCommand(command), deadline);
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
    public void close() {
        requests.close();
        upkeep.close();
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
        public void run() {
            ServerConnection opened = connector.apply(Deadline.after(SUBSCRIBING, clock));
            connection = opened;
            try {
                opened.jedis.setSoTimeout(LONGEST_SILENCE_MILLIS);
                opened.jedis.sendCommand(new CommandArguments(Command.SUBSCRIBE).add(channel));
                read(opened.jedis.getOne());
                ready = true;
                while (!ended) {
                    read(opened.jedis.getUnflushedObject());
                }
            } finally {
                connection = null;
                opened.reset();
            }
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

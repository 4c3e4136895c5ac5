package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.redis.connection.Listening;
import io.github.distlock.spi.Deadline;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisRedirectionException;

/**
 * The backend's own connections to the servers of one deployment. The {@link Topology} says which node keeps a lock. If
 * a request has failed there and another node keeps the lock, the request goes to that node, until its deadline.
 *
 * <p>A node that answers with a redirection or that it cannot keep locks has not executed the request. After a broken
 * connection, this is not known. So only a request that is safe to repeat is then sent again, and notes that.
 */
final class OwnConnections implements Redis {
    /** Why the connections of a closed backend are closed. */
    static final String CLOSED = "the Redis backend is closed";

    private static final Duration SUBSCRIBING = Duration.ofSeconds(1);
    private static final int LONGEST_SILENCE_MILLIS = 5_000;
    /** Nodes that disagree could send a request from one to the other until its deadline. */
    private static final int MOST_HOPS = 8;

    private final Topology topology;
    private final LateExchanges late;
    private final RedisContext context;

    OwnConnections(Topology topology, LateExchanges late, RedisContext context) {
        this.topology = topology;
        this.late = late;
        this.context = context;
    }

    @Override
    public Object server(LockKeys keys) {
        return topology.server(keys.lock());
    }

    @Override
    public List<?> call(ScriptCall call, Deadline deadline) throws InterruptedException {
        try {
            Topology.Route route = topology.route(call.lockKey(), deadline);
            for (int hops = 0; ; hops++) {
                try {
                    return route.node().call(call, route.asking(), deadline);
                } catch (JedisException e) {
                    Topology.Route next = hops < MOST_HOPS ? next(route, call, e, deadline) : null;
                    if (next == null) {
                        throw standing(e);
                    }
                    route = next;
                }
            }
        } catch (JedisException e) {
            throw JedisCalls.translated(e, call.lockName());
        }
    }

    /** Returns where to send a failed request next, or null if its failure stands. */
    private Topology.@Nullable Route next(
            Topology.Route failed, ScriptCall call, JedisException error, Deadline deadline)
            throws InterruptedException {
        Topology.Route next = topology.afterFailure(failed, call.lockKey(), error, deadline);
        if (next == null || deadline.hasPassed()) {
            return null;
        }
        if (error instanceof JedisConnectionException) {
            if (!call.isRepeatable()) {
                return null;
            }
            if (call.wasSent()) {
                call.noteSentAgain();
            }
        }
        return next;
    }

    /** Returns the failure to report. If the time was too short to follow a redirection, the outcome is unknown. */
    private JedisException standing(JedisException error) {
        return error instanceof JedisRedirectionException && topology.hasRedirections()
                ? new JedisConnectionException("not served in time: " + error.getMessage(), error)
                : error;
    }

    @Override
    public List<Object> callAll(List<ScriptCall> calls, Deadline deadline) throws InterruptedException {
        return new Batch(calls, deadline).replies();
    }

    /** Requests that go out together: in one exchange for each node, and again if their nodes have redirected them. */
    private final class Batch {
        private final List<ScriptCall> calls;
        private final Deadline deadline;
        private final Object[] replies;
        private boolean answered;

        private Batch(List<ScriptCall> calls, Deadline deadline) {
            this.calls = calls;
            this.deadline = deadline;
            this.replies = new Object[calls.size()];
        }

        /** Returns what {@link Redis#callAll} returns. Throws if no node has answered. */
        private List<Object> replies() throws InterruptedException {
            Map<Topology.Route, List<Integer>> routes = routes();
            for (int hops = 0; !routes.isEmpty(); hops++) {
                Map<Topology.Route, List<Integer>> next = new LinkedHashMap<>();
                for (Map.Entry<Topology.Route, List<Integer>> sent : routes.entrySet()) {
                    exchange(sent.getKey(), sent.getValue());
                    for (int i : sent.getValue()) {
                        Topology.Route other = hops < MOST_HOPS ? next(sent.getKey(), i) : null;
                        if (other != null) {
                            next.computeIfAbsent(other, any -> new ArrayList<>())
                                    .add(i);
                        }
                    }
                }
                routes = next;
            }
            for (int i = 0; i < replies.length; i++) {
                replies[i] = replies[i] instanceof JedisException e ? standing(e) : replies[i];
            }
            if (!answered && replies[0] instanceof JedisException e) {
                throw JedisCalls.translated(e, calls.get(0).lockName());
            }
            return JedisCalls.answersOrErrors(calls, Arrays.asList(replies));
        }

        private Map<Topology.Route, List<Integer>> routes() throws InterruptedException {
            Map<Topology.Route, List<Integer>> routes = new LinkedHashMap<>();
            for (int i = 0; i < replies.length; i++) {
                try {
                    Topology.Route route = topology.route(calls.get(i).lockKey(), deadline);
                    routes.computeIfAbsent(route, any -> new ArrayList<>()).add(i);
                } catch (JedisException e) {
                    replies[i] = e;
                }
            }
            return routes;
        }

        /** Sends some of the requests to one node. A failure of the exchange is the reply to each of them. */
        private void exchange(Topology.Route route, List<Integer> sent) throws InterruptedException {
            try {
                if (deadline.hasPassed()) {
                    // A request that is not sent yet must not be sent: it would arrive after its cleanup.
                    throw new JedisConnectionException("not sent in time");
                }
                List<ScriptCall> some = sent.stream().map(calls::get).toList();
                Iterator<Object> answers =
                        route.node().callAll(some, route.asking(), deadline).iterator();
                sent.forEach(i -> replies[i] = answers.next());
                answered = true;
            } catch (JedisException e) {
                sent.forEach(i -> replies[i] = e);
            }
        }

        private Topology.@Nullable Route next(Topology.Route sent, int i) throws InterruptedException {
            return replies[i] instanceof JedisException e
                    ? OwnConnections.this.next(sent, calls.get(i), e, deadline)
                    : null;
        }
    }

    @Override
    public void publish(ScriptCall call, Deadline deadline) throws InterruptedException {
        topology.route(call.lockKey(), deadline).node().publish(call.notices(), deadline);
    }

    @Override
    public List<Connections.Server> servers(Deadline deadline) throws InterruptedException {
        List<Connections.Server> servers = new ArrayList<>();
        topology.serving(deadline).forEach(node -> servers.add(new OwnServer(topology, node)));
        return servers;
    }

    /** A server over the backend's own connections. */
    private record OwnServer(Topology topology, Node node) implements Connections.Server {
        @Override
        public String address() {
            return node.toString();
        }

        @Override
        public boolean failsOver() {
            return topology.failsOver();
        }

        @Override
        public boolean keeps(byte[] lockKey) {
            return topology.server(lockKey).equals(node.server());
        }

        @Override
        public List<Object> ask(List<List<String>> commands, Deadline deadline) throws InterruptedException {
            List<CommandArguments> sent =
                    commands.stream().map(JedisCalls::command).toList();
            return JedisCalls.repliesOrErrors(node.ask(sent, deadline));
        }
    }

    @Override
    public String toString() {
        return topology.toString();
    }

    @Override
    public boolean isOneServer() {
        return !topology.hasRedirections();
    }

    @Override
    public boolean sendsAgain() {
        return false;
    }

    @Override
    public boolean followsFailovers() {
        return topology.failsOver();
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
        topology.disconnect();
    }

    @Override
    public void close() {
        topology.close();
        late.close();
    }

    /**
     * One thread reads, and another one may write at the same time, which a connection allows. Heartbeats of several
     * servers may ask for a sign of life at once: the first one writes, and the others do nothing.
     */
    private final class OwnListening implements Listening {
        private final String channel;
        private final Consumer<String> messages;
        private final Runnable subscribed;
        private volatile Object server = "";
        private volatile @Nullable ServerConnection connection;
        private final AtomicBoolean writing = new AtomicBoolean();
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
                throw JedisCalls.isOfAnotherServer(e) ? e : new ErrorReply(String.valueOf(e.getMessage()), e);
            }
        }

        private void listen() throws InterruptedException {
            Deadline soon = Deadline.after(SUBSCRIBING, context.clock);
            Node node = topology.any(soon);
            server = node.server();
            ServerConnection opened = node.connections().connect(soon);
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
                node.connections().drop(opened);
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
            if (current != null && ready && writing.compareAndSet(false, true)) {
                try {
                    current.jedis.sendCommand(Command.PING);
                    current.jedis.getMany(0); // flushes; the reading thread gets the reply
                } finally {
                    writing.set(false);
                }
            }
        }

        @Override
        public boolean isSilent() {
            return false;
        }

        @Override
        public Object server() {
            return server;
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

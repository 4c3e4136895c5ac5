package io.github.distlock.redis.lettuce;

import io.github.distlock.redis.connection.ConnectionContext;
import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.redis.connection.Listening;
import io.github.distlock.redis.connection.LockCommand;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.RequestRefusedException;
import io.lettuce.core.RedisConnectionException;
import io.lettuce.core.protocol.CommandType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The backend's own connections through a caller-supplied client of Lettuce. The client stays open.
 *
 * <p>Callers send commands and wait on their own threads. The event loops of Lettuce only count replies, and put
 * messages into a queue. A command that a node has redirected was not executed, so it goes to the other node, until its
 * deadline.
 */
final class LettuceConnections implements Connections {
    /** Nodes that disagree could send a command from one to the other until its deadline. */
    private static final int MOST_HOPS = 8;

    private final Deployment deployment;
    private final ConnectionContext context;

    LettuceConnections(Deployment deployment, ConnectionContext context) {
        this.deployment = deployment;
        this.context = context;
    }

    @Override
    public List<Object> send(List<LockCommand> commands, Purpose purpose, Deadline deadline)
            throws InterruptedException {
        // Releases, too: the engine repeats a refused one on a thread of its own.
        requireMayWait();
        return new Batch(commands, purpose, deadline).replies();
    }

    /** Commands that go out together: in one exchange for each node, and again if their nodes have redirected them. */
    private final class Batch {
        private final List<LockCommand> commands;
        private final Purpose purpose;
        private final Deadline deadline;
        private final Object[] replies;

        private Batch(List<LockCommand> commands, Purpose purpose, Deadline deadline) {
            this.commands = commands;
            this.purpose = purpose;
            this.deadline = deadline;
            this.replies = new Object[commands.size()];
        }

        private List<Object> replies() throws InterruptedException {
            Map<Deployment.Route, List<Integer>> routes = routes();
            for (int hops = 0; !routes.isEmpty(); hops++) {
                Map<Deployment.Route, List<Integer>> next = new LinkedHashMap<>();
                for (Map.Entry<Deployment.Route, List<Integer>> some : routes.entrySet()) {
                    exchange(some.getKey(), some.getValue());
                    for (int i : some.getValue()) {
                        Deployment.Route other = redirected(some.getKey(), i, hops);
                        if (other != null) {
                            next.computeIfAbsent(other, any -> new ArrayList<>())
                                    .add(i);
                        }
                    }
                }
                routes = next;
            }
            return Arrays.asList(replies);
        }

        private Map<Deployment.Route, List<Integer>> routes() throws InterruptedException {
            Map<Deployment.Route, List<Integer>> routes = new LinkedHashMap<>();
            for (int i = 0; i < replies.length; i++) {
                try {
                    Deployment.Route route = deployment.route(commands.get(i).lockKey(), deadline);
                    routes.computeIfAbsent(route, any -> new ArrayList<>()).add(i);
                } catch (RuntimeException e) {
                    replies[i] = e;
                }
            }
            return routes;
        }

        /** Sends some of the commands to one node. A failure of the exchange is the reply to each of them. */
        private void exchange(Deployment.Route route, List<Integer> sent) throws InterruptedException {
            List<Link.Words> words = new ArrayList<>();
            for (int i : sent) {
                if (route.asking()) {
                    words.add(new Link.Words(CommandType.ASKING, List.of()));
                }
                LockCommand command = commands.get(i);
                words.add(new Link.Words(CommandType.valueOf(command.name()), command.arguments()));
            }
            try {
                List<Object> answers = route.node().exchange(words, purpose, deadline);
                int step = route.asking() ? 2 : 1;
                for (int i = 0; i < sent.size(); i++) {
                    replies[sent.get(i)] = answers.get(i * step + step - 1);
                }
            } catch (RuntimeException e) {
                sent.forEach(i -> replies[i] = e);
            }
            // A late answer alone says nothing about the node: requests can have very short deadlines.
            if (sent.stream().anyMatch(i -> isUnknown(replies[i]))
                    && !route.node().isConnected(purpose)) {
                deployment.failed(route.node());
            }
        }

        /** Returns where to send a command next, or null if its reply stands. */
        private Deployment.@Nullable Route redirected(Deployment.Route from, int i, int hops) {
            if (!(replies[i] instanceof ErrorReply error)
                    || !ErrorReply.isRedirection(String.valueOf(error.getMessage()))) {
                return null;
            }
            Deployment.Route other =
                    deployment.redirected(from, commands.get(i).lockKey(), String.valueOf(error.getMessage()));
            if (other != null && (hops >= MOST_HOPS || deadline.hasPassed())) {
                replies[i] = new RedisConnectionException("not served in time: " + error.getMessage(), error);
                return null;
            }
            return other;
        }
    }

    private static boolean isUnknown(@Nullable Object reply) {
        return reply instanceof RuntimeException && !(reply instanceof ErrorReply);
    }

    @Override
    public Object server(byte[] lockKey) {
        return deployment.server(lockKey);
    }

    @Override
    public boolean isOneServer() {
        return deployment instanceof OneServer;
    }

    @Override
    public Listening listening(String channel, Consumer<String> messages, Runnable subscribed) {
        return new LettuceListening(channel, messages, subscribed, deployment, context.clock());
    }

    @Override
    public List<Server> servers(Deadline deadline) throws InterruptedException {
        return deployment.servers(deadline);
    }

    @Override
    public void requireMayWait() {
        Thread thread = Thread.currentThread();
        if (Closing.isOfLettuce(thread)) {
            throw new RequestRefusedException(
                    "the thread " + thread.getName()
                            + " receives the answers of Redis, so it must not wait for a lock; use"
                            + " acquireAsync(), or another thread",
                    null);
        }
    }

    @Override
    public void disconnect() {
        deployment.disconnect();
    }

    @Override
    public void close() {
        deployment.close();
    }

    @Override
    public String toString() {
        return deployment.toString();
    }
}

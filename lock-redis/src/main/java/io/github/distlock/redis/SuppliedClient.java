package io.github.distlock.redis;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.redis.connection.Listening;
import io.github.distlock.spi.Deadline;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.BuilderFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.Connection;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.Response;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisNoScriptException;
import redis.clients.jedis.exceptions.JedisRedirectionException;
import redis.clients.jedis.util.Pool;

/**
 * A caller-supplied client, which has its own timeouts and its own pool. If its {@link SuppliedPool} is visible,
 * callers use connections of that pool on their own threads.
 *
 * <p>The backend cannot bound the calls of the client itself. So it makes them on its own threads, while the caller
 * waits until its deadline; the outcome of a call that returns later is unknown. It makes all calls of a client without
 * a visible pool in this way, and of each client those that send many requests: their writes can fill the buffers of a
 * socket, and then nothing else bounds them. Renewals and heartbeats have threads that no acquire can exhaust.
 */
final class SuppliedClient implements Redis {
    private static final Logger LOG = LoggerFactory.getLogger(RedisBackend.class);
    /** The client decides which server keeps a lock, and does not say it. */
    private static final Object SERVER = "";

    private static final int REQUEST_THREADS = 32;
    private static final int UPKEEP_THREADS = 4;
    private static final long LONGEST_SILENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final UnifiedJedis client;
    private final RedisContext context;
    private final Script.Settings settings;
    private final BackgroundCalls requests;
    private final BackgroundCalls upkeep;
    private final @Nullable SuppliedPool pool;
    /** Lends connections for subscriptions, or null. */
    private final @Nullable Supplier<Connection> connections;

    private final AtomicBoolean warned = new AtomicBoolean();

    SuppliedClient(UnifiedJedis client, RedisContext context, Script.Settings settings) {
        this.client = client;
        this.context = context;
        this.settings = settings;
        this.requests = new BackgroundCalls(REQUEST_THREADS, context);
        this.upkeep = new BackgroundCalls(UPKEEP_THREADS, context);
        this.connections = SuppliedPool.lender(client);
        Supplier<Pool<Connection>> visible = SuppliedPool.visible(client);
        this.pool = visible == null
                ? null
                : new SuppliedPool(visible, requests, settings, context, () -> context.connectionLost(SERVER));
    }

    @Override
    public List<?> call(ScriptCall call, Deadline deadline) throws InterruptedException {
        try {
            return pool != null ? pool.call(call, deadline) : requests.await(() -> send(call), unused -> {}, deadline);
        } catch (JedisException e) {
            throw failed(e, call.lockName());
        }
    }

    private List<?> send(ScriptCall call) {
        try {
            return JedisCalls.answer(call, client.executeCommand(raw(JedisCalls.byDigest(call, settings))));
        } catch (JedisNoScriptException e) {
            return JedisCalls.answer(call, client.executeCommand(raw(JedisCalls.bySource(call, settings))));
        }
    }

    private static CommandObject<Object> raw(CommandArguments arguments) {
        return new CommandObject<>(arguments, BuilderFactory.RAW_OBJECT);
    }

    @Override
    public List<Object> callAll(List<ScriptCall> calls, Deadline deadline) throws InterruptedException {
        try {
            return JedisCalls.answersOrErrors(
                    calls, upkeep.await(() -> sendAll(calls, deadline), unused -> {}, deadline));
        } catch (JedisException e) {
            throw failed(e, calls.get(0).lockName());
        }
    }

    /**
     * Sends the requests in one pipeline. A pipeline fails for a script that a node has lost, for a slot that has
     * moved, and for a node that has ended. Then the first of the failed requests is sent alone, because the client
     * follows redirections of single requests and learns from them. The others go into another pipeline. Only what is
     * redirected again, such as requests for a slot that is migrating, is sent one by one, until the deadline. Nothing
     * is repeated after silence.
     */
    private List<Object> sendAll(List<ScriptCall> calls, Deadline deadline) {
        List<Object> replies = pipelined(calls, call -> JedisCalls.byDigest(call, settings));
        List<Integer> failed = where(replies, SuppliedClient::isToRepeat);
        if (!failed.isEmpty()) {
            failed.stream()
                    .filter(i -> replies.get(i) instanceof JedisConnectionException)
                    .forEach(i -> calls.get(i).noteSentAgain());
            int first = failed.remove(0);
            replies.set(first, alone(calls.get(first), deadline));
            List<ScriptCall> others = deadline.hasPassed()
                    ? List.of()
                    : failed.stream().map(calls::get).toList();
            Iterator<Object> repeated = pipelined(others, call -> JedisCalls.bySource(call, settings))
                    .iterator();
            failed.stream().limit(others.size()).forEach(i -> replies.set(i, repeated.next()));
            where(replies, SuppliedClient::isOfAnotherNode).forEach(i -> replies.set(i, alone(calls.get(i), deadline)));
        }
        return replies;
    }

    private static boolean isToRepeat(Object reply) {
        return isOfAnotherNode(reply)
                || (reply instanceof JedisConnectionException error && !JedisCalls.isSilence(error));
    }

    private static List<Integer> where(List<Object> replies, Predicate<Object> condition) {
        return IntStream.range(0, replies.size())
                .filter(i -> condition.test(replies.get(i)))
                .boxed()
                .collect(Collectors.toCollection(ArrayList::new));
    }

    /** Returns whether a node has replied that does not have the slot or the script. */
    private static boolean isOfAnotherNode(Object reply) {
        return reply instanceof JedisRedirectionException || reply instanceof JedisNoScriptException;
    }

    private Object alone(ScriptCall call, Deadline deadline) {
        if (deadline.hasPassed()) {
            // A request that is not sent yet must not be sent: it would arrive after its cleanup.
            return new JedisConnectionException("lock \"" + call.lockName() + "\": not sent in time");
        }
        try {
            return send(call);
        } catch (JedisException e) {
            return e;
        }
    }

    private List<Object> pipelined(List<ScriptCall> calls, Function<ScriptCall, CommandArguments> command) {
        if (calls.isEmpty()) {
            return List.of();
        }
        List<@Nullable Response<Object>> responses = new ArrayList<>(calls.size());
        JedisException failure = new JedisConnectionException("the pipeline has not been answered");
        try (AbstractPipeline pipeline = client.pipelined()) {
            calls.forEach(call -> responses.add(appended(pipeline, command.apply(call))));
            pipeline.sync();
        } catch (JedisException e) {
            noteLoss(e);
            failure = new JedisConnectionException(e.getMessage(), e);
        }
        List<Object> replies = new ArrayList<>(calls.size());
        for (int i = 0; i < calls.size(); i++) {
            replies.add(replyOrError(calls.get(i), i < responses.size() ? responses.get(i) : null, failure));
        }
        return replies;
    }

    /** Adds a command to a pipeline. Returns null if its node cannot be reached; other nodes may still answer. */
    private @Nullable Response<Object> appended(AbstractPipeline pipeline, CommandArguments command) {
        try {
            return pipeline.executeCommand(raw(command));
        } catch (JedisException e) {
            noteLoss(e);
            return null;
        }
    }

    private static Object replyOrError(ScriptCall call, @Nullable Response<Object> response, JedisException missing) {
        try {
            return response == null ? missing : JedisCalls.answerOrError(call, response.get());
        } catch (IllegalStateException e) {
            return missing;
        } catch (JedisException e) {
            return e;
        }
    }

    /** Has holds renewed if a connection has broken. Silence and a failure to connect do not count. */
    private void noteLoss(JedisException error) {
        if (JedisCalls.isBrokenConnection(error)) {
            context.connectionLost(SERVER);
        }
    }

    private RuntimeException failed(JedisException error, String lockName) {
        noteLoss(error);
        return JedisCalls.translated(error, lockName);
    }

    @Override
    public Object server(LockKeys keys) {
        return SERVER;
    }

    /** Publishes on another thread. The caller does not learn of a failure, because heartbeats find the handoff. */
    @Override
    public void publish(ScriptCall call, Deadline deadline) {
        try {
            requests.execute(() -> call.notices().forEach(this::publish));
        } catch (RejectedExecutionException e) {
            context.log(() -> LOG.debug("a handoff is not published, because the backend is closed", e));
        }
    }

    private void publish(ScriptCall.Notice notice) {
        try {
            var unused = client.publish(notice.channel(), notice.message());
        } catch (RuntimeException e) {
            context.log(() -> LOG.debug("a handoff could not be published", e));
        }
    }

    /** A client with a visible pool has one server. Any other client may use a cluster. */
    @Override
    public boolean isOneServer() {
        return pool != null;
    }

    /** The client itself may be configured to repeat requests, which the backend cannot see. */
    @Override
    public boolean sendsAgain() {
        return pool == null;
    }

    /** A caller-supplied client does not say when it uses another server. */
    @Override
    public boolean followsFailovers() {
        return false;
    }

    /** A subscription takes one connection of a pool of the client. The application must keep another one. */
    @Override
    public boolean canListen() {
        if (connections == null) {
            warnThatWaitersPoll("lends no connection");
            return false;
        }
        // A pool without a limit has a negative one.
        int most = SuppliedPool.all(client).stream()
                .mapToInt(Pool::getMaxTotal)
                .filter(limit -> limit >= 0)
                .min()
                .orElse(Integer.MAX_VALUE);
        if (most > 1) {
            return true;
        }
        warnThatWaitersPoll("has fewer than two connections in its pool: " + most);
        return false;
    }

    private void warnThatWaitersPoll(String why) {
        if (warned.compareAndSet(false, true)) {
            context.log(() -> LOG.warn("waiters poll, because the caller-supplied client {}", why));
        }
    }

    @Override
    public List<Connections.Server> servers(Deadline deadline) throws InterruptedException {
        List<Connections.Server> servers = new ArrayList<>();
        inBackground(() -> SuppliedServers.of(client), deadline).forEach(server -> servers.add(new Bounded(server)));
        return servers;
    }

    private <T> T inBackground(Callable<T> question, Deadline deadline) throws InterruptedException {
        try {
            return requests.await(question, unused -> {}, deadline);
        } catch (JedisException e) {
            throw failed(e, "*");
        }
    }

    /** A server that is asked on a thread of the backend, while the caller waits until its deadline. */
    private final class Bounded implements Connections.Server {
        private final Connections.Server server;

        private Bounded(Connections.Server server) {
            this.server = server;
        }

        @Override
        public String address() {
            return server.address();
        }

        @Override
        public boolean failsOver() {
            return server.failsOver();
        }

        @Override
        public boolean keeps(byte[] lockKey) {
            return server.keeps(lockKey);
        }

        @Override
        public List<Object> ask(List<List<String>> commands, Deadline deadline) throws InterruptedException {
            return inBackground(() -> server.ask(commands, deadline), deadline);
        }
    }

    @Override
    public String toString() {
        return "the caller-supplied client";
    }

    @Override
    public Listening listening(String channel, Consumer<String> messages, Runnable subscribed) {
        return new SuppliedListening(channel, messages, subscribed);
    }

    /** Does nothing: the connections are the client's. */
    @Override
    public void disconnect() {}

    @Override
    public void close() {
        requests.close();
        upkeep.close();
        if (pool != null) {
            pool.close();
        }
    }

    /**
     * A subscription through Jedis, over a connection of the client. The connection returns to its pool only after the
     * server has confirmed the end of the subscription. Otherwise the pool drops it: its next user would read messages
     * as the replies to its requests. The reading ends with the subscription, if the connection breaks, or with an
     * error. A busy server, for example, replies to a sign of life with an error.
     *
     * <p>After the subscription has ended, Jedis still knows its connection. So this class writes only between the
     * server's confirmation and the first {@link #end}, under a mutex. The sign of life is another subscription to the
     * same channel. A ping would not do: over RESP3, Jedis notes that it expects a reply only after it has sent the
     * ping, and fails if the reply arrives before that.
     */
    private final class SuppliedListening extends JedisPubSub implements Listening {
        private final String channel;
        private final Consumer<String> messages;
        private final Runnable subscribed;
        private final ReentrantLock writing = new ReentrantLock();
        private boolean confirmed;
        private boolean ended;
        /** Belongs to the thread that reads. */
        private boolean hasUnsubscribed;

        private volatile long heardAt = context.clock.nanoTime();
        private volatile long askedAt = context.clock.nanoTime();

        private SuppliedListening(String channel, Consumer<String> messages, Runnable subscribed) {
            this.channel = channel;
            this.messages = messages;
            this.subscribed = subscribed;
        }

        @Override
        public void run() {
            heardAt = context.clock.nanoTime();
            try {
                Connection connection = Objects.requireNonNull(connections).get();
                try {
                    proceed(connection, channel);
                } finally {
                    write(() -> ended = true);
                    giveBack(connection);
                }
            } catch (JedisDataException e) {
                // The server may refuse the connection itself.
                throw new ErrorReply(String.valueOf(e.getMessage()), e);
            }
        }

        private void giveBack(Connection connection) {
            if (!hasUnsubscribed) {
                connection.setBroken();
            }
            try {
                connection.close();
            } catch (JedisException e) {
                context.log(
                        () -> LOG.debug("the pool of the caller-supplied client has not taken a connection back", e));
            }
        }

        @Override
        public void onUnsubscribe(String from, int channels) {
            hasUnsubscribed = channels == 0;
        }

        @Override
        public void onSubscribe(String to, int channels) {
            heardAt = context.clock.nanoTime();
            if (confirmed) {
                return;
            }
            boolean endedBefore = write(() -> {
                confirmed = true;
                if (ended) {
                    unsubscribe();
                }
            });
            if (!endedBefore) {
                safely(subscribed);
            }
        }

        @Override
        public void onMessage(String from, String message) {
            heardAt = context.clock.nanoTime();
            safely(() -> messages.accept(message));
        }

        private void safely(Runnable told) {
            try {
                told.run();
            } catch (RuntimeException | Error e) {
                context.log(() -> LOG.warn("a message to {} has failed", channel, e));
            }
        }

        @Override
        public void askForSignOfLife() {
            long now = context.clock.nanoTime();
            if (now - askedAt > LONGEST_SILENCE_NANOS) {
                // No contender has waited for a while, so there was no heartbeat.
                heardAt = now;
            }
            askedAt = now;
            write(() -> {
                if (confirmed && !ended) {
                    subscribe(channel);
                }
            });
        }

        @Override
        public boolean isSilent() {
            long now = context.clock.nanoTime();
            return now - heardAt > LONGEST_SILENCE_NANOS && now - askedAt <= LONGEST_SILENCE_NANOS;
        }

        @Override
        public Object server() {
            return SERVER;
        }

        @Override
        public void end() {
            write(() -> {
                boolean endedBefore = ended;
                ended = true;
                if (confirmed && !endedBefore) {
                    unsubscribe();
                }
            });
        }

        /** Makes a change under the mutex. Returns whether the subscription had ended before. */
        @CanIgnoreReturnValue
        private boolean write(Runnable change) {
            boolean endedBefore = false;
            writing.lock();
            try {
                endedBefore = ended;
                change.run();
            } catch (JedisException e) {
                // The connection is broken, which the reader notices.
            } finally {
                writing.unlock();
            }
            return endedBefore;
        }
    }
}

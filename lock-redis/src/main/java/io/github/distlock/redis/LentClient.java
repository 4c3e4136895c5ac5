package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.BuilderFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.Response;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisNoScriptException;

/**
 * A client that somebody else made, with time-outs and a pool of its own. What it does cannot be bounded from outside, so its
 * calls are made on threads of ours, while the caller waits by the deadline; a call that comes back too late has an unknown
 * outcome. Upkeep has threads that no acquire can exhaust.
 */
final class LentClient implements Redis {
    private static final Set<String> PLAIN_CLIENTS =
            Set.of("RedisClient", "RedisSentinelClient", "JedisPooled", "JedisSentineled");
    private static final int REQUEST_THREADS = 32;
    private static final int UPKEEP_THREADS = 4;
    private static final long LONGEST_SILENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final UnifiedJedis client;
    private final LockClock clock;
    private final ThreadPoolExecutor requests;
    private final ThreadPoolExecutor upkeep;

    LentClient(UnifiedJedis client, ThreadFactory threads, LockClock clock) {
        this.client = client;
        this.clock = clock;
        this.requests = executor(REQUEST_THREADS, threads);
        this.upkeep = executor(UPKEEP_THREADS, threads);
    }

    private static ThreadPoolExecutor executor(int most, ThreadFactory threads) {
        ThreadPoolExecutor executor =
                new ThreadPoolExecutor(most, most, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), threads);
        executor.allowCoreThreadTimeOut(true);
        return executor;
    }

    @Override
    public Object call(ScriptCall call, Deadline deadline) throws InterruptedException {
        return await(requests, () -> send(call), call, deadline);
    }

    private Object send(ScriptCall call) {
        try {
            return client.executeCommand(raw(call.byDigest()));
        } catch (JedisNoScriptException e) {
            return client.executeCommand(raw(call.bySource()));
        }
    }

    private static CommandObject<Object> raw(CommandArguments arguments) {
        return new CommandObject<>(arguments, BuilderFactory.RAW_OBJECT);
    }

    @Override
    public List<Object> callAll(List<ScriptCall> calls, Deadline deadline) throws InterruptedException {
        return await(upkeep, () -> sendAll(calls), calls.get(0), deadline);
    }

    private List<Object> sendAll(List<ScriptCall> calls) {
        List<Response<Object>> responses = new ArrayList<>(calls.size());
        try (AbstractPipeline pipeline = client.pipelined()) {
            calls.forEach(call -> responses.add(pipeline.executeCommand(raw(call.byDigest()))));
            pipeline.sync();
        }
        List<Object> replies = new ArrayList<>(calls.size());
        for (int i = 0; i < calls.size(); i++) {
            try {
                replies.add(responses.get(i).get());
            } catch (JedisNoScriptException e) {
                replies.add(replyOrError(calls.get(i)));
            } catch (JedisDataException e) {
                replies.add(e);
            }
        }
        return replies;
    }

    private Object replyOrError(ScriptCall call) {
        try {
            return client.executeCommand(raw(call.bySource()));
        } catch (JedisDataException e) {
            return e;
        }
    }

    private static <T> T await(ThreadPoolExecutor threads, Callable<T> work, ScriptCall call, Deadline deadline)
            throws InterruptedException {
        Future<T> result;
        try {
            result = threads.submit(work);
        } catch (RejectedExecutionException e) {
            throw new JedisConnectionException("the Redis backend is closed", e);
        }
        try {
            return result.get(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            // What has not begun must not begin: it would come after its clean-up.
            result.cancel(false);
            throw new JedisConnectionException("the client that was lent has not answered in time", e);
        } catch (InterruptedException e) {
            result.cancel(false);
            throw e;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof JedisException error) {
                throw Replies.translated(error, call.lockName());
            }
            throw new IllegalStateException(String.valueOf(e.getCause()), e.getCause());
        }
    }

    /** A cluster's client and others with retries do; the plain ones, also those that only Jedis 7 has, do not. */
    @Override
    public boolean sendsAgain() {
        return !PLAIN_CLIENTS.contains(client.getClass().getSimpleName());
    }

    @Override
    public Listening listening(String channel, Consumer<String> messages, Runnable subscribed) {
        return new LentListening(channel, messages, subscribed);
    }

    @Override
    public void close() {
        requests.shutdownNow();
        upkeep.shutdownNow();
    }

    private final class LentListening extends JedisPubSub implements Listening {
        private final String channel;
        private final Consumer<String> messages;
        private final Runnable subscribed;
        private volatile long heardAt = clock.nanoTime();

        private LentListening(String channel, Consumer<String> messages, Runnable subscribed) {
            this.channel = channel;
            this.messages = messages;
            this.subscribed = subscribed;
        }

        @Override
        public void run() {
            heardAt = clock.nanoTime();
            client.subscribe(this, channel);
        }

        @Override
        public void onSubscribe(String to, int channels) {
            heardAt = clock.nanoTime();
            subscribed.run();
        }

        @Override
        public void onMessage(String from, String message) {
            heardAt = clock.nanoTime();
            messages.accept(message);
        }

        @Override
        public void onPong(String pattern) {
            heardAt = clock.nanoTime();
        }

        @Override
        public boolean isSilent() {
            return clock.nanoTime() - heardAt > LONGEST_SILENCE_NANOS;
        }

        @Override
        public void end() {
            try {
                unsubscribe();
            } catch (JedisException e) {
                // It is broken, or not subscribed yet: then the backend's being closed ends it.
            }
        }
    }
}

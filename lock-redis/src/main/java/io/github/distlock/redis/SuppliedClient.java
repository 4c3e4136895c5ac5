package io.github.distlock.redis;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.BuilderFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.Response;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisNoScriptException;
import redis.clients.jedis.exceptions.JedisRedirectionException;

/**
 * Sends requests through a caller-supplied client, which has its own timeouts and its own pool. The backend cannot
 * bound the calls of that client. So it makes them on its own threads, while the caller waits until its deadline; the
 * outcome of a call that returns later is unknown. Renewals and heartbeats have threads that no acquire can exhaust.
 */
final class SuppliedClient implements Redis {
    private static final Logger LOG = LoggerFactory.getLogger(RedisBackend.class);
    private static final int REQUEST_THREADS = 32;
    private static final int UPKEEP_THREADS = 4;
    private static final long LONGEST_SILENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final UnifiedJedis client;
    private final LockClock clock;
    private final Publisher publisher;
    private final ThreadPoolExecutor requests;
    private final ThreadPoolExecutor upkeep;

    SuppliedClient(UnifiedJedis client, ThreadFactory threads, LockClock clock, Publisher publisher) {
        this.client = client;
        this.clock = clock;
        this.publisher = publisher;
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
    public List<?> call(ScriptCall call, Deadline deadline) throws InterruptedException {
        return Replies.list(await(requests, () -> send(call), call, deadline));
    }

    private Object send(ScriptCall call) {
        try {
            return call.answer(client.executeCommand(raw(call.byDigest(publisher))));
        } catch (JedisNoScriptException e) {
            return call.answer(client.executeCommand(raw(call.bySource(publisher))));
        }
    }

    private static CommandObject<Object> raw(CommandArguments arguments) {
        return new CommandObject<>(arguments, BuilderFactory.RAW_OBJECT);
    }

    @Override
    public List<Object> callAll(List<ScriptCall> calls, Deadline deadline) throws InterruptedException {
        return await(upkeep, () -> sendAll(calls), calls.get(0), deadline);
    }

    /**
     * Sends the requests in one pipeline. A pipeline fails for a slot that has moved or a node that has ended; then the
     * request is sent alone, because the client follows redirections of single requests.
     */
    private List<Object> sendAll(List<ScriptCall> calls) {
        List<@Nullable Response<Object>> responses = new ArrayList<>(calls.size());
        try (AbstractPipeline pipeline = client.pipelined()) {
            calls.forEach(call -> responses.add(appended(pipeline, call)));
            pipeline.sync();
        } catch (JedisException e) {
            // Each response has its own error.
        }
        List<Object> replies = new ArrayList<>(calls.size());
        for (int i = 0; i < calls.size(); i++) {
            replies.add(replyOrError(calls.get(i), i < responses.size() ? responses.get(i) : null));
        }
        return replies;
    }

    private @Nullable Response<Object> appended(AbstractPipeline pipeline, ScriptCall call) {
        try {
            return pipeline.executeCommand(raw(call.byDigest(publisher)));
        } catch (JedisException e) {
            return null;
        }
    }

    private Object replyOrError(ScriptCall call, @Nullable Response<Object> response) {
        try {
            if (response != null) {
                return call.answer(response.get());
            }
        } catch (JedisRedirectionException | JedisNoScriptException | IllegalStateException e) {
            // The node that has the slot has not answered.
        } catch (JedisException e) {
            return e;
        }
        try {
            return send(call);
        } catch (JedisException e) {
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
            // A request that is not sent yet must not be sent: it would arrive after its cleanup.
            result.cancel(false);
            throw new JedisConnectionException("the caller-supplied client has not answered in time", e);
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

    /** Publishes on another thread. The caller does not learn of a failure, because heartbeats find the handoff. */
    @Override
    public void publish(ScriptCall.Notice notice, Deadline deadline) {
        try {
            requests.execute(() -> publish(notice));
        } catch (RejectedExecutionException e) {
            LOG.debug("a handoff is not published, because the backend is closed", e);
        }
    }

    private void publish(ScriptCall.Notice notice) {
        try {
            var unused = client.publish(notice.channel(), notice.message());
        } catch (RuntimeException e) {
            LOG.debug("a handoff could not be published", e);
        }
    }

    /** A caller-supplied client may be configured to repeat its requests, which the backend cannot see. */
    @Override
    public boolean sendsAgain() {
        return true;
    }

    @Override
    public Listening listening(String channel, Consumer<String> messages, Runnable subscribed) {
        return new SuppliedListening(channel, messages, subscribed);
    }

    @Override
    public void close() {
        requests.shutdownNow();
        upkeep.shutdownNow();
    }

    /**
     * A subscription through Jedis. After it has ended, Jedis still has its connection, although that connection is in
     * the caller's pool again. So this class writes only between the server's confirmation and the first {@link #end},
     * under a mutex.
     *
     * <p>The reading must end only by that {@code end} or by a broken connection. Otherwise Jedis would return a
     * subscribed connection to the pool, and its next user would read messages as the replies to its requests. So
     * nothing that the reader calls throws. The sign of life is another subscription to the same channel. A ping would
     * not do: over RESP3, Jedis notes that it expects a reply only after it has sent the ping, and fails if the reply
     * arrives before that.
     */
    private final class SuppliedListening extends JedisPubSub implements Listening {
        private final String channel;
        private final Consumer<String> messages;
        private final Runnable subscribed;
        private final ReentrantLock writing = new ReentrantLock();
        private boolean confirmed;
        private boolean ended;
        private volatile long heardAt = clock.nanoTime();
        private volatile long askedAt = clock.nanoTime();

        private SuppliedListening(String channel, Consumer<String> messages, Runnable subscribed) {
            this.channel = channel;
            this.messages = messages;
            this.subscribed = subscribed;
        }

        @Override
        public void run() {
            heardAt = clock.nanoTime();
            try {
                client.subscribe(this, channel);
            } finally {
                write(() -> ended = true);
            }
        }

        @Override
        public void onSubscribe(String to, int channels) {
            heardAt = clock.nanoTime();
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
            heardAt = clock.nanoTime();
            safely(() -> messages.accept(message));
        }

        private void safely(Runnable told) {
            try {
                told.run();
            } catch (RuntimeException e) {
                LOG.warn("a message to {} has failed", channel, e);
            }
        }

        @Override
        public void askForSignOfLife() {
            long now = clock.nanoTime();
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
            long now = clock.nanoTime();
            return now - heardAt > LONGEST_SILENCE_NANOS && now - askedAt <= LONGEST_SILENCE_NANOS;
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

package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.exceptions.JedisException;

/** Threads that call a caller-supplied client, which nothing bounds, while callers wait until their deadlines. */
final class BackgroundCalls {
    private final ThreadPoolExecutor threads;

    BackgroundCalls(int most, RedisContext context) {
        this.threads = new ThreadPoolExecutor(
                most, most, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), context.redisThreads());
        this.threads.allowCoreThreadTimeOut(true);
    }

    /** A call whose caller may give up before it returns. Exactly one thread takes the result. */
    private static final class Call<T> extends FutureTask<T> {
        private final Consumer<T> unused;
        private volatile @Nullable T result;

        private Call(Callable<T> work, Consumer<T> unused) {
            super(work);
            this.unused = unused;
        }

        @Override
        protected void set(T value) {
            result = value;
            super.set(value);
            if (isCancelled()) {
                giveUp();
            }
        }

        private void giveUp() {
            T value = result;
            if (value != null) {
                unused.accept(value);
            }
        }
    }

    /** Returns something to the client, which must get it even if the backend is closed meanwhile. */
    private record Return(Runnable work) implements Runnable {
        @Override
        public void run() {
            work.run();
        }
    }

    /**
     * Calls on another thread.
     *
     * @param unused takes a result that comes too late
     * @throws JedisException if the work does, if it is not done in time, or if the backend is closed
     */
    <T> T await(Callable<T> work, Consumer<T> unused, Deadline deadline) throws InterruptedException {
        Call<T> call = new Call<>(work, unused);
        boolean taken = false;
        try {
            threads.execute(call);
            T result = call.get(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
            taken = true;
            return result;
        } catch (RejectedExecutionException e) {
            throw closed(e);
        } catch (TimeoutException e) {
            throw new JedisException("the caller-supplied client has not answered in time", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof JedisException error) {
                throw error;
            }
            if (e.getCause() instanceof InterruptedException) {
                throw closed(e);
            }
            throw new IllegalStateException(String.valueOf(e.getCause()), e.getCause());
        } finally {
            // A request that is not sent yet must not be sent: it would arrive after its cleanup.
            if (call.cancel(false)) {
                threads.remove(call);
            } else if (!taken) {
                call.giveUp();
            }
        }
    }

    private static JedisException closed(Exception cause) {
        return new JedisException(OwnConnections.CLOSED, cause);
    }

    void requireOpen() {
        if (threads.isShutdown()) {
            throw new JedisException(OwnConnections.CLOSED);
        }
    }

    /** Calls soon on another thread. Throws a {@link RejectedExecutionException} if the backend is closed. */
    void execute(Runnable work) {
        threads.execute(work);
    }

    /** Returns something to the client soon, or on this thread if no other one can do so. */
    void giveBack(Runnable work) {
        try {
            threads.execute(new Return(work));
        } catch (RuntimeException | Error e) {
            work.run();
        }
    }

    void close() {
        for (Runnable left : threads.shutdownNow()) {
            if (left instanceof Return due) {
                due.run();
            }
        }
    }
}

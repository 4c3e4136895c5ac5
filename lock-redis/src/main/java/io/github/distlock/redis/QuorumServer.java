package io.github.distlock.redis;

import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.RequestRefusedException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * One server of a quorum. Threads of its own send the requests, so that no caller waits for a server whose answer does
 * not matter. Thread-safe; no method blocks, except {@link #close}.
 *
 * <p><b>A silent server</b> would keep all its threads until their deadlines. So while a request has been under way for
 * more than 250 ms and the server has answered none since, one thread sends the later requests. Those that have waited
 * for half of their time are not sent. Renewals have other threads, which no acquire can exhaust.
 */
final class QuorumServer {
    private static final int UPKEEP_THREADS = 4;
    private static final long SILENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long NEVER = Long.MAX_VALUE;
    /** For how long an answer tells the server's time. After that, the clocks may have drifted apart. */
    private static final long TIME_KNOWN_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final String address;
    private final Redis redis;
    private final ReusedThreads requests;
    private final ReusedThreads requestsInSilence;
    private final ReusedThreads upkeep;
    private final LockClock clock;
    /** When the first request was sent that the server has not answered, if it has answered none since. */
    private final AtomicLong silentSince = new AtomicLong(NEVER);
    /** The last answer that told the server's time, or null. */
    private volatile @Nullable ToldTime told;

    /**
     * A time that the server has told.
     *
     * @param micros by the server's clock, in microseconds since 1970
     * @param at when the answer arrived, by the client's nano clock
     */
    private record ToldTime(long micros, long at) {}

    /**
     * Sends nothing yet.
     *
     * @param most how many requests may be under way
     */
    QuorumServer(String address, Redis redis, int most, RedisContext context) {
        this.address = address;
        this.redis = redis;
        this.clock = context.clock;
        this.requests = new ReusedThreads(most, context.redisThreads());
        this.requestsInSilence = new ReusedThreads(1, context.redisThreads());
        this.upkeep = new ReusedThreads(UPKEEP_THREADS, context.redisThreads());
    }

    /** Returns whether the server has answered no request for some time, although one is under way or has failed. */
    boolean isSilent() {
        long since = silentSince.get();
        return since != NEVER && clock.nanoTime() - since > SILENCE_NANOS;
    }

    /** Notes the time of an answer that has just arrived, by the server's clock, in microseconds since 1970. */
    void noteTime(long micros) {
        told = new ToldTime(micros, clock.nanoTime());
    }

    /**
     * Returns the time of the server's clock by an answer of the last minute, or 0 without one. It may lag by the time
     * of an answer.
     */
    long time() {
        ToldTime last = told;
        long age = last == null ? 0 : clock.nanoTime() - last.at;
        return last == null || age > TIME_KNOWN_NANOS ? 0 : last.micros + TimeUnit.NANOSECONDS.toMicros(age);
    }

    private interface Request<T> {
        T send() throws InterruptedException;
    }

    /**
     * Sends one request.
     *
     * @return completes with the answer or as {@link Redis#call} does, on a thread of this server
     */
    CompletableFuture<List<?>> call(ScriptCall call, Deadline deadline) {
        return send(isSilent() ? requestsInSilence : requests, () -> redis.call(call, deadline), deadline);
    }

    /**
     * Sends many requests in one exchange, on threads that {@link #call} does not use.
     *
     * @return completes with the answers or as {@link Redis#callAll} does, on a thread of this server
     */
    CompletableFuture<List<Object>> callAll(List<ScriptCall> calls, Deadline deadline) {
        return send(upkeep, () -> redis.callAll(calls, deadline), deadline);
    }

    private <T> CompletableFuture<T> send(ReusedThreads threads, Request<T> request, Deadline deadline) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        try {
            long least = deadline.remainingNanos() / 2;
            threads.execute(() -> send(request, deadline, least, answer));
        } catch (RejectedExecutionException e) {
            answer.completeExceptionally(new IllegalStateException(OwnConnections.CLOSED, e));
        } catch (RuntimeException | Error e) {
            answer.completeExceptionally(new IllegalStateException("no thread sends the request: " + e, e));
        }
        return answer;
    }

    private <T> void send(Request<T> request, Deadline deadline, long least, CompletableFuture<T> answer) {
        if (deadline.hasPassed() || (isSilent() && deadline.remainingNanos() < least)) {
            answer.completeExceptionally(new IllegalStateException("not sent in time"));
            return;
        }
        T result;
        silentSince.compareAndSet(NEVER, clock.nanoTime());
        try {
            result = request.send();
        } catch (InterruptedException | RuntimeException | Error e) {
            if (e instanceof ErrorReply || e instanceof RequestRefusedException) {
                silentSince.set(NEVER);
            }
            answer.completeExceptionally(e);
            return;
        }
        silentSince.set(NEVER);
        answer.complete(result);
    }

    /** Closes the connections, while no request is under way. The next request opens new ones. */
    void disconnect() {
        redis.disconnect();
    }

    /** Takes no more requests. Those that were taken go on. */
    void endRequests() {
        requests.shutdown();
        requestsInSilence.shutdown();
        upkeep.shutdown();
    }

    /** Waits for the requests that were taken, and then ends connections and threads. */
    void close(Deadline deadline) {
        try {
            for (ReusedThreads each : List.of(requests, requestsInSilence, upkeep)) {
                var unused = each.awaitTermination(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        redis.close();
    }

    @Override
    public String toString() {
        return address;
    }
}

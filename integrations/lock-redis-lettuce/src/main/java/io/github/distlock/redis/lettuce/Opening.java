package io.github.distlock.redis.lettuce;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.lettuce.core.RedisConnectionException;
import io.lettuce.core.api.StatefulConnection;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One attempt to connect. Callers wait for it until their deadlines. An attempt that lasts for longer than a second may
 * be given up, because Lettuce can wait for a minute for a server that has fallen silent.
 *
 * <p><b>No connection is left open.</b> {@link #outcome} changes once: to what the connection is used as, to a failure,
 * or because the attempt is given up. A connection that comes later is closed by the thread that brings it. A dialer
 * that blocks can be interrupted after Lettuce has made the connection and before Lettuce has returned it. So its
 * listener first notes each connection that {@linkplain #appeared appears}, and then looks whether the attempt was
 * given up. {@link #giveUp} first gives it up, and then looks for that note. One of the two closes the connection.
 *
 * @param <C> the connection
 * @param <T> what it is used as
 */
final class Opening<C extends StatefulConnection<byte[], byte[]>, T> {
    private static final long LONGEST = Duration.ofSeconds(1).toNanos();

    private final Function<C, T> use;
    private final LockClock clock;
    private final long begunAt;
    private final CountDownLatch done = new CountDownLatch(1);
    private final AtomicReference<@Nullable Outcome<T>> outcome = new AtomicReference<>();
    private final AtomicReference<@Nullable StatefulConnection<?, ?>> appeared = new AtomicReference<>();
    private volatile Runnable onGiveUp = () -> {};
    private volatile boolean givenUp;
    private volatile String address = "";

    /** Either of the two. */
    private record Outcome<T>(@Nullable T result, @Nullable Throwable failure) {}

    /**
     * Begins no attempt yet.
     *
     * @param use makes of a connection what it is used as; must not block
     */
    Opening(Function<C, T> use, LockClock clock) {
        this.use = use;
        this.clock = clock;
        this.begunAt = clock.nanoTime();
    }

    /** Sets what ends the attempt early. */
    void onGiveUp(Runnable end) {
        onGiveUp = end;
    }

    /** Takes the connection. Any thread may call this; does not block. */
    void succeeded(C connection) {
        if (!givenUp) {
            T result = use.apply(connection);
            if (outcome.compareAndSet(null, new Outcome<>(result, null))) {
                done.countDown();
                return;
            }
        }
        discard(connection);
    }

    /** Takes a failure. */
    void failed(Throwable failure) {
        if (outcome.compareAndSet(null, new Outcome<>(null, failure))) {
            done.countDown();
        }
    }

    /** Notes that the connection exists, although {@link #succeeded} may never be called. Does not block. */
    void appeared(StatefulConnection<?, ?> connection, String server) {
        address = server;
        appeared.set(connection);
        if (givenUp) {
            discard(connection);
        }
    }

    private void discard(StatefulConnection<?, ?> connection) {
        appeared.set(connection);
        closeAppeared();
    }

    private void closeAppeared() {
        StatefulConnection<?, ?> left = appeared.getAndSet(null);
        if (left != null) {
            var unused = left.closeAsync();
        }
    }

    /** Ends the attempt if it is under way. */
    void giveUp(String why) {
        if (outcome.compareAndSet(null, new Outcome<>(null, new RedisConnectionException(why)))) {
            givenUp = true;
            done.countDown();
            onGiveUp.run();
            closeAppeared();
        }
    }

    /** Returns where the connection leads, or an empty text if that is not known. */
    String address() {
        return address;
    }

    /** Returns whether the attempt has failed or takes too long, so that another one may begin. */
    boolean isVain() {
        Outcome<T> now = outcome.get();
        return now == null ? clock.nanoTime() - begunAt > LONGEST : now.failure != null;
    }

    /** Returns the result, or null if there is none yet. */
    @Nullable
    T result() {
        Outcome<T> now = outcome.get();
        return now == null ? null : now.result;
    }

    /**
     * Waits for the result.
     *
     * @throws RuntimeException if there is no connection in time
     */
    T await(Deadline deadline) throws InterruptedException {
        boolean inTime = done.await(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
        Outcome<T> end = outcome.get();
        if (end != null && end.result != null) {
            return end.result;
        }
        if (!inTime || end == null || end.failure == null) {
            throw new RedisConnectionException("not connected in time");
        }
        throw Errors.translated(end.failure);
    }
}

package io.github.distlock.redis.lettuce;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.lettuce.core.RedisConnectionException;
import io.lettuce.core.api.StatefulConnection;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One attempt to connect. Callers wait for it until their deadlines. An attempt that lasts for longer than a second may
 * be given up, because Lettuce can wait for a minute for a server that has fallen silent. The client goes on with it. A
 * connection that comes later is used by the attempt that has taken the place of this one. So a client that connects
 * slowly, because it asks a dead sentinel first, connects in the end.
 *
 * <p><b>No connection is left open.</b> {@link #outcome} changes once: to what the connection is used as, to a failure,
 * or because the attempt is given up. A connection that comes later is {@linkplain #passOn passed on} or closed by the
 * thread that brings it. A dialer that blocks can be interrupted after Lettuce has made the connection and before
 * Lettuce has returned it. So its listener first notes each connection that {@linkplain #appeared appears}, and then
 * looks whether the attempt was given up. {@link #giveUp} first gives it up, and then looks for that note. The first of
 * the two passes the connection on.
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
    private final AtomicBoolean passedOn = new AtomicBoolean();
    private volatile @Nullable Arrival<C> appeared;
    private volatile @Nullable Opening<C, T> successor;
    private volatile Runnable onGiveUp = () -> {};
    private volatile boolean givenUp;

    /** Either a result, which leads to an address, or a failure. */
    private record Outcome<T>(@Nullable T result, @Nullable Throwable failure, String address) {}

    /** A connection, and where it leads if that is known. */
    private record Arrival<C extends StatefulConnection<?, ?>>(C connection, String address) {}

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
        Arrival<C> noted = appeared;
        Arrival<C> arrival = new Arrival<>(connection, noted == null ? "" : noted.address);
        if (!uses(arrival)) {
            passOn(arrival);
        }
    }

    /** Takes a connection of this attempt, or of one before it, if there is no outcome yet. */
    private boolean uses(Arrival<C> arrival) {
        if (outcome.get() != null) {
            return false;
        }
        T result = use.apply(arrival.connection);
        boolean isUsed = outcome.compareAndSet(null, new Outcome<>(result, null, arrival.address));
        if (isUsed) {
            done.countDown();
        }
        return isUsed;
    }

    /** Takes a failure. */
    void failed(Throwable failure) {
        if (outcome.compareAndSet(null, new Outcome<>(null, failure, ""))) {
            done.countDown();
        }
    }

    /** Notes that the connection exists, although {@link #succeeded} may never be called. Does not block. */
    @SuppressWarnings("unchecked") // The connections of an attempt have its type.
    void appeared(StatefulConnection<?, ?> connection, String address) {
        Arrival<C> arrival = new Arrival<>((C) connection, address);
        appeared = arrival;
        if (givenUp) {
            passOn(arrival);
        }
    }

    /**
     * Hands the connection of this attempt to the next attempt that waits for one, or closes it. Only the first call
     * counts, because a connection can appear and be returned, too.
     */
    private void passOn(Arrival<C> arrival) {
        if (passedOn.compareAndSet(false, true)) {
            Opening<C, T> next = successor;
            while (next != null && !next.uses(arrival)) {
                next = next.successor;
            }
            if (next == null) {
                var unused = arrival.connection.closeAsync();
            }
        }
    }

    /** Ends the attempt if it is under way. Another one takes its place, and its connection if that comes later. */
    void giveUp(String why, Opening<C, T> next) {
        successor = next;
        giveUp(why);
    }

    /** Ends the attempt if it is under way. */
    void giveUp(String why) {
        if (outcome.compareAndSet(null, new Outcome<>(null, new RedisConnectionException(why), ""))) {
            givenUp = true;
            done.countDown();
            onGiveUp.run();
            Arrival<C> noted = appeared;
            if (noted != null) {
                passOn(noted);
            }
        }
    }

    /** Returns the address to which the connection leads, or an empty text if it is unknown. */
    String address() {
        Outcome<T> now = outcome.get();
        return now == null ? "" : now.address;
    }

    /** Returns whether the attempt has failed or takes too long, so that another one may begin. */
    boolean isVain() {
        Outcome<T> now = outcome.get();
        return now == null ? clock.nanoTime() - begunAt > LONGEST : now.failure != null;
    }

    /** Returns the result, or null before the attempt succeeds. */
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

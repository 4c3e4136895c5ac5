package io.github.distlock.redis.lettuce;

import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisConnectionException;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One connection of Lettuce, which many threads use at once. The threads wait for the replies until their deadlines.
 *
 * <p><b>At most once.</b> Lettuce connects again after a connection has broken, and repeats what was not answered. So
 * this link ends at the first disconnect: the listener closes the connection of Lettuce on the event loop, in the
 * event of the disconnect, before Lettuce can connect again. Closing ends all commands that Lettuce has kept. A late
 * command is cancelled, and Lettuce does not write a cancelled one. The next request opens another link.
 *
 * <p><b>Silence.</b> A server that stands still, or is cut off, is noticed by requests that are late. If the server has
 * answered nothing for 250 ms while a command was under way, the link ends. A link that was idle for 5 s is asked with
 * {@code PING} before it is used, for at most 250 ms.
 *
 * <p><b>Order.</b> Commands are numbered as they are written, under a mutex, and replies come in that order. So the
 * last number that was heard says whether an older command is unanswered.
 *
 * <p><b>ASKING.</b> This command holds for the next one on the connection, from whichever thread that comes. So once
 * Lettuce may have written it, Lettuce writes the command behind it, too, even if that is given up in between.
 * Otherwise a node could execute a command of another thread on a slot whose keys another node still has.
 */
final class Link {
    private static final Duration LONGEST_SILENCE = Duration.ofMillis(250);
    private static final long IDLE_NANOS = Duration.ofSeconds(5).toNanos();

    private final StatefulRedisConnection<byte[], byte[]> connection;
    private final LockClock clock;
    private final Runnable lost;
    private final ReentrantLock writing = new ReentrantLock();
    private final AtomicBoolean ended = new AtomicBoolean();
    private volatile @Nullable Closing closing;
    private volatile long lastSent;
    private volatile long lastHeard;
    /** When the server has answered last, or when the first command was sent after that. */
    private volatile long quietSince;

    /** A command, in the words of Lettuce. */
    record Words(CommandType type, List<byte[]> arguments) {}

    /**
     * Takes an open connection.
     *
     * @param lost runs when the connection has broken with a request under way
     */
    Link(StatefulRedisConnection<byte[], byte[]> connection, LockClock clock, Runnable lost) {
        this.connection = connection;
        this.clock = clock;
        this.lost = lost;
        this.quietSince = clock.nanoTime();
        // The deadlines of requests bound them, and not the timeout of the client.
        connection.setTimeout(Duration.ZERO);
        connection.addListener(new RedisConnectionStateListener() {
            @Override
            public void onRedisDisconnected(RedisChannelHandler<?, ?> from) {
                end();
            }
        });
        if (!connection.isOpen()) {
            end();
        }
    }

    boolean isUsable() {
        return !ended.get();
    }

    /** Closes the connection, so that requests under way fail now. Any thread may call this; does not block. */
    void end() {
        if (ended.compareAndSet(false, true)) {
            closing = new Closing(connection);
        }
    }

    /** Waits until the connection is closed, if that has begun. */
    void awaitClosed(Deadline soon) {
        Closing begun = closing;
        if (begun != null) {
            begun.await(soon);
        }
    }

    /** Returns whether the server still answers, if that is in doubt because the link was idle. */
    boolean isAlive(Deadline deadline) throws InterruptedException {
        if (clock.nanoTime() - quietSince < IDLE_NANOS) {
            return true;
        }
        Duration time = Duration.ofNanos(Math.min(LONGEST_SILENCE.toNanos(), deadline.remainingNanos()));
        Object reply = exchange(List.of(new Words(CommandType.PING, List.of())), Deadline.after(time, clock))
                .get(0);
        boolean isUnanswered = reply instanceof RuntimeException && !(reply instanceof ErrorReply);
        if (isUnanswered && time.equals(LONGEST_SILENCE)) {
            end();
        }
        return isUsable();
    }

    /**
     * Sends commands one after the other, and waits for their replies.
     *
     * @return for each command its reply (an empty list for none), an {@link ErrorReply}, or another exception if the
     *     outcome is unknown
     */
    List<Object> exchange(List<Words> commands, Deadline deadline) throws InterruptedException {
        CountDownLatch missing = new CountDownLatch(commands.size());
        List<Sent> sent = write(commands, missing);
        boolean complete = false;
        try {
            complete = missing.await(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
        } finally {
            if (!complete) {
                sent.forEach(command -> command.giveUp("the server has not answered in time"));
                endIfSilent();
            }
        }
        List<Object> replies = new ArrayList<>(sent.size());
        boolean broken = false;
        for (Sent command : sent) {
            Object reply = command.reply();
            broken |= reply instanceof RuntimeException && !(reply instanceof ErrorReply);
            if (reply instanceof ErrorReply error && ErrorReply.isOfAnotherServer(String.valueOf(error.getMessage()))) {
                end();
            }
            replies.add(reply);
        }
        if (broken && complete) {
            lost.run();
        }
        return replies;
    }

    private List<Sent> write(List<Words> commands, CountDownLatch missing) {
        List<Sent> sent = new ArrayList<>(commands.size());
        writing.lock();
        try {
            Sent asking = null;
            for (Words command : commands) {
                long number = lastSent + 1;
                if (lastHeard == lastSent) {
                    quietSince = clock.nanoTime();
                }
                lastSent = number;
                Sent next = new Sent(number, command, missing, asking);
                sent.add(next);
                asking = command.type == CommandType.ASKING ? next : null;
            }
            var unused = connection.dispatch(sent);
        } catch (RuntimeException e) {
            sent.forEach(command -> command.fail(e));
        } finally {
            writing.unlock();
        }
        return sent;
    }

    private void endIfSilent() {
        if (lastHeard < lastSent && clock.nanoTime() - quietSince >= LONGEST_SILENCE.toNanos()) {
            end();
        }
    }

    /** A command that Lettuce sends, and its reply. The event loop completes it. Only its first end counts. */
    private final class Sent extends Command<byte[], byte[], @Nullable Object> {
        private final long number;
        private final CountDownLatch missing;
        private final @Nullable Sent asking;
        private final AtomicReference<@Nullable Object> end = new AtomicReference<>();
        private volatile boolean mayBeWritten;

        /**
         * Makes a command that is not sent yet.
         *
         * @param asking the {@code ASKING} before this command, or null
         */
        private Sent(long number, Words words, CountDownLatch missing, @Nullable Sent asking) {
            super(words.type, new ReplyOutput(), arguments(words));
            this.number = number;
            this.missing = missing;
            this.asking = asking;
        }

        private static CommandArgs<byte[], byte[]> arguments(Words words) {
            CommandArgs<byte[], byte[]> arguments = new CommandArgs<>(ByteArrayCodec.INSTANCE);
            words.arguments.forEach(arguments::add);
            return arguments;
        }

        /** Lettuce writes a command only if this returns false on the event loop, immediately before. */
        @Override
        public boolean isDone() {
            boolean isBehindAsking = asking != null && asking.mayBeWritten;
            if (super.isDone() && !(isBehindAsking && isCancelled())) {
                return true;
            }
            mayBeWritten = true;
            return false;
        }

        /** The server has answered. */
        @Override
        public void complete() {
            lastHeard = number;
            quietSince = clock.nanoTime();
            super.complete();
            end(this);
        }

        @Override
        public boolean completeExceptionally(Throwable failure) {
            boolean first = super.completeExceptionally(failure);
            fail(failure);
            return first;
        }

        private void fail(Throwable failure) {
            end(new RedisConnectionException("the connection has broken: " + failure.getMessage(), failure));
        }

        @Override
        public void cancel() {
            super.cancel();
            end(new RedisConnectionException("the connection has broken"));
        }

        /** Ends the command before its reply. If Lettuce has not written it yet, it is not sent. */
        private void giveUp(String why) {
            end(new RedisConnectionException(why));
            super.cancel();
        }

        private void end(Object with) {
            if (end.compareAndSet(null, with)) {
                missing.countDown();
            }
        }

        private Object reply() {
            Object with = end.get();
            if (with instanceof RuntimeException failure) {
                return failure;
            }
            String error = getOutput().getError();
            if (error != null) {
                return new ErrorReply(error, new RedisCommandExecutionException(error));
            }
            Object reply = getOutput().get();
            return reply == null ? List.of() : reply;
        }
    }
}

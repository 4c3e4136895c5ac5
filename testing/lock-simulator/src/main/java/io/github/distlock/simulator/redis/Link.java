package io.github.distlock.simulator.redis;

import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.simulator.Connection;
import io.github.distlock.simulator.World;
import io.github.distlock.spi.Deadline;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One connection, which many threads use at once. It ends when it breaks, and when the server has answered nothing for
 * some time while a command was under way. Commands that were sent before may still arrive, as over a TCP connection
 * that is closed.
 */
final class Link {
    private static final long LONGEST_SILENCE_NANOS = 250_000_000;
    private static final long LONGEST_OPENING_NANOS = 1_000_000_000;

    private final RedisNode node;
    private final World world;
    private final Connection connection;
    private final CountDownLatch opened = new CountDownLatch(1);
    private final long begunAt;
    private final Set<Exchange> underWay = new LinkedHashSet<>();
    /** When the server has answered last, or when the first command was sent after that. */
    private long quietSince;

    private boolean isOpen;
    private @Nullable String endedBecause;

    Link(RedisNode node, String client, World world) {
        this.node = node;
        this.world = world;
        this.begunAt = world.nanoTime();
        this.quietSince = begunAt;
        this.connection = node.connect(client, this::opened, () -> failed("the connection has broken"));
    }

    private void opened() {
        isOpen = true;
        opened.countDown();
    }

    boolean isUsable() {
        return endedBecause == null && (isOpen || world.nanoTime() - begunAt <= LONGEST_OPENING_NANOS);
    }

    void awaitOpened(Deadline deadline) throws InterruptedException {
        boolean inTime = opened.await(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
        if (endedBecause != null) {
            throw new IllegalStateException(endedBecause);
        }
        if (!inTime) {
            throw new IllegalStateException("not connected in time");
        }
    }

    /** Sends commands one after the other, and waits for their replies. */
    Exchange exchange(List<List<byte[]>> commands, Deadline deadline, boolean asking) throws InterruptedException {
        Exchange exchange = new Exchange(commands.size());
        if (underWay.isEmpty()) {
            quietSince = world.nanoTime();
        }
        underWay.add(exchange);
        for (int i = 0; i < commands.size(); i++) {
            int index = i;
            node.send(connection, commands.get(i), asking, reply -> exchange.answered(index, reply));
        }
        try {
            exchange.await(deadline);
        } finally {
            boolean isSilent = world.nanoTime() - quietSince >= LONGEST_SILENCE_NANOS;
            if (underWay.remove(exchange) && isSilent) {
                end("the server is silent");
            }
        }
        return exchange;
    }

    /** Ends the link, and fails what is under way. Does not block. */
    void end(String why) {
        if (endedBecause == null) {
            failed(why);
            if (world.random().nextBoolean()) {
                connection.closeByClient();
            } else {
                connection.toServer(connection::closeByClient);
            }
        }
    }

    private void failed(String why) {
        if (endedBecause == null) {
            endedBecause = why;
            opened.countDown();
            List<Exchange> failed = List.copyOf(underWay);
            underWay.clear();
            failed.forEach(exchange -> exchange.fail(why));
        }
    }

    /** Commands under way, and their replies. */
    final class Exchange {
        private final Object[] replies;
        private final CountDownLatch missing;
        private boolean isBroken;
        private long answeredAt = Long.MIN_VALUE;

        private Exchange(int size) {
            replies = new Object[size];
            Arrays.fill(replies, new IllegalStateException("the server has not answered in time"));
            missing = new CountDownLatch(size);
        }

        private void answered(int index, @Nullable Object reply) {
            if (endedBecause != null) {
                return;
            }
            quietSince = world.nanoTime();
            replies[index] = reply instanceof RedisError error
                    ? new ErrorReply(error.words(), error)
                    : reply == null ? List.of() : reply;
            missing.countDown();
            if (missing.getCount() == 0) {
                underWay.remove(this);
                answeredAt = quietSince;
            }
            if (reply instanceof RedisError error && ErrorReply.isOfAnotherServer(error.words())) {
                end("another server keeps the locks");
            }
        }

        private void fail(String why) {
            isBroken = true;
            for (int i = 0; i < replies.length; i++) {
                if (replies[i] instanceof IllegalStateException) {
                    replies[i] = new IllegalStateException(why);
                }
            }
            while (missing.getCount() > 0) {
                missing.countDown();
            }
        }

        private void await(Deadline deadline) throws InterruptedException {
            boolean unused = missing.await(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
        }

        /** Returns whether the connection has broken before all replies were there. */
        boolean isBroken() {
            return isBroken;
        }

        /** Returns when the last reply has arrived, or {@link Long#MIN_VALUE} if not all have. */
        long answeredAt() {
            return answeredAt;
        }

        /** Returns a reply or an exception for each command. */
        List<Object> replies() {
            return new ArrayList<>(Arrays.asList(replies));
        }
    }
}

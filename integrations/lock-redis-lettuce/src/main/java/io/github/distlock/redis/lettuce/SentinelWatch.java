package io.github.distlock.redis.lettuce;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.github.distlock.spi.Deadline;
import io.lettuce.core.RedisClient;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.sentinel.api.StatefulRedisSentinelConnection;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;

/**
 * Asks a sentinel which primaries it knows, every half a second. A former primary that is alive serves its clients for
 * another ten seconds after a failover, until the sentinels make it a replica. What it grants meanwhile is lost. So its
 * connections are closed as soon as a sentinel names another server in its place.
 *
 * <p>The client does not say which primary it leads to. An address counts as that of a former primary if a sentinel has
 * named it, and has later named another one with a greater epoch. A sentinel that lags has a smaller epoch, and changes
 * nothing.
 *
 * <p>Nothing depends on this thread: connections that break, silence and {@code READONLY} lead to the new primary, too.
 */
final class SentinelWatch implements Runnable {
    private static final Duration PAUSE = Duration.ofMillis(500);
    private static final Duration LONGEST = Duration.ofSeconds(1);

    private final RedisClient client;
    private final Consumer<Set<String>> leave;
    private final Map<String, Named> primaries = new HashMap<>();
    private final Set<String> former = new HashSet<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final CountDownLatch over = new CountDownLatch(1);

    /** What a sentinel has named last. */
    private record Named(long epoch, String address) {}

    /**
     * Asks nothing yet.
     *
     * @param leave takes the addresses of former primaries after each answer; must not block
     */
    SentinelWatch(RedisClient client, Consumer<Set<String>> leave) {
        this.client = client;
        this.leave = leave;
    }

    /**
     * Ends {@link #run} and its connection soon. While the client connects to a silent sentinel, this is when the
     * client returns.
     */
    void end() {
        ended.countDown();
    }

    /** Waits for the end of {@link #run}. */
    void awaitEnd(Deadline soon) {
        try {
            var unused = over.await(soon.remainingNanos(), NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void run() {
        try {
            do {
                try (var sentinel = client.connectSentinel(ByteArrayCodec.INSTANCE)) {
                    do {
                        ask(sentinel);
                    } while (!ended.await(PAUSE.toNanos(), NANOSECONDS));
                } catch (RuntimeException e) {
                    // The next round asks again, over another connection.
                }
            } while (!ended.await(PAUSE.toNanos(), NANOSECONDS));
        } catch (InterruptedException e) {
            // Nobody interrupts this thread.
        } finally {
            over.countDown();
        }
    }

    private void ask(StatefulRedisSentinelConnection<byte[], byte[]> sentinel) throws InterruptedException {
        BlockingQueue<List<Map<byte[], byte[]>>> answers = new LinkedBlockingQueue<>();
        var unused = sentinel.async()
                .masters()
                .whenComplete((masters, failure) -> answers.add(failure == null ? masters : List.of()));
        List<Map<byte[], byte[]>> masters = answers.poll(LONGEST.toNanos(), NANOSECONDS);
        if (masters == null || masters.isEmpty()) {
            throw new IllegalStateException("the sentinel has not answered");
        }
        masters.forEach(this::learn);
        leave.accept(former);
    }

    private void learn(Map<byte[], byte[]> master) {
        Map<String, String> fields = new HashMap<>();
        master.forEach((field, value) -> fields.put(new String(field, UTF_8), new String(value, UTF_8)));
        Named now = new Named(
                Long.parseLong(fields.getOrDefault("config-epoch", "0")), fields.get("ip") + ":" + fields.get("port"));
        String name = fields.getOrDefault("name", "");
        Named known = primaries.get(name);
        if (known == null || now.epoch > known.epoch) {
            primaries.put(name, now);
            if (known != null) {
                former.add(known.address);
            }
            former.remove(now.address);
        }
    }
}

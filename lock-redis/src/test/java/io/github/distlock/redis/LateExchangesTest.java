package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.Connection;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** Checks the thread that resets late exchanges. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LateExchangesTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int LOOKS_WITHOUT_EXCHANGE = 20;

    private final String client = UUID.randomUUID().toString();
    private final RecordingContext engine = new RecordingContext(client);
    private final Clock clock = new Clock(new AtomicLong(), new AtomicInteger());
    private final LateExchanges late = new LateExchanges(TestNodes.context(clock, engine));
    private final CountDownLatch end = new CountDownLatch(1);

    @AfterEach
    void close() {
        end.countDown();
        late.close();
    }

    /** A clock that stands still until a test puts it forward. It counts the looks of the thread. */
    private record Clock(AtomicLong nanos, AtomicInteger looks) implements LockClock {
        @Override
        public long nanoTime() {
            if (Thread.currentThread().getName().endsWith("-deadlines")) {
                looks.incrementAndGet();
            }
            return nanos.get();
        }

        @Override
        public long wallMillis() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Parker parker() {
            throw new UnsupportedOperationException();
        }
    }

    /** A connection whose exchanges last until they are reset or the test ends them. */
    private final class Silent extends BoundedConnection {
        private final AtomicInteger resets = new AtomicInteger();

        private Silent() {
            super(
                    new Connection(() -> {
                        throw new JedisConnectionException("there is no server");
                    }),
                    late);
            late.add(this);
        }

        @Override
        void limitReads(Deadline deadline, boolean watched) {}

        @Override
        boolean isReset() {
            return resets.get() > 0;
        }

        @Override
        void reset() {
            resets.incrementAndGet();
        }
    }

    private FutureTask<String> exchanging(Silent connection) {
        Deadline deadline = Deadline.after(Duration.ofSeconds(1), clock);
        FutureTask<String> exchange = new FutureTask<>(() -> connection.exchange(
                jedis -> {
                    Waiting.await(
                            "it is reset, or has ended",
                            PATIENCE.multipliedBy(2),
                            () -> connection.isReset() || end.getCount() == 0);
                    if (connection.isReset()) {
                        throw new JedisConnectionException("the connection was reset");
                    }
                    return "reply";
                },
                deadline));
        new Thread(exchange).start();
        Waiting.await("the thread looks at the exchange", PATIENCE, () -> clock.looks.get() > 0);
        return exchange;
    }

    private long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("distlock-" + client + "-deadlines"))
                .count();
    }

    @Test
    void v4_theThreadWatchesAnExchangeForAsLongAsItLasts() {
        Silent connection = new Silent();
        long begin = System.nanoTime();
        FutureTask<String> exchange = exchanging(connection);
        var other = new Silent();

        Waiting.await(
                "it looks more often than without an exchange",
                PATIENCE,
                () -> clock.looks.get() > LOOKS_WITHOUT_EXCHANGE + 5);

        assertThat(Duration.ofNanos(System.nanoTime() - begin))
                .as("it looks every 50 ms")
                .isGreaterThan(Duration.ofMillis(600));
        assertFalse(connection.isReset());
        clock.nanos.addAndGet(Duration.ofSeconds(1).toNanos());
        assertThatThrownBy(() -> exchange.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .cause()
                .hasMessage("the server has not answered in time");
        assertTrue(connection.isReset());
        assertFalse(other.isReset());
    }

    @Test
    void v6_theThreadWaitsForTheNextExchangeBeforeItEnds() throws Exception {
        FutureTask<String> exchange = exchanging(new Silent());
        long begin = System.nanoTime();
        end.countDown();
        assertEquals("reply", exchange.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));

        Waiting.await("it ends", PATIENCE, () -> threads() == 0);

        // It waits for a second, of which a look may have taken a part before.
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(Duration.ofMillis(500));
    }

    @Test
    void v4_anExchangeIsWatchedUnlessTheThreadCannotBeStarted() {
        engine.refuseThreads(role -> true);
        assertFalse(late.watch());
        engine.refuseThreads(role -> false);

        assertTrue(late.watch());
        assertTrue(late.watch());
    }
}

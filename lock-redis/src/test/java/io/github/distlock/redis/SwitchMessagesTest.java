package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.spi.LockClock;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;

/** Checks the thread that listens to a sentinel. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SwitchMessagesTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final CountDownLatch end = new CountDownLatch(1);
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        end.countDown();
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    private ScriptedServer serve(ScriptedServer.Behavior behavior) {
        ScriptedServer server = ScriptedServer.answering(behavior);
        opened.add(server);
        return server;
    }

    private SwitchMessages listening(ScriptedServer sentinel, Runnable subscribed) {
        RedisContext context = TestNodes.context(LockClock.system(), new RecordingContext("listening"));
        SwitchMessages messages = new SwitchMessages(
                List.of(HostAndPort.from(sentinel.address())),
                DefaultJedisClientConfig.builder().build(),
                message -> {},
                subscribed,
                TestNodes.shared(context, ServerConnection.Check.ALIVE, ReplicaPolicy.NONE));
        opened.add(0, messages::close);
        return messages;
    }

    @Test
    void v6_aRefusedSubscriptionIsReportedOnceAndTriedAgainAfterLongerPauses() throws InterruptedException {
        List<Long> tries = new CopyOnWriteArrayList<>();
        ScriptedServer sentinel = serve((client, command) -> {
            if (command.get(0).equals("SUBSCRIBE")) {
                tries.add(System.nanoTime());
                client.send("-NOPERM no permissions to access a channel\r\n");
            } else {
                client.succeed(command);
            }
        });
        SwitchMessages messages = listening(sentinel, () -> {});

        List<String> first = BackendWarnings.during(sentinel.address(), () -> {
            messages.need();
            Waiting.await("it has tried again", PATIENCE, () -> tries.size() >= 2);
        });
        List<String> later = BackendWarnings.during(
                sentinel.address(),
                () -> Waiting.await("it has tried a third time", PATIENCE, () -> tries.size() >= 3));

        assertThat(first).singleElement().asString().contains("refuses the subscription to +switch-master");
        assertThat(later).isEmpty();
        // The pauses are 250 and 500 ms.
        assertThat(Duration.ofNanos(tries.get(2) - tries.get(0))).isGreaterThan(Duration.ofMillis(700));
        Waiting.await("the connections of failures are closed", PATIENCE, () -> sentinel.ended() >= 2);
    }

    /** Listens, with a thread that does not end before the test does. */
    private SwitchMessages listeningWithAThreadThatStays() throws InterruptedException {
        CountDownLatch subscribed = new CountDownLatch(1);
        ScriptedServer sentinel = serve((client, command) -> {
            if (command.get(0).equals("SUBSCRIBE")) {
                client.send("*3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n");
            } else {
                client.succeed(command);
            }
        });
        SwitchMessages messages = listening(sentinel, () -> {
            subscribed.countDown();
            awaitEnd();
        });
        messages.need();
        assertTrue(subscribed.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        return messages;
    }

    private void awaitEnd() {
        try {
            var unused = end.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void v5_theEndOfTheThreadIsAwaitedForAQuarterOfASecond() throws InterruptedException {
        SwitchMessages messages = listeningWithAThreadThatStays();
        long begin = System.nanoTime();

        messages.disconnect();

        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThanOrEqualTo(Duration.ofMillis(250));
    }

    @Test
    void v7_anInterruptWhileTheEndOfTheThreadIsAwaitedIsNotLost() throws InterruptedException {
        SwitchMessages messages = listeningWithAThreadThatStays();
        Thread.currentThread().interrupt();

        messages.disconnect();

        assertTrue(Thread.interrupted());
    }
}

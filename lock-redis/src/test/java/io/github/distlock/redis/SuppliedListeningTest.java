package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.redis.connection.Listening;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.Connection;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.util.Pool;

/** Subscriptions over a connection of a caller-supplied client. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SuppliedListeningTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration LONGEST_SILENCE = Duration.ofSeconds(5);

    private final AtomicLong time = new AtomicLong(Duration.ofHours(1).toNanos());
    private final RedisContext context =
            TestNodes.context(new TestClock(time), new RecordingContext("supplied listening"));
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final List<String> messages = new CopyOnWriteArrayList<>();
    private final AtomicInteger confirmations = new AtomicInteger();
    private final AtomicBoolean isSilent = new AtomicBoolean();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    private ScriptedServer serve(ScriptedServer.Behavior subscriptions) {
        ScriptedServer server = ScriptedServer.answering((asker, command) -> {
            switch (command.get(0)) {
                case "HELLO" -> asker.send("-ERR unknown command 'HELLO'\r\n");
                case "SUBSCRIBE", "UNSUBSCRIBE" -> subscriptions.answer(asker, command);
                default -> asker.succeed(command);
            }
        });
        opened.add(server);
        return server;
    }

    /** Serves subscriptions as a server does whose channel has one message. */
    private void confirm(ScriptedServer.Client asker, List<String> command) throws IOException {
        if (command.get(0).equals("UNSUBSCRIBE")) {
            asker.send("*3\r\n$11\r\nunsubscribe\r\n$7\r\nchannel\r\n:0\r\n");
        } else if (!isSilent.get()) {
            asker.send("*3\r\n$9\r\nsubscribe\r\n$7\r\nchannel\r\n:1\r\n");
            asker.send("*3\r\n$7\r\nmessage\r\n$7\r\nchannel\r\n$4\r\nword\r\n");
        }
    }

    /** Makes a client whose pool has one idle connection. */
    private RedisClient client(ScriptedServer server) {
        RedisClient client = RedisClient.builder()
                .hostAndPort(HostAndPort.from(server.address()))
                .clientConfig(DefaultJedisClientConfig.builder()
                        .timeoutMillis((int) PATIENCE.multipliedBy(2).toMillis())
                        .build())
                .build();
        opened.add(0, client);
        assertEquals("PONG", client.ping());
        return client;
    }

    private Listening listening(RedisClient client) {
        SuppliedClient supplied = new SuppliedClient(client, context, new Script.Settings(Publisher.SCRIPT, 3_600_000));
        opened.add(0, supplied);
        return supplied.listening("channel", messages::add, confirmations::incrementAndGet);
    }

    private FutureTask<@Nullable Void> reading(Listening listening) {
        FutureTask<@Nullable Void> reading = new FutureTask<>(() -> {
            listening.run();
            return null;
        });
        new Thread(reading).start();
        return reading;
    }

    private void awaitMessages(int count) {
        Waiting.await("it has received messages", PATIENCE, () -> messages.size() == count);
    }

    private static void awaitReturn(FutureTask<?> reading) throws Exception {
        var unused = reading.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private static long count(ScriptedServer server, String name) {
        return server.commands().stream()
                .filter(command -> command.get(0).equals(name))
                .count();
    }

    private void letPass(Duration passed) {
        time.addAndGet(passed.toNanos());
    }

    // The connection

    @Test
    void api_aConnectionReturnsToItsPoolAfterTheEndOfASubscription() throws Exception {
        ScriptedServer server = serve(this::confirm);
        RedisClient client = client(server);
        Listening listening = listening(client);
        FutureTask<@Nullable Void> reading = reading(listening);
        awaitMessages(1);

        listening.end();
        listening.end();

        awaitReturn(reading);
        Pool<Connection> pool = client.getPool();
        assertEquals(0, pool.getNumActive());
        assertEquals(0, pool.getDestroyedCount());
        assertEquals("PONG", client.ping());
        assertEquals(1, server.connections());
        assertEquals(1, count(server, "UNSUBSCRIBE"));
        assertEquals("", listening.server());
    }

    @Test
    void s1_aConnectionWhoseSubscriptionHasBrokenIsNotUsedAgain() {
        ScriptedServer server = serve((asker, command) -> {
            confirm(asker, command);
            asker.close();
        });
        RedisClient client = client(server);

        FutureTask<@Nullable Void> reading = reading(listening(client));

        assertThatThrownBy(() -> awaitReturn(reading)).hasCauseInstanceOf(JedisConnectionException.class);
        Pool<Connection> pool = client.getPool();
        Waiting.await("it is dropped", PATIENCE, () -> pool.getDestroyedCount() == 1);
        assertEquals("PONG", client.ping());
    }

    @Test
    void v2_aRefusedSubscriptionEndsWithTheWordsOfTheServer() {
        ScriptedServer server = serve((asker, command) -> asker.send("-NOPERM no permissions to access a channel\r\n"));

        RedisClient client = client(server);

        FutureTask<@Nullable Void> reading = reading(listening(client));

        assertThatThrownBy(() -> awaitReturn(reading))
                .cause()
                .isInstanceOf(ErrorReply.class)
                .hasMessage("NOPERM no permissions to access a channel");
        assertEquals(1, client.getPool().getDestroyedCount());
    }

    // Messages

    @Test
    void v2_aSubscriptionIsConfirmedOnceAndReadsUntilItsEnd() throws Exception {
        ScriptedServer server = serve(this::confirm);
        Listening listening = listening(client(server));
        FutureTask<@Nullable Void> reading = reading(listening);
        awaitMessages(1);

        listening.askForSignOfLife();

        awaitMessages(2);
        assertEquals(1, confirmations.get());
        assertThat(messages).containsOnly("word");
        assertFalse(reading.isDone());
        listening.end();
        awaitReturn(reading);
        listening.askForSignOfLife();
        assertEquals(2, count(server, "SUBSCRIBE"), "nothing is written after the end");
    }

    @Test
    void v2_aSubscriptionThatHasEndedBeforeItsConfirmationIsNotConfirmed() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        ScriptedServer server = serve((asker, command) -> {
            await(ended);
            confirm(asker, command);
        });
        Listening listening = listening(client(server));
        FutureTask<@Nullable Void> reading = reading(listening);
        Waiting.await("it subscribes", PATIENCE, () -> count(server, "SUBSCRIBE") == 1);

        listening.askForSignOfLife();
        listening.end();
        ended.countDown();

        awaitReturn(reading);
        assertEquals(0, confirmations.get());
        assertEquals(1, count(server, "SUBSCRIBE"), "it asks for no sign of life before the confirmation");
        assertEquals(1, count(server, "UNSUBSCRIBE"));
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void v2_aMessageThatFailsDoesNotEndTheSubscription() throws Exception {
        ScriptedServer server = serve(this::confirm);
        SuppliedClient supplied =
                new SuppliedClient(client(server), context, new Script.Settings(Publisher.SCRIPT, 3_600_000));
        opened.add(0, supplied);
        AtomicInteger received = new AtomicInteger();
        Listening listening = supplied.listening(
                "channel",
                message -> {
                    received.incrementAndGet();
                    throw new IllegalStateException("this test lets a message fail");
                },
                () -> {});

        List<String> warnings = BackendWarnings.during("a message to channel has failed", () -> {
            FutureTask<@Nullable Void> reading = reading(listening);
            Waiting.await("it has received a message", PATIENCE, () -> received.get() == 1);
            listening.askForSignOfLife();
            Waiting.await("it has received another one", PATIENCE, () -> received.get() == 2);
            listening.end();
            Waiting.await("it has ended", PATIENCE, reading::isDone);
        });

        assertThat(warnings).hasSize(2);
    }

    // Silence

    /** Subscribes to a server that says nothing more. */
    private Listening listeningToASilentServer() {
        ScriptedServer server = serve(this::confirm);
        Listening listening = listening(client(server));
        var unused = reading(listening);
        awaitMessages(1);
        isSilent.set(true);
        opened.add(0, listening::end);
        return listening;
    }

    @Test
    void v2_aServerThatDoesNotAnswerForFiveSecondsIsSilent() {
        Listening listening = listeningToASilentServer();
        letPass(Duration.ofSeconds(4));
        listening.askForSignOfLife();

        letPass(Duration.ofSeconds(1));
        assertFalse(listening.isSilent());
        letPass(Duration.ofNanos(1));
        assertTrue(listening.isSilent());
        letPass(Duration.ofSeconds(4).minusNanos(1));
        assertTrue(listening.isSilent());
        letPass(Duration.ofNanos(1));
        assertFalse(listening.isSilent(), "it was not asked for more than five seconds");
    }

    @Test
    void v2_aServerThatWasNotAskedForFiveSecondsIsNotSilentAtOnce() {
        Listening listening = listeningToASilentServer();
        letPass(LONGEST_SILENCE.plusNanos(1));

        listening.askForSignOfLife();

        letPass(LONGEST_SILENCE);
        assertFalse(listening.isSilent());
    }

    @Test
    void v2_aServerThatWasAskedFiveSecondsBeforeMustHaveAnswered() {
        Listening listening = listeningToASilentServer();
        letPass(LONGEST_SILENCE);

        listening.askForSignOfLife();

        letPass(Duration.ofNanos(1));
        assertTrue(listening.isSilent());
    }
}

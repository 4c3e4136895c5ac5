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
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisException;

/** Checks when inquiries begin and end. Their clock stands still, so no question to a silent server ends by itself. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class InquiriesTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int THREADS = 8;
    private static final int QUEUED = 64;

    private final String client = UUID.randomUUID().toString();
    private final RecordingContext engine = new RecordingContext(client);
    private final AtomicLong time = new AtomicLong(Duration.ofHours(1).toNanos());
    private final RedisContext context = TestNodes.context(new TestClock(time), engine);
    private final CountDownLatch end = new CountDownLatch(1);
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final ScriptedServer silent = keep(new ScriptedServer(asker -> await(end)));
    private final ScriptedServer answering = keep(ScriptedServer.answering(ScriptedServer.Client::succeed));
    private final AtomicInteger found = new AtomicInteger();

    @AfterEach
    void close() throws Exception {
        end.countDown();
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    private <T extends AutoCloseable> T keep(T each) {
        opened.add(0, each);
        return each;
    }

    private static void await(CountDownLatch latch) {
        try {
            var unused = latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static HostAndPort address(ScriptedServer server) {
        return HostAndPort.from(server.address());
    }

    /** Makes inquiries whose questions have the same answer, as soon as there is a connection. */
    private Inquiries<String> asking(HostAndPort... servers) {
        return asking(server -> connection -> new Inquiries.Answer<>(1, "answer"), List.of(servers));
    }

    private Inquiries<String> asking(Inquiries.Question<String> question, List<HostAndPort> servers) {
        return asking(question, servers, (answer, begunAt, isOfAll) -> found.incrementAndGet());
    }

    private Inquiries<String> asking(
            Inquiries.Question<String> question, List<HostAndPort> servers, Inquiries.Found<String> taken) {
        Inquiries<String> inquiries = new Inquiries<>(
                question,
                () -> servers,
                DefaultJedisClientConfig.builder().build(),
                taken,
                new LateExchanges(context),
                context);
        keep(inquiries::close);
        return inquiries;
    }

    /** Makes inquiries that need all threads, and do not end. */
    private Inquiries<String> askingWithAllThreads() {
        return asking(Collections.nCopies(THREADS, address(silent)).toArray(HostAndPort[]::new));
    }

    private void letPass(Duration passed) {
        time.addAndGet(passed.toNanos());
    }

    private static Deadline deadline() {
        return Deadline.after(PATIENCE, LockClock.system());
    }

    private static Deadline passed() {
        return Deadline.after(Duration.ZERO, LockClock.system());
    }

    private static boolean hasAnswer(Inquiries<String>.Inquiry inquiry, Deadline until) {
        try {
            inquiry.await(until);
            return true;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        } catch (JedisException e) {
            return false;
        }
    }

    private FutureTask<@Nullable Void> awaiting(Inquiries<String>.Inquiry inquiry, Deadline until) {
        return new FutureTask<>(() -> {
            inquiry.await(until);
            return null;
        });
    }

    // The begin

    @Test
    void v8_anInquiryThatIsUnderWayIsShared() {
        Inquiries<String> inquiries = asking(address(silent));
        assertTrue(inquiries.tryBegin());

        letPass(Duration.ofMillis(100));

        assertFalse(inquiries.tryBegin());
    }

    @Test
    void v8_noInquiryBeginsWithin100MillisecondsAfterAnotherOne() throws InterruptedException {
        Inquiries<String> inquiries = asking(address(answering));
        inquiries.begin().await(deadline());

        letPass(Duration.ofMillis(100).minusNanos(1));
        assertFalse(inquiries.tryBegin());
        letPass(Duration.ofNanos(1));
        assertTrue(inquiries.tryBegin());
    }

    @Test
    void v8_anInquiryAlthoughAnotherOneMayBeUnderWayIsSharedToo() {
        Inquiries<String> inquiries = asking(address(silent));

        inquiries.beginAnother();

        assertFalse(inquiries.tryBegin());
    }

    /** At most eight servers are asked at once: other ones each time. */
    @Test
    void v2_eachOfManyServersIsAskedSoonerOrLater() throws Exception {
        try (Socket bound = bound()) {
            List<HostAndPort> servers = new ArrayList<>(Collections.nCopies(THREADS, address(bound)));
            servers.add(address(answering));
            Inquiries<String> inquiries = asking(servers.toArray(HostAndPort[]::new));

            Waiting.await("the last server has answered", PATIENCE, () -> {
                letPass(Duration.ofMillis(100));
                return hasAnswer(inquiries.begin(), deadline());
            });
        }
    }

    /** Binds a port at which nobody listens. Nobody else gets the port. */
    private static Socket bound() throws IOException {
        Socket bound = new Socket();
        bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        return bound;
    }

    private static HostAndPort address(Socket bound) {
        return new HostAndPort(bound.getLocalAddress().getHostAddress(), bound.getLocalPort());
    }

    // The end

    @Test
    void v4_aQuestionThatFailsInAnyWayHasEnded() {
        HostAndPort server = address(answering);
        Inquiries<String> inquiries = asking(
                asked -> connection -> {
                    throw new IllegalStateException("the answer cannot be read");
                },
                List.of(server));

        assertThatThrownBy(() -> inquiries.begin().await(deadline())).hasMessageContaining(server + " cannot be asked");
    }

    @Test
    void v4_aQuestionThatFindsNoThreadIsNotAsked() {
        Inquiries<String> inquiries = askingWithAllThreads();
        for (int questions = 0; questions <= THREADS + QUEUED; questions += THREADS) {
            inquiries.beginAnother();
        }

        assertThatThrownBy(() -> inquiries.begin().await(deadline()))
                .isInstanceOf(JedisConnectionException.class)
                .hasMessageContaining("no thread asks " + silent.address());
    }

    @Test
    void s1_anAnswerIsThatOfAllServersIfNoneHasFailed() throws Exception {
        List<Boolean> areOfAll = new CopyOnWriteArrayList<>();
        Inquiries.Question<String> question = server -> connection -> new Inquiries.Answer<>(1, "answer");
        Inquiries.Found<String> taken = (answer, begunAt, isOfAll) -> areOfAll.add(isOfAll);

        asking(question, List.of(address(answering)), taken).begin().await(deadline());
        try (Socket bound = bound()) {
            asking(question, List.of(address(answering), address(bound)), taken)
                    .begin()
                    .await(deadline());
        }

        assertThat(areOfAll).containsExactly(true, false);
    }

    @Test
    void v4_anAnswerThatHasComeIsAppliedAtTheDeadlineOfACaller() {
        Inquiries<String> inquiries = asking(address(answering), address(silent));
        Inquiries<String>.Inquiry inquiry = inquiries.begin();

        Waiting.await("a server has answered", PATIENCE, () -> hasAnswer(inquiry, passed()));

        assertEquals(1, found.get());
    }

    @Test
    void v4_aCallerGoesOnAfterTheAnswerWasApplied() throws Exception {
        CountDownLatch applying = new CountDownLatch(1);
        CountDownLatch applied = new CountDownLatch(1);
        Inquiries<String> inquiries = asking(
                server -> connection -> new Inquiries.Answer<>(1, "answer"),
                List.of(address(answering)),
                (answer, begunAt, isOfAll) -> {
                    applying.countDown();
                    await(applied);
                });
        FutureTask<@Nullable Void> waiting = awaiting(inquiries.begin(), passed());
        await(applying);

        Thread caller = new Thread(waiting);
        caller.start();

        Waiting.await(
                "the caller waits",
                PATIENCE,
                () -> caller.getState() == Thread.State.WAITING || caller.getState() == Thread.State.TERMINATED);
        assertFalse(waiting.isDone());
        applied.countDown();
        waiting.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    @Test
    void api_theFailureOfARequestTellsWhyNoServerWasFound() throws InterruptedException {
        Inquiries<String> inquiries = asking(
                asked -> connection -> {
                    throw new JedisException("nothing is known");
                },
                List.of(address(answering)));
        JedisException failure = new JedisException("the request has failed");

        inquiries.askAfter(failure, deadline());

        assertThat(failure.getSuppressed()).singleElement().asString().contains("nothing is known");
    }

    // Disconnecting and closing

    @Test
    void v5_disconnectingEndsTheInquiriesUnderWay() {
        Inquiries<String> inquiries = askingWithAllThreads();
        inquiries.beginAnother();
        Waiting.await("all threads ask", PATIENCE, () -> silent.connections() == THREADS);
        inquiries.beginAnother();
        FutureTask<@Nullable Void> waiting =
                awaiting(inquiries.begin(), Deadline.after(PATIENCE.multipliedBy(2), LockClock.system()));
        new Thread(waiting).start();

        inquiries.disconnect();

        assertThatThrownBy(() -> waiting.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .hasCauseInstanceOf(JedisConnectionException.class);
        Waiting.await("no thread is left", PATIENCE, () -> threads() == 0);
        assertEquals(THREADS, silent.connections(), "what waited for a thread is not asked");
    }

    private long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("distlock-" + client + "-redis"))
                .count();
    }

    @Test
    void v5_closingEndsTheQuestionsUnderWay() {
        Inquiries<String> inquiries = asking(address(silent));
        inquiries.beginAnother();
        Waiting.await("the server is asked", PATIENCE, () -> silent.connections() == 1);

        inquiries.close();

        Waiting.await("no thread is left", PATIENCE, () -> threads() == 0);
    }

    @Test
    void v5_nothingIsAskedAfterTheEnd() {
        Inquiries<String> inquiries = asking(address(answering));
        inquiries.close();

        assertThatThrownBy(() -> inquiries.begin().await(deadline())).hasMessageContaining(OwnConnections.CLOSED);
    }
}

package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** When a server of a quorum counts as silent, and what is sent to it then. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class QuorumServerTest {
    private static final Duration SILENCE = Duration.ofMillis(250);
    private static final Duration REQUEST = Duration.ofSeconds(4);
    private static final List<?> ANSWER = List.of(1L);

    private final AtomicLong time = new AtomicLong(Duration.ofHours(1).toNanos());
    private final RedisContext context = new RedisContext(new TestClock(time), replaced -> {});
    private final RecordingContext engine = new RecordingContext("test");
    private final ScriptedRedis redis = new ScriptedRedis();
    private final QuorumServer server = new QuorumServer("host:1", redis, 3, context);

    @BeforeEach
    void start() {
        context.start(engine);
    }

    @AfterEach
    void close() {
        server.endRequests();
    }

    private void letPass(Duration passed) {
        time.addAndGet(passed.toNanos());
    }

    private Deadline deadline() {
        return Deadline.after(REQUEST, context.clock);
    }

    private static ScriptCall request() {
        return new ScriptCall(Script.RENEW, "lock", List.of(), "value");
    }

    /** Sends a request, and waits until it is under way. */
    private CompletableFuture<List<?>> send() throws InterruptedException {
        CompletableFuture<List<?>> answer = server.call(request(), deadline());
        assertThat(redis.sent.poll(10, TimeUnit.SECONDS)).isNotNull();
        return answer;
    }

    private void end(Object end) throws InterruptedException {
        assertThat(redis.ends.offer(end, 10, TimeUnit.SECONDS)).isTrue();
    }

    @CanIgnoreReturnValue
    private static <T> T get(CompletableFuture<T> answer) throws Exception {
        return answer.get(10, TimeUnit.SECONDS);
    }

    @Test
    void v8_aServerIsSilentIfItLeavesARequestWithoutAnAnswerForLong() throws Exception {
        assertThat(server.isSilent()).isFalse();
        CompletableFuture<List<?>> first = send();
        letPass(SILENCE.dividedBy(2));
        CompletableFuture<List<?>> second = send();
        letPass(SILENCE.dividedBy(2));
        assertThat(server.isSilent()).isFalse();

        letPass(Duration.ofNanos(1));
        assertThat(server.isSilent()).isTrue();

        end(ANSWER);
        assertThat(get(CompletableFuture.anyOf(first, second))).isEqualTo(ANSWER);
        assertThat(server.isSilent()).isFalse();
        end(ANSWER);
        assertThat(get(first)).isEqualTo(get(second));
    }

    static List<RuntimeException> errorsOfTheServer() {
        return List.of(new ErrorReply("ERR", null), new RequestRefusedException("no rights", null));
    }

    @ParameterizedTest
    @MethodSource("errorsOfTheServer")
    void v8_anErrorThatTheServerAnswersEndsItsSilence(RuntimeException error) throws Exception {
        CompletableFuture<List<?>> answer = send();
        letPass(SILENCE.multipliedBy(2));

        end(error);

        assertThatThrownBy(() -> get(answer)).hasCause(error);
        assertThat(server.isSilent()).isFalse();
    }

    @Test
    void v8_aBrokenConnectionIsNoAnswer() throws Exception {
        CompletableFuture<List<?>> answer = send();
        letPass(SILENCE.multipliedBy(2));
        IllegalStateException broken = new IllegalStateException("broken");

        end(broken);

        assertThatThrownBy(() -> get(answer)).hasCause(broken);
        assertThat(server.isSilent()).isTrue();
    }

    @Test
    void v8_oneRequestAtATimeGoesToASilentServerAndLateOnesDoNot() throws Exception {
        CompletableFuture<List<?>> first = send();
        letPass(SILENCE.multipliedBy(2));
        CompletableFuture<List<?>> second = send();
        engine.refuseThreads(role -> true);
        CompletableFuture<List<?>> early = server.call(request(), deadline());
        CompletableFuture<List<?>> late = server.call(request(), deadline());
        assertThat(List.of(early, late))
                .as("they wait, and need no other thread")
                .noneMatch(CompletableFuture::isDone);
        letPass(REQUEST.dividedBy(2));

        end(new IllegalStateException("broken"));
        end(new IllegalStateException("broken"));

        assertThatThrownBy(() -> get(first)).isNotNull();
        assertThatThrownBy(() -> get(second)).isNotNull();
        assertThat(redis.sent.poll(10, TimeUnit.SECONDS))
                .as("half of its time is left")
                .isNotNull();
        letPass(Duration.ofNanos(1));
        end(new IllegalStateException("broken"));
        assertThatThrownBy(() -> get(early)).hasMessageContaining("broken");
        assertThatThrownBy(() -> get(late)).hasMessageContaining("not sent in time");
    }

    @Test
    void v4_aRequestWhoseTimeIsOverIsNotSent() {
        CompletableFuture<List<?>> answer = server.call(request(), Deadline.after(Duration.ZERO, context.clock));

        assertThatThrownBy(() -> get(answer)).hasMessageContaining("not sent in time");
        assertThat(redis.sent).isEmpty();
    }

    @Test
    void v8_renewalsHaveThreadsThatNoOtherRequestUses() throws Exception {
        List<CompletableFuture<List<?>>> requests = List.of(send(), send(), send());
        engine.refuseThreads(role -> true);
        CompletableFuture<List<?>> waiting = server.call(request(), deadline());
        assertThat(waiting).as("it waits, and needs no other thread").isNotDone();
        engine.refuseThreads(role -> false);
        ScriptCall renewing = request();

        CompletableFuture<List<Object>> renewal = server.callAll(List.of(renewing), deadline());

        assertThat(redis.sent.poll(10, TimeUnit.SECONDS)).isSameAs(renewing);
        for (int i = 0; i < 5; i++) {
            end(ANSWER);
        }
        assertThat(get(renewal)).isEqualTo(List.of(ANSWER));
        for (CompletableFuture<List<?>> each : requests) {
            get(each);
        }
        get(waiting);
    }

    @Test
    void v5_aClosedServerTakesNoRequestsAndEndsThoseItHasTaken() throws Exception {
        CompletableFuture<List<?>> taken = send();

        server.endRequests();

        assertThatThrownBy(() -> get(server.call(request(), deadline()))).hasMessageContaining(OwnConnections.CLOSED);
        assertThatThrownBy(() -> get(server.callAll(List.of(request()), deadline())))
                .hasMessageContaining(OwnConnections.CLOSED);
        letPass(SILENCE.multipliedBy(2));
        assertThatThrownBy(() -> get(server.call(request(), deadline()))).hasMessageContaining(OwnConnections.CLOSED);
        end(ANSWER);
        assertThat(get(taken)).isEqualTo(ANSWER);
        assertThat(redis.closed).isFalse();
        server.close(deadline());
        assertThat(redis.closed).isTrue();
    }

    @Test
    void v7_anInterruptWhileAServerIsClosedIsKept() throws Exception {
        CompletableFuture<List<?>> taken = send();
        server.endRequests();
        Thread.currentThread().interrupt();

        server.close(deadline());

        assertThat(Thread.interrupted()).isTrue();
        assertThat(redis.closed).isTrue();
        end(ANSWER);
        get(taken);
    }

    @Test
    void v5_withoutAThreadARequestFailsAtOnce() {
        engine.refuseThreads(role -> true);

        CompletableFuture<List<?>> answer = server.call(request(), deadline());

        assertThatThrownBy(() -> get(answer)).hasMessageContaining("no thread sends the request");
        assertThat(redis.sent).isEmpty();
    }

    @Test
    void v3_aServerTellsItsTimeForAMinute() {
        assertThat(server.time()).isZero();

        server.noteTime(1_000_000);
        letPass(Duration.ofSeconds(60));
        assertThat(server.time()).isEqualTo(61_000_000);

        letPass(Duration.ofNanos(1));
        assertThat(server.time()).isZero();
    }

    @Test
    void api_aServerIsDisconnectedWithItsConnections() {
        server.disconnect();

        assertThat(redis.disconnected).isTrue();
    }
}

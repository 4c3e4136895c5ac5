package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.spi.Deadline;
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

/** What may be left of a vote on its server, and what removes it. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class VoteTest {
    private static final List<Object> GRANTED = List.of(1L, 5L, 7L);
    private static final List<Object> REFUSED = List.of(0L);
    private static final List<Object> ENDED = List.of();

    private final RedisContext context = new RedisContext(new TestClock(new AtomicLong()), replaced -> {});
    private final RecordingContext engine = new RecordingContext("test");
    private final ScriptedRedis redis = new ScriptedRedis();
    private final QuorumServer server = new QuorumServer("host:1", redis, 2, context);
    private final LockKeys keys = LockKeys.of("lock", name -> "distlock:" + name, "distlock:");
    private final ScriptCall request = new ScriptCall(Script.VOTE, keys, "value");

    @BeforeEach
    void start() {
        context.start(engine);
    }

    @AfterEach
    void close() {
        server.endRequests();
    }

    private Vote ask() {
        return Vote.ask(
                server, keys, "value", request, Deadline.after(Duration.ofSeconds(4), context.clock), context.clock);
    }

    /** Waits for the next request, and has it end. */
    @CanIgnoreReturnValue
    private Script endNext(Object end) throws InterruptedException {
        ScriptCall sent = redis.sent.poll(10, TimeUnit.SECONDS);
        assertThat(redis.ends.offer(end, 10, TimeUnit.SECONDS)).isTrue();
        return sent.script();
    }

    /** Asks for a vote, and has the request end. */
    private Vote answered(Object end) throws InterruptedException {
        Vote vote = ask();
        endNext(end);
        assertThat(vote.answer.handle((answer, error) -> true).join()).isTrue();
        return vote;
    }

    private Vote failed() throws InterruptedException {
        return answered(new IllegalStateException("broken"));
    }

    private static void get(CompletableFuture<Boolean> end) throws Exception {
        assertThat(end.get(10, TimeUnit.SECONDS)).isTrue();
    }

    private void expectNothingSent() {
        assertThat(redis.sent).isEmpty();
    }

    @Test
    void s7_aVoteWithoutAnAnswerMayBeGrantedAndIsEndedAfterItsAnswer() throws Exception {
        Vote vote = ask();

        CompletableFuture<Boolean> end = vote.end();

        assertThat(vote.isGranted()).isFalse();
        assertThat(vote.mayBeGranted()).isTrue();
        assertThat(vote.mayArriveLate()).isTrue();
        assertThat(vote.isOver()).isFalse();
        assertThat(vote.release(0).script()).isSameAs(Script.RELEASE);
        assertThat(endNext(GRANTED)).isSameAs(Script.VOTE);
        assertThat(endNext(ENDED)).isSameAs(Script.END_ALONE);
        get(end);
        assertThat(vote.isOver()).isTrue();
        get(vote.end());
        expectNothingSent();
    }

    @Test
    void s7_aVoteThatWasGrantedIsComparedAndDeleted() throws Exception {
        Vote vote = answered(GRANTED);

        assertThat(vote.isGranted()).isTrue();
        assertThat(vote.mayBeGranted()).isTrue();
        assertThat(vote.mayArriveLate()).isFalse();
        assertThat(vote.release(0).script()).isSameAs(Script.END_ALONE);
    }

    @Test
    void s7_aVoteThatWasRefusedLeavesNothing() throws Exception {
        Vote vote = answered(REFUSED);

        assertThat(vote.isGranted()).isFalse();
        assertThat(vote.mayBeGranted()).isFalse();
        assertThat(vote.mayArriveLate()).isFalse();
        get(vote.end());
        assertThat(vote.isOver()).isTrue();
        expectNothingSent();
    }

    @Test
    void s7_aVoteWhoseAnswerIsLostMayBeGrantedLaterAndIsWithdrawn() throws Exception {
        Vote vote = failed();

        assertThat(vote.isGranted()).isFalse();
        assertThat(vote.mayBeGranted()).isTrue();
        assertThat(vote.mayArriveLate()).isTrue();
        assertThat(vote.release(0).script()).isSameAs(Script.RELEASE);
        CompletableFuture<Boolean> end = vote.end();
        assertThat(endNext(ENDED)).isSameAs(Script.WITHDRAW);
        get(end);
    }

    @Test
    void s7_aVoteThatWasNeverSentLeavesNothing() throws Exception {
        engine.refuseThreads(role -> true);
        Vote vote = ask();

        assertThat(vote.mayBeGranted()).isFalse();
        get(vote.end());
        assertThat(vote.isOver()).isTrue();
        expectNothingSent();
    }

    @Test
    void s7_aVoteWhoseRequestWasRepeatedMayBeGrantedAfterItsEnd() throws Exception {
        Vote granted = answered(GRANTED);
        request.noteSentAgain();

        assertThat(granted.mayArriveLate()).isTrue();
        assertThat(granted.release(0).script()).isSameAs(Script.RELEASE);
        CompletableFuture<Boolean> end = granted.end();
        assertThat(endNext(ENDED)).isSameAs(Script.WITHDRAW);
        get(end);
        Vote refused = answered(REFUSED);
        CompletableFuture<Boolean> another = refused.end();
        assertThat(endNext(ENDED)).isSameAs(Script.WITHDRAW);
        get(another);
    }

    @Test
    void s7_anEndThatFailsIsTriedAgain() throws Exception {
        Vote vote = answered(GRANTED);
        CompletableFuture<Boolean> first = vote.end();
        endNext(new IllegalStateException("broken"));
        assertThatThrownBy(() -> get(first)).hasMessageContaining("broken");
        assertThat(vote.isOver()).isFalse();

        CompletableFuture<Boolean> second = vote.end();
        endNext(ENDED);

        get(second);
        assertThat(vote.isOver()).isTrue();
    }

    @Test
    void s1_aServerIsNotAskedUntilTheEarlierVoteIsOver() throws Exception {
        Vote earlier = failed();

        Vote next = Vote.after(Vote.after(earlier));

        CompletableFuture<Boolean> first = next.end();
        assertThat(endNext(new IllegalStateException("broken"))).isSameAs(Script.WITHDRAW);
        assertThatThrownBy(() -> get(first)).hasMessageContaining("broken");
        assertThat(next.answer).isCompletedExceptionally();
        assertThat(next.mayBeGranted()).isFalse();
        assertThat(next.mayArriveLate()).isTrue();
        assertThat(next.isOver()).isFalse();
        CompletableFuture<Boolean> end = next.end();
        assertThat(endNext(ENDED)).isSameAs(Script.WITHDRAW);
        get(end);
        assertThat(next.isOver()).isTrue();
        assertThat(earlier.isOver()).isTrue();
    }
}

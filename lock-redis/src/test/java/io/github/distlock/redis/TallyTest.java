package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.PromiseNames;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;

/** What the answers of servers to one question amount to. */
@DisplayNameGeneration(PromiseNames.class)
class TallyTest {
    private static final int SERVERS = 3;

    private final List<Tally.Counts> decisions = new ArrayList<>();
    private final Tally tally = new Tally(counts -> counts.yes() >= 2 || counts.all() == SERVERS, decisions::add);
    private final RedisContext context = new RedisContext(new TestClock(new AtomicLong()), replaced -> {});
    private final QuorumServer first = new QuorumServer("first:1", new ScriptedRedis(), 1, context);
    private final QuorumServer second = new QuorumServer("second:2", new ScriptedRedis(), 1, context);

    private static Deadline now() {
        return Deadline.after(Duration.ZERO, LockClock.system());
    }

    @Test
    void s1_aQuestionIsDecidedOnceByTheAnswerThatCompletesAMajority() throws InterruptedException {
        tally.count(Tally.Answer.YES);
        assertThat(decisions).isEmpty();
        assertThat(tally.await(now())).isFalse();

        tally.count(Tally.Answer.YES);
        tally.count(Tally.Answer.NO);

        assertThat(tally.await(now())).isTrue();
        assertThat(decisions).containsExactly(new Tally.Counts(2, 0, 0, 0));
        assertThat(tally.counts()).isEqualTo(new Tally.Counts(2, 1, 0, 0));
    }

    @Test
    void api_aRefusalIsAnAnswerAndEachOtherExceptionIsNone() {
        RequestRefusedException refusal = new RequestRefusedException("no rights", null);

        tally.countFailure(first, new CompletionException(refusal));
        tally.countFailure(second, new IllegalStateException("broken"));
        tally.countFailure(second, new CompletionException("without a cause", null));
        tally.countFailure(second, null);

        assertThat(tally.counts()).isEqualTo(new Tally.Counts(0, 0, 1, 3));
        assertThat(tally.counts().all()).isEqualTo(4);
        assertThat(tally.firstReason(RequestRefusedException.class)).isSameAs(refusal);
        assertThat(tally.firstReason(Throwable.class)).isSameAs(refusal);
        assertThat(tally.firstReason(InterruptedException.class)).isNull();
    }

    @Test
    void api_theWordsNameEachReasonAndTheSilentServers() {
        assertThat(tally.words(SERVERS)).isEqualTo("3 of 3 servers have not answered in time");

        tally.countFailure(first, new IllegalStateException("broken"));
        assertThat(tally.words(SERVERS)).isEqualTo("first:1: broken; 2 of 3 servers have not answered in time");

        tally.countFailure(second, new IllegalStateException());
        tally.count(Tally.Answer.NO);
        assertThat(tally.words(SERVERS)).isEqualTo("first:1: broken; second:2: java.lang.IllegalStateException");
    }
}

package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.RequestRefusedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.junit.jupiter.api.Test;

/** What a request under way answers, and what an error means. */
class AnswerTest {
    private final List<String> called = new ArrayList<>();
    private Runnable late = () -> called.add("late");
    private final Answer<Integer> answer =
            new Answer<>("/path", "READ on /path", () -> late.run(), () -> called.add("failed"));

    private static Deadline in(Duration time) {
        return Deadline.after(time, LockClock.system());
    }

    private static KeeperException error(Code code) {
        return Failures.failure(code, "/path", "READ on /path");
    }

    @Test
    void s6_theFirstAnswerCounts() throws Exception {
        assertThat(answer.isDone()).isFalse();
        assertThat(answer.isDoneWithin(1)).isFalse();

        answer.complete(1);
        answer.complete(2);
        answer.fail(Code.NONODE);

        assertThat(answer.isDone()).isTrue();
        assertThat(answer.isDoneWithin(0)).isTrue();
        assertThat(answer.await(in(Duration.ZERO))).isEqualTo(1);
        assertThat(called).isEmpty();
    }

    @Test
    void s5_anErrorIsThrownAndNoted() {
        answer.fail(Code.NOAUTH);

        assertThatThrownBy(() -> answer.await(in(Duration.ofSeconds(20))))
                .isInstanceOf(KeeperException.NoAuthException.class)
                .hasMessageContaining("the client needs the right READ on /path");
        assertThat(called).containsExactly("failed");
    }

    @Test
    void v4_withoutAnAnswerTheOutcomeIsUnknown() {
        assertThatThrownBy(() -> answer.await(in(Duration.ofMillis(1))))
                .isInstanceOf(KeeperException.OperationTimeoutException.class);

        assertThat(called).containsExactly("late");
    }

    @Test
    void v4_aLateAnswerCounts() throws Exception {
        late = () -> answer.complete(3);

        assertThat(answer.await(in(Duration.ofSeconds(20)))).isEqualTo(3);
    }

    @Test
    void s5_onlyWhatTheServerMayHaveExecutedHasAnUnknownOutcome() {
        assertThat(Stream.of(Code.CONNECTIONLOSS, Code.OPERATIONTIMEOUT, Code.SESSIONEXPIRED, Code.AUTHFAILED)
                        .map(AnswerTest::error))
                .allMatch(Failures::isUnknownOutcome);
        assertThat(Stream.of(Code.NONODE, Code.NODEEXISTS, Code.NOAUTH, Code.BADVERSION)
                        .map(AnswerTest::error))
                .noneMatch(Failures::isUnknownOutcome);
    }

    @Test
    void api_aRequestThatWouldFailAgainIsRefused() {
        assertThat(Stream.of(Code.NOAUTH, Code.QUOTAEXCEEDED).map(code -> Failures.of("lock", error(code))))
                .allSatisfy(failure -> assertThat(failure)
                        .isInstanceOf(RequestRefusedException.class)
                        .hasMessageStartingWith("lock \"lock\": the request to ZooKeeper failed: "));
        assertThat(Failures.of("lock", error(Code.CONNECTIONLOSS)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageNotContaining("the client needs the right");
    }
}

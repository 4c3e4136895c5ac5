package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.github.distlock.LockOwner;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.IgnoredSignals;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the answers of three servers mean for a hold of a quorum. The test chooses them, and they come at once. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class QuorumGrantTest {
    private static final Duration LEASE = Duration.ofSeconds(60);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    /** Longer than any request takes. */
    private static final Duration LONG = Duration.ofSeconds(40);

    private static final Duration DELAY = Duration.ofSeconds(5);

    private final List<Member> members = List.of(new Member(), new Member(), new Member());
    private final RedisQuorum quorum = new RedisQuorum(
            this::connect,
            name -> LockKeys.of(name, each -> "distlock:" + each, "distlock:"),
            Duration.ofMinutes(5),
            Duration.ofHours(1),
            false);

    private final CountDownLatch over = new CountDownLatch(1);

    /** A server that votes, and answers other requests as a test says. */
    private final class Member {
        private volatile Object vote = List.of(1L, 5L, 7L);
        private volatile Object end = List.of();
        private volatile Object renewal = List.of(1L);
        /** Whether each request is sent again. */
        private volatile boolean repeats;
        /** Whether it answers nothing but votes until the test is over. */
        private volatile boolean isSilent;

        private final ScriptedRedis redis = new ScriptedRedis(this::answer);

        private Object answer(ScriptCall call) throws InterruptedException {
            if (repeats) {
                call.noteSentAgain();
            }
            if (call.script() == Script.VOTE) {
                return vote;
            }
            if (isSilent) {
                over.await();
            }
            return call.script() == Script.RENEW ? renewal : call.script() == Script.RAISE ? List.of(1L) : end;
        }

        private List<ScriptCall> sent(Script script) {
            return redis.sent.stream().filter(call -> call.script() == script).toList();
        }
    }

    private List<QuorumServer> connect(RedisContext context) {
        List<QuorumServer> servers = new ArrayList<>();
        for (Member member : members) {
            servers.add(new QuorumServer("server" + servers.size(), member.redis, 3, context));
        }
        return servers;
    }

    @AfterEach
    void close() {
        over.countDown();
        quorum.close();
    }

    private QuorumGrant acquire() throws InterruptedException {
        return acquire(Duration.ZERO);
    }

    /** Acquires the lock, and waits for the votes of all servers. */
    private QuorumGrant acquire(Duration lockDelay) throws InterruptedException {
        quorum.start(new RecordingContext("test"));
        LockRequest request = LockRequest.exclusive("name", LEASE, LockOwner.of("host", 7, "client", "thread"))
                .withLockDelay(lockDelay);
        Contender contender = quorum.contend(request, new IgnoredSignals());
        Attempt attempt = contender.attempt(TestContender.deadline());
        QuorumGrant held =
                (QuorumGrant) assertInstanceOf(Attempt.Granted.class, attempt).grant();
        Waiting.await("all votes", PATIENCE, () -> held.ballot.votes.stream().allMatch(vote -> vote.answer.isDone()));
        return held;
    }

    /** Lets servers refuse their votes: {@code y} or {@code n} for each. */
    private void vote(String votes) {
        for (int i = 0; i < members.size(); i++) {
            members.get(i).vote = votes.charAt(i) == 'y' ? List.of(1L, 5L, 7L) : List.of(0L);
        }
    }

    /**
     * Says what servers find of the hold: {@code +}, {@code -}, and {@code x} for an error. A server with {@code s} is
     * silent.
     */
    private void find(String found) {
        for (int i = 0; i < members.size(); i++) {
            Member member = members.get(i);
            char answer = found.charAt(i);
            Object failure = new IllegalStateException("broken");
            member.isSilent = answer == 's';
            member.end = answer == 'x' ? failure : answer == '+' ? List.of() : List.of(0L);
            member.renewal = answer == 'x' ? failure : List.of(answer == '+' ? 1L : 0L);
        }
    }

    private interface End {
        Grant.Release of(QuorumGrant held) throws InterruptedException;
    }

    private static String outcome(QuorumGrant held, End end) throws InterruptedException {
        try {
            return end.of(held).name();
        } catch (IllegalStateException e) {
            assertThat(e)
                    .hasMessageStartingWith(
                            "no majority of the 3 Redis servers has confirmed the release of lock \"name\": server")
                    .hasMessageContaining(": broken");
            assertThat(e.getCause()).hasMessage("broken");
            return "UNKNOWN";
        }
    }

    private static Grant.Release release(QuorumGrant held) throws InterruptedException {
        return held.release(TestContender.deadline());
    }

    private static Grant.Release keep(QuorumGrant held) throws InterruptedException {
        return held.keep(Duration.ofNanos(6_999_000_001L), TestContender.deadline());
    }

    // Releases

    @ParameterizedTest
    @CsvSource({
        "yyy, +++, RELEASED",
        "yyy, ++x, RELEASED",
        "yyy, +-x, RELEASED",
        "yyy, ---, GONE",
        "yyy, --x, GONE",
        "yyy, +xx, UNKNOWN",
        "yyy, -xx, UNKNOWN",
        "yyn, +x-, RELEASED",
        "yyn, -x-, GONE",
        "yyn, ---, GONE",
        "yyn, xx-, UNKNOWN"
    })
    void s5_theServersThatMayHaveVotedDecideARelease(String votes, String found, String outcome)
            throws InterruptedException {
        vote(votes);
        QuorumGrant held = acquire();
        find(found);

        assertThat(outcome(held, QuorumGrantTest::release)).isEqualTo(outcome);
    }

    @ParameterizedTest
    @CsvSource({"++x, RELEASED", "--x, GONE"})
    void v5_holdsThatAreReleasedTogetherHaveTheSameOutcomes(String found, Grant.Release outcome)
            throws InterruptedException {
        QuorumGrant held = acquire();
        find(found);

        assertThat(quorum.releaseAll(List.of(held), TestContender.deadline())).isEqualTo(Map.of(held, outcome));
    }

    @ParameterizedTest
    @CsvSource({"++s, RELEASED", "+-s, RELEASED", "--s, GONE"})
    void v4_aReleaseDoesNotWaitForASilentServer(String found, Grant.Release outcome) throws InterruptedException {
        QuorumGrant held = acquire();
        find(found);
        Deadline deadline = Deadline.after(LONG, LockClock.system());

        assertThat(held.release(deadline)).isEqualTo(outcome);

        assertThat(deadline.hasPassed()).isFalse();
    }

    @Test
    void s5_aReleaseOfUnknownOutcomeIsNotAmongThoseThatAreReleasedTogether() throws InterruptedException {
        QuorumGrant held = acquire();
        find("+xx");

        assertThat(quorum.releaseAll(List.of(held), TestContender.deadline())).isEmpty();
    }

    @Test
    void s5_aRepeatedReleaseThatFindsNothingHasReleased() throws InterruptedException {
        QuorumGrant held = acquire();
        find("---");
        assertThat(release(held)).isEqualTo(Grant.Release.GONE);

        assertThat(release(held)).isEqualTo(Grant.Release.RELEASED);
    }

    @Test
    void s7_aReleaseOfWhichACopyWasSentMayHaveDoneItsWork() throws InterruptedException {
        QuorumGrant held = acquire();
        find("---");
        members.forEach(member -> member.repeats = true);

        assertThat(release(held)).isEqualTo(Grant.Release.RELEASED);
    }

    @Test
    void s15_aReleaseAlsoEndsTheVoteOfAServerThatHasMissedTheRenewals() throws InterruptedException {
        QuorumGrant held = acquire(DELAY);
        find("++-");

        assertThat(release(held)).isEqualTo(Grant.Release.RELEASED);

        Member late = members.get(2);
        Waiting.await(
                "the end of its vote",
                PATIENCE,
                () -> late.sent(Script.END_ALONE).size() == 2);
        assertThat(late.sent(Script.END_ALONE))
                .extracting(call -> argument(call, 4))
                .containsExactly("5000", "0");
    }

    @Test
    void v8_aReleaseWithoutALockDelayAsksEachServerOnce() throws InterruptedException {
        QuorumGrant held = acquire();
        find("++-");

        assertThat(release(held)).isEqualTo(Grant.Release.RELEASED);

        Waiting.await(
                "all are asked", PATIENCE, () -> members.stream().allMatch(member -> member.redis.sent.size() == 2));
        quorum.close(); // Waits for what is under way.
        assertThat(members)
                .allSatisfy(member -> assertThat(member.redis.sent)
                        .extracting(ScriptCall::script)
                        .containsExactly(Script.VOTE, Script.END_ALONE));
    }

    /** Returns an argument of a request. The first argument is number 1. */
    private static String argument(ScriptCall call, int number) {
        return new String(call.arguments().get(number), UTF_8);
    }

    // Kept locks

    @ParameterizedTest
    @CsvSource({
        "yyy, ++-, RELEASED",
        "yyy, ++x, RELEASED",
        "yyy, +--, GONE",
        "yyy, --x, GONE",
        "yyy, +-x, UNKNOWN",
        "yyy, +xx, UNKNOWN",
        "yyn, -x-, GONE",
        "yyn, +x-, UNKNOWN"
    })
    void s13_aMajorityKeepsALock(String votes, String found, String outcome) throws InterruptedException {
        vote(votes);
        QuorumGrant held = acquire();
        find(found);

        assertThat(outcome(held, QuorumGrantTest::keep)).isEqualTo(outcome);
    }

    @ParameterizedTest
    @CsvSource({"yyy, ++s, RELEASED", "yyy, --s, GONE", "yyn, -s-, GONE"})
    void v4_aLockIsKeptWithoutASilentServer(String votes, String found, Grant.Release outcome)
            throws InterruptedException {
        vote(votes);
        QuorumGrant held = acquire();
        find(found);
        Deadline deadline = Deadline.after(LONG, LockClock.system());

        assertThat(held.keep(Duration.ofSeconds(1), deadline)).isEqualTo(outcome);

        assertThat(deadline.hasPassed()).isFalse();
    }

    @Test
    void s13_aRepeatedRequestThatFindsNothingHasKeptTheLock() throws InterruptedException {
        QuorumGrant held = acquire();
        find("---");
        assertThat(keep(held)).isEqualTo(Grant.Release.GONE);

        assertThat(keep(held)).isEqualTo(Grant.Release.RELEASED);
    }

    @Test
    void s13_aKeptLockHasItsTimeRoundedUp() throws InterruptedException {
        QuorumGrant held = acquire(DELAY);

        assertThat(keep(held)).isEqualTo(Grant.Release.RELEASED);

        assertThat(members.stream().flatMap(member -> member.sent(Script.KEEP).stream()))
                .isNotEmpty()
                .allMatch(call -> argument(call, 1).equals(held.ballot.value)
                        && argument(call, 3).equals("7000")
                        && argument(call, 4).equals("5000"));
    }

    // Renewals

    private Object renew(QuorumGrant held) throws InterruptedException {
        return renew(held, TestContender.deadline());
    }

    private Object renew(QuorumGrant held, Deadline deadline) throws InterruptedException {
        AtomicReference<Object> answer = new AtomicReference<>();
        quorum.renewAll(List.of(new TestContender.AnsweredRenewal(held, LEASE, answer)), deadline);
        return answer.get();
    }

    @ParameterizedTest
    @CsvSource({"++s, true", "--s, false"})
    void v4_aRenewalDoesNotWaitForASilentServer(String found, boolean isRenewed) throws InterruptedException {
        QuorumGrant held = acquire();
        find(found);
        Deadline deadline = Deadline.after(LONG, LockClock.system());

        assertThat(renew(held, deadline) instanceof Validity).isEqualTo(isRenewed);

        assertThat(deadline.hasPassed()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"+++", "++x", "++-"})
    void s1_aMajorityRenewsAHold(String found) throws InterruptedException {
        QuorumGrant held = acquire();
        find(found);

        Validity renewed = assertInstanceOf(Validity.class, renew(held));

        assertThat(renewed).isEqualTo(Validity.of(renewed.from(), LEASE));
        assertThat(renewed.from().nanoTime() - held.validity().from().nanoTime())
                .isPositive();
    }

    @ParameterizedTest
    @ValueSource(strings = {"---", "--x", "--+"})
    void s1_aHoldThatAMajorityHasLostIsGoneAndItsVotesEnd(String found) throws InterruptedException {
        QuorumGrant held = acquire();
        find(found);

        assertThat(renew(held)).isEqualTo("gone");

        Waiting.await(
                "the end of all votes",
                PATIENCE,
                () -> members.stream()
                        .noneMatch(member -> member.sent(Script.END_ALONE).isEmpty()));
    }

    @Test
    void s15_theVotesOfALostHoldAreLeftToItsLockDelay() throws InterruptedException {
        QuorumGrant held = acquire(DELAY);
        find("---");

        assertThat(renew(held)).isEqualTo("gone");

        assertThat(held.ballot.votes).noneMatch(Vote::isOver);
        assertThat(members.stream().flatMap(member -> member.sent(Script.END_ALONE).stream()))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"+-x", "+xx", "-xx", "xxx"})
    void s1_aRenewalWithoutAMajorityHasNoOutcome(String found) throws InterruptedException {
        QuorumGrant held = acquire();
        find(found);

        Throwable unknown = assertInstanceOf(IllegalStateException.class, renew(held));

        assertThat(unknown)
                .hasMessageStartingWith("no majority of the 3 Redis servers has renewed lock \"name\": server")
                .hasRootCauseMessage("broken");
    }

    @ParameterizedTest
    @CsvSource({"PT30M, 1", "PT30M0.000000001S, 2"})
    void s3_aRenewalKeepsTheTokenWhenLessThanHalfOfItsTimeWouldBeLeft(Duration after, int keys)
            throws InterruptedException {
        QuorumGrant held = acquire(DELAY);

        ScriptCall renewal = held.renewal(LEASE, after(held, after));

        assertThat(renewal.keys()).hasSize(keys);
        assertThat(List.of(argument(renewal, 1), argument(renewal, 2), argument(renewal, 3), argument(renewal, 4)))
                .containsExactly(held.ballot.value, "65000", "3665000", "5000");
    }

    @Test
    void s3_theTimeOfATokenCountsFromTheLastRenewalThatKeptIt() throws InterruptedException {
        QuorumGrant held = acquire();
        held.noteRenewed(LEASE, after(held, Duration.ofMinutes(20)));
        assertThat(held.renewal(LEASE, after(held, Duration.ofMinutes(31))).keys())
                .as("the first renewal did not keep it")
                .hasSize(2);

        held.noteRenewed(LEASE, after(held, Duration.ofMinutes(31)));

        assertThat(held.renewal(LEASE, after(held, Duration.ofMinutes(61))).keys())
                .hasSize(1);
        assertThat(held.renewal(LEASE, after(held, Duration.ofMinutes(62))).keys())
                .hasSize(2);
    }

    private static long after(Grant held, Duration time) {
        return held.validity().from().nanoTime() + time.toNanos();
    }

    @Test
    void s6_aHoldBelongsToNoSingleServer() throws InterruptedException {
        QuorumGrant held = acquire();

        assertThat(held.server()).isEqualTo(RedisQuorum.SERVER);
        assertThat(held.fencingBase()).isEqualTo(5);
        assertThat(held.validity().length()).isEqualTo(LEASE);
    }
}

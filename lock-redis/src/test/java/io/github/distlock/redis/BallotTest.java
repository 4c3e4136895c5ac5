package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When the votes of servers decide a ballot, and which servers have to store another base. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BallotTest {
    /** Its quarter is longer than servers take that answer. */
    private static final Duration LONG = Duration.ofSeconds(4);

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration SHORT = Duration.ofMillis(200);
    private static final long BASE = 5;

    private final LockClock clock = LockClock.system();
    private final RedisContext context = new RedisContext(clock, replaced -> {});
    private final LockKeys keys = LockKeys.of("lock", name -> "distlock:" + name, "distlock:");
    private final List<ScriptedRedis> members = new ArrayList<>();
    private final List<QuorumServer> servers = new ArrayList<>();
    private final CountDownLatch over = new CountDownLatch(1);

    @BeforeEach
    void start() {
        context.start(new RecordingContext("test"));
    }

    @AfterEach
    void close() {
        over.countDown();
        servers.forEach(QuorumServer::endRequests);
    }

    /**
     * Starts a server. A vote is {@code yes}, {@code no}, {@code other}, {@code late}, {@code failed}, {@code silent},
     * or a base.
     */
    private void addServer(String vote, String raise) {
        ScriptedRedis member =
                new ScriptedRedis(call -> answer(call.script() == Script.VOTE || raise.isEmpty() ? vote : raise));
        members.add(member);
        servers.add(new QuorumServer("server" + servers.size(), member, 3, context));
    }

    private Object answer(String word) throws InterruptedException {
        return switch (word) {
            case "yes" -> List.of(1L, BASE, 7L);
            case "no" -> List.of(0L);
            case "other" -> List.of(-2L, "read-write".getBytes(UTF_8));
            case "late" -> List.of(-1L);
            case "failed" -> new IllegalStateException("broken");
            case "silent" -> {
                over.await();
                yield new IllegalStateException("the test is over");
            }
            default -> List.of(1L, Long.parseLong(word), 7L);
        };
    }

    private Ballot ballot(Deadline deadline) {
        return new Ballot(new Ballot.Question(keys, "owner", 30_000, 60_000, false, servers, clock), 0, null, deadline);
    }

    private Ballot ballot(String votes, Deadline deadline) {
        for (String vote : votes.split(" ", -1)) {
            addServer(vote, "");
        }
        return ballot(deadline);
    }

    private Deadline in(Duration time) {
        return Deadline.after(time, clock);
    }

    private static String outcome(Ballot ballot, Tally.Counts counts) {
        if (ballot.hasMajority(counts)) {
            return "won";
        }
        if (ballot.isLost(counts)) {
            return "lost";
        }
        return ballot.failure(counts) instanceof RequestRefusedException ? "refused" : "unknown";
    }

    @ParameterizedTest
    @CsvSource({
        "yes yes silent, won",
        "yes no yes, won",
        "no no silent, lost",
        "yes no failed, lost",
        "yes no other, lost",
        "other other silent, refused",
        "yes other failed, unknown",
        "yes failed failed, unknown",
        "failed failed failed, unknown",
        "late late late, unknown",
        "yes yes yes silent silent, won",
        "no no no silent silent, lost",
        "yes no no failed silent, lost",
        "yes no no other silent, lost",
        "yes yes no other other, lost",
        "other other other silent silent, refused",
        "yes yes other other failed, unknown"
    })
    void v4_votesThatDecideAreNotFollowedByAWait(String votes, String outcome) throws InterruptedException {
        Deadline deadline = in(LONG);
        Ballot ballot = ballot(votes, deadline);

        Tally.Counts counts = ballot.decided(deadline);

        assertThat(outcome(ballot, counts)).isEqualTo(outcome);
        assertThat(deadline.remainingNanos())
                .as("what is left of the time")
                .isGreaterThan(LONG.multipliedBy(3).dividedBy(4).toNanos());
    }

    @ParameterizedTest
    @CsvSource({
        "yes failed silent",
        "no failed silent",
        "no other silent",
        "yes other silent",
        "other failed silent",
        "failed failed silent",
        "yes yes failed failed silent",
        "no no failed failed silent",
        "yes yes other other silent"
    })
    void s1_votesThatDoNotDecideAreAwaitedUntilTheDeadline(String votes) throws InterruptedException {
        Deadline deadline = in(SHORT);
        Ballot ballot = ballot(votes, deadline);

        Tally.Counts counts = ballot.decided(deadline);

        assertThat(outcome(ballot, counts)).isEqualTo("unknown");
        assertThat(deadline.hasPassed()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"yes no silent", "yes yes no silent silent", "yes yes no failed silent", "yes yes no other silent"})
    void v4_aSplitVoteIsAwaitedForAQuarterOfTheTime(String votes) throws InterruptedException {
        Deadline deadline = in(LONG);
        Ballot ballot = ballot(votes, deadline);

        Tally.Counts counts = ballot.decided(deadline);

        assertThat(outcome(ballot, counts)).isEqualTo("lost");
        assertThat(deadline.hasPassed()).isFalse();
        assertThat(deadline.remainingNanos())
                .isLessThanOrEqualTo(LONG.multipliedBy(3).dividedBy(4).toNanos());
    }

    // Bases

    private Ballot won(Deadline deadline) throws InterruptedException {
        Ballot ballot = ballot(deadline);
        var unused = ballot.decided(deadline);
        Waiting.await(
                "the first votes",
                PATIENCE,
                () -> ballot.votes.stream().limit(2).allMatch(vote -> vote.answer.isDone()));
        return ballot;
    }

    /** Returns the bases that each server was asked to store. */
    private List<List<Long>> raised() {
        return members.stream()
                .map(member -> member.sent.stream()
                        .filter(call -> call.script() == Script.RAISE)
                        .map(call -> Long.parseLong(new String(call.arguments().get(4), UTF_8)))
                        .toList())
                .toList();
    }

    private void expectRaised(long floor, long base, List<List<Long>> raised) throws InterruptedException {
        Deadline deadline = in(LONG);
        Ballot ballot = won(deadline);

        ballot.raise(floor, deadline);

        assertThat(ballot.base()).isEqualTo(base);
        assertThat(raised()).isEqualTo(raised);
        assertThat(deadline.hasPassed()).isFalse();
    }

    @Test
    void s3_onlyServersWithALesserBaseStoreTheGreatestOne() throws InterruptedException {
        addServer("5", "yes");
        addServer("9", "silent");
        addServer("no", "silent");

        expectRaised(0, 9, List.of(List.of(9L), List.of(), List.of()));
    }

    @Test
    void s3_aBaseExceedsTheFloorByOne() throws InterruptedException {
        addServer("5", "yes");
        addServer("5", "yes");
        addServer("silent", "silent");

        expectRaised(5, 6, List.of(List.of(6L), List.of(6L), List.of()));
    }

    @Test
    void s3_aBallotThatIsAlreadyWonAsksAllServersAgain() throws InterruptedException {
        addServer("5", "yes");
        addServer("5", "yes");
        addServer("silent", "silent");
        Deadline deadline = in(LONG);
        Ballot ballot = won(deadline);
        ballot.raise(0, deadline);
        assertThat(raised()).as("asked for the first time").allMatch(List::isEmpty);

        ballot.raise(0, deadline);

        assertThat(ballot.base()).isEqualTo(5);
        assertThat(raised()).isEqualTo(List.of(List.of(5L), List.of(5L), List.of()));
    }

    @ParameterizedTest
    @CsvSource({"no", "failed"})
    void s3_aBaseThatAMajorityDoesNotStoreIsNoGrant(String answer) throws InterruptedException {
        addServer("5", answer);
        addServer("9", "silent");
        addServer("no", "silent");
        Deadline deadline = in(LONG);
        Ballot ballot = won(deadline);

        assertThatThrownBy(() -> ballot.raise(0, deadline))
                .hasMessageStartingWith("no majority of the 3 Redis servers has stored the fencing token");

        assertThat(ballot.base()).isZero();
        assertThat(deadline.hasPassed()).isFalse();
    }

    // Ends

    private Ballot answered() throws InterruptedException {
        Ballot ballot = won(in(LONG));
        Waiting.await("all votes", PATIENCE, () -> ballot.votes.stream().allMatch(vote -> vote.answer.isDone()));
        return ballot;
    }

    @Test
    void s7_allVotesAreEndedBeforeTheNextBallot() throws InterruptedException {
        addServer("no", "silent");
        addServer("yes", "yes");
        addServer("yes", "yes");
        Ballot ballot = answered();

        ballot.awaitEnd(in(LONG));

        assertThat(ballot.votes).allMatch(Vote::isOver);
    }

    @Test
    void v4_aMajorityOfEndedVotesIsAwaitedForAQuarterOfTheTime() throws InterruptedException {
        addServer("yes", "yes");
        addServer("yes", "yes");
        addServer("yes", "silent");
        Ballot ballot = answered();
        Deadline deadline = in(LONG);

        ballot.awaitEnd(deadline);

        assertThat(deadline.hasPassed()).isFalse();
        assertThat(deadline.remainingNanos())
                .isLessThanOrEqualTo(LONG.multipliedBy(3).dividedBy(4).toNanos());
    }

    @Test
    void s7_lessThanAMajorityOfEndedVotesIsAwaitedUntilTheDeadline() throws InterruptedException {
        addServer("yes", "yes");
        addServer("yes", "silent");
        addServer("yes", "silent");
        Ballot ballot = answered();
        Deadline deadline = in(SHORT);

        ballot.awaitEnd(deadline);

        assertThat(deadline.hasPassed()).isTrue();
    }
}

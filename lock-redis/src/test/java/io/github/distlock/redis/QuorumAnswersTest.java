package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a contender concludes from the answers of a quorum, and what it leaves there. */
class QuorumAnswersTest extends QuorumMembersTest {
    // Votes

    @Test
    void s1_twoVotesOfThreeAreAHold() throws InterruptedException {
        member(1).keepForAnother();

        QuorumGrant held = acquire(contender());

        assertThat(members).extracting(member -> member.hasVoteFor(held)).containsExactly(true, false, true);
        assertThat(held.fencingBase())
                .isEqualTo(member(0).lastBase())
                .isEqualTo(member(2).lastBase());
    }

    @Test
    void v4_twoVotesOfThreeDoNotWaitForASilentServer() throws InterruptedException {
        member(0).link.silence();
        Deadline deadline = in(LONG);

        assertThat(contender().attempt(deadline)).isInstanceOf(Attempt.Granted.class);

        expectEarly(deadline);
    }

    @Test
    void s1_oneVoteOfThreeIsNoHold() throws InterruptedException {
        member(0).keepForAnother();
        member(1).keepForAnother();

        findBusy(contender());

        Waiting.await("the vote of the third server", PATIENCE, () -> member(2).lastBase() > 0);
        member(2).awaitFree();
    }

    @Test
    void v4_twoRefusalsToVoteDoNotWaitForASilentServer() throws InterruptedException {
        member(0).keepForAnother();
        member(1).keepForAnother();
        member(2).link.silence();
        long begun = System.nanoTime();

        findBusy(contender());

        assertThat(System.nanoTime() - begun).isLessThan(LONG.dividedBy(4).toNanos());
    }

    @Test
    void v4_aSplitVoteIsLostAfterAQuarterOfTheTime() throws InterruptedException {
        member(0).keepForAnother();
        member(2).link.silence();
        Deadline deadline = in(SHORT.multipliedBy(6));

        assertThat(contender().attempt(deadline)).isInstanceOf(Attempt.Busy.class);

        expectEarly(deadline);
        assertThat(member(1).isFree()).isTrue();
    }

    @Test
    void s1_oneVoteAndTwoServersWithoutAnAnswerAreNoHoldAndNotBusy() {
        member(1).link.silence();
        member(2).link.silence();

        assertThatThrownBy(() -> contender().attempt(in(SHORT)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith(
                        "no majority of the 3 Redis servers gives its vote for lock \"" + name + "\": ");

        member(0).awaitFree();
    }

    @Test
    void s1_serversThatHaveLostTheirDataSayForHowLongTheyGiveNoVote() {
        members.subList(0, 2).forEach(Member::loseData);

        assertThatThrownBy(() -> contender().attempt(in(LONG)))
                .hasMessageContaining(
                        member(0).link.address() + ": it has restarted or lost its data, so it votes again in ")
                .hasMessageContaining(member(1).link.address() + ": it has restarted")
                .hasMessageNotContaining(member(2).link.address());
    }

    @Test
    void s12_aNameOfAnotherKindOnAMajorityIsRefused() throws InterruptedException {
        member(0).useAsAnotherKind();
        member(1).useAsAnotherKind();
        member(2).link.silence();
        Deadline deadline = in(LONG);

        assertThatThrownBy(() -> contender().attempt(deadline)).isInstanceOf(RequestRefusedException.class);

        expectEarly(deadline);
    }

    @Test
    void s12_aNameOfAnotherKindOnAMinorityIsNotRefused() throws InterruptedException {
        member(0).useAsAnotherKind();

        release(acquire(contender()));
        member(1).loseData();
        member(2).loseData();

        assertThatThrownBy(() -> contender().attempt(in(LONG)))
                .isNotInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("is used as");
    }

    @Test
    void s7_aVoteIsGivenBackBeforeTheContenderIsBusy() throws InterruptedException {
        splitVotes();

        findBusy(contender());

        assertThat(member(1).isFree()).isTrue();
    }

    /** One server votes for another contender, one for this one, and one for none. */
    private void splitVotes() {
        member(0).keepForAnother();
        member(2).loseData();
    }

    @Test
    void v3_pausesAfterSplitVotesGrowToALimit() throws InterruptedException {
        QuorumContender contender = contender();
        splitVotes();

        for (int limit = 20; limit < 80; limit *= 2) {
            assertThat(findBusy(contender)).isBetween(Duration.ofMillis(1), Duration.ofMillis(limit));
        }
        List<Duration> later = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            later.add(findBusy(contender));
        }
        assertThat(later).allMatch(pause -> pause.compareTo(Duration.ofMillis(100)) <= 0);
        assertThat(later).anyMatch(pause -> pause.compareTo(Duration.ofMillis(20)) > 0);
        for (int i = 0; i < 10; i++) {
            members.forEach(Member::keepForAnother);
            assertThat(findBusy(contender)).isBetween(Duration.ofMillis(50), Duration.ofMillis(100));
            members.subList(1, 3).forEach(Member::lose);
            assertThat(findBusy(contender)).isBetween(Duration.ofMillis(1), Duration.ofMillis(20));
        }
    }

    // Bases

    @Test
    void s3_aMajorityStoresTheGreatestBaseBeforeTheGrant() throws InterruptedException {
        long ahead = (System.currentTimeMillis() + LEASE.toMillis()) * 1_000;
        member(0).set(token, ahead + "\n");
        member(1).keepForAnother();

        long base = acquire(contender()).fencingBase();

        assertThat(base).isEqualTo(ahead + 1);
        assertThat(member(0).lastBase()).isEqualTo(base);
        assertThat(member(2).lastBase()).isEqualTo(base);
    }

    @Test
    void s3_aBaseExceedsTheGreatestOneThatTheClientKnows() throws InterruptedException {
        long known = (System.currentTimeMillis() + LEASE.toMillis()) * 1_000;

        long base = acquire(contender(request().withBaseAbove(() -> known))).fencingBase();

        assertThat(base).isGreaterThan(known);
    }

    @Test
    void v3_serversWithTheSameBaseAreAskedOnce() throws InterruptedException {
        // The first acquires tell the client the time of the servers. A stall can make it wrong once.
        Waiting.await("an acquire asks each server once", PATIENCE, this::asksEachServerOnce);
    }

    private boolean asksEachServerOnce() {
        try {
            List<Long> before =
                    members.stream().map(member -> member.link.requests()).toList();
            QuorumContender contender = contender();
            awaitAnswers(acquire(contender));
            List<Long> after =
                    members.stream().map(member -> member.link.requests()).toList();
            contender.withdraw(in(LONG));
            return IntStream.range(0, after.size()).allMatch(i -> after.get(i) - before.get(i) == 1);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    // An acquire that is repeated because its answer was lost

    @Test
    void s3_aRepeatedAcquireHasTheSameBaseAndALaterValidity() throws InterruptedException {
        QuorumContender contender = contender();
        QuorumGrant first = acquire(contender);
        members.forEach(member -> member.admin.pexpire(key, LEASE.dividedBy(2).toMillis()));
        long before = System.nanoTime();

        QuorumGrant second = acquire(contender);

        assertThat(second.fencingBase()).isEqualTo(first.fencingBase());
        assertThat(second.validity().from().nanoTime() - before).isNotNegative();
        assertThat(second.validity().length()).isEqualTo(LEASE);
        assertThat(members.stream()
                        .filter(member ->
                                member.admin.pttl(key) > LEASE.dividedBy(2).toMillis())
                        .count())
                .as("members that have extended the vote")
                .isGreaterThanOrEqualTo(2);
    }

    @Test
    void s3_aRepeatedAcquireExceedsABaseThatTheClientWasGrantedMeanwhile() throws InterruptedException {
        AtomicLong known = new AtomicLong();
        QuorumContender contender = contender(request().withBaseAbove(known::get));
        long first = acquire(contender).fencingBase();
        known.set(first);

        long second = acquire(contender).fencingBase();

        assertThat(second).isEqualTo(first + 1);
        assertThat(members.stream()
                        .filter(member -> member.lastBase() >= second)
                        .count())
                .as("members that have stored it, unless a late vote has minted a greater one")
                .isGreaterThanOrEqualTo(2);
    }

    @Test
    void s1_aRepeatedAcquireWithoutItsVotesFailsAndTheNextOneAsksAgain() throws InterruptedException {
        QuorumContender contender = contender();
        QuorumGrant first = acquire(contender);
        awaitAnswers(first);
        member(0).lose();
        member(1).lose();

        assertThatThrownBy(() -> contender.attempt(in(LONG)))
                .hasMessageStartingWith(
                        "no majority of the 3 Redis servers has stored the fencing token for lock \"" + name + "\"");
        member(2).awaitFree();
        QuorumGrant next = acquire(contender);

        assertThat(next.ballot.value).isNotEqualTo(first.ballot.value);
        assertThat(next.fencingBase()).isGreaterThan(first.fencingBase());
    }

    // Validity

    @Test
    void s6_aHoldIsDatedAtTheSendingOfItsBallot() throws InterruptedException {
        Duration delay = Duration.ofMillis(300);
        release(acquire(contender()));
        members.forEach(member -> member.link.delayReplies(delay));
        long before = System.nanoTime();

        Validity validity = acquire(contender()).validity();

        long answered = System.nanoTime();
        assertThat(validity.from().nanoTime() - before).isNotNegative();
        assertThat(answered - validity.from().nanoTime()).isGreaterThanOrEqualTo(delay.toNanos());
        assertThat(validity.length()).isEqualTo(LEASE);
    }

    // What a lost answer leaves

    @Test
    void s7_aVoteThatArrivesAfterItsReleaseIsNotGranted() throws InterruptedException {
        QuorumGrant before = acquire(contender());
        awaitAnswers(before); // Otherwise the fault may strike the request for its vote.
        release(before);
        Fault late = member(2).link.delayNextRequest(FaultProxy.containing(QuorumFixture.SINCE), SHORT.dividedBy(2));
        QuorumGrant held = acquire(contender());

        release(held);

        late.awaitStrike(PATIENCE);
        assertThat(held.ballot.votes.get(2).answer.join()).isNotNull();
        member(2).awaitFree();
    }

    @Test
    void s1_aServerIsNotAskedAgainBeforeTheEarlierVoteHasEnded() throws InterruptedException {
        QuorumGrant first = acquire(contender());
        awaitAnswers(first);
        release(first);
        member(2).awaitFree();
        QuorumContender next = contender();
        member(0).keepForAnother();
        member(1).keepForAnother();
        Fault lost = member(2).link.dropNextReply(FaultProxy.containing(QuorumFixture.SINCE), FaultProxy.Then.SILENCE);
        assertThat(next.attempt(in(LEASE.multipliedBy(5)))).isInstanceOf(Attempt.Busy.class);
        lost.awaitStrike(PATIENCE);
        String earlier = member(2).admin.get(key);
        assertThat(earlier).isNotNull();
        member(0).lose();
        member(1).lose();
        member(1).loseData();

        assertThatThrownBy(() -> next.attempt(in(SHORT)))
                .hasMessageContaining("an earlier request to this server is still to be withdrawn");

        assertThat(member(2).admin.get(key)).isEqualTo(earlier);
        member(2).link.heal();
        member(2).awaitFree();
        member(1).vote();
        QuorumGrant held = acquire(next);
        awaitAnswers(held);
        assertThat(member(2).hasVoteFor(held)).isTrue();
    }

    @Test
    void s7_aWithdrawalRemovesAHoldFromAllServers() throws InterruptedException {
        QuorumContender contender = contender();
        awaitAnswers(acquire(contender));

        contender.withdraw(in(LONG));

        assertThat(members).allMatch(Member::isFree);
    }

    @Test
    void s7_aWithdrawalThatAServerHasNotConfirmedFailsAndCanBeRepeated() throws InterruptedException {
        QuorumContender contender = contender();
        awaitAnswers(acquire(contender));
        member(2).link.silence();

        assertThatThrownBy(() -> contender.withdraw(in(SHORT)))
                .hasMessageContaining("has not confirmed that nothing is left of lock \"" + name + "\"");
        assertThat(members.subList(0, 2)).allMatch(Member::isFree);
        assertThat(member(2).isFree()).isFalse();
        member(2).link.heal();
        Waiting.await("it is confirmed", PATIENCE, () -> isWithdrawn(contender));

        assertThat(member(2).isFree()).isTrue();
    }

    private static boolean isWithdrawn(QuorumContender contender) {
        try {
            contender.withdraw(in(SHORT));
            return true;
        } catch (IllegalStateException e) {
            return false;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void api_aContenderThatHasNotAskedHasNothingToWithdraw() throws InterruptedException {
        contender().withdraw(in(SHORT));
    }
}

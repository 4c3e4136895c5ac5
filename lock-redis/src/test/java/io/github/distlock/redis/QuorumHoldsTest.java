package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.Grant.Release;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Releases and renewals of a hold that a quorum keeps. */
class QuorumHoldsTest extends QuorumMembersTest {
    // Releases

    /** In one exchange with each server, or in one for each hold. */
    private Release release(QuorumGrant held, boolean together, Deadline deadline) throws InterruptedException {
        return together ? quorum.releaseAll(List.of(held), deadline).get(held) : held.release(deadline);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s5_aReleaseEndsTheVotesOfAllServers(boolean together) throws InterruptedException {
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);

        assertThat(release(held, together, in(LONG))).isEqualTo(Release.RELEASED);

        members.forEach(Member::awaitFree);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v4_aReleaseDoesNotWaitForASilentServer(boolean together) throws InterruptedException {
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        member(0).link.silence();
        Deadline deadline = in(LONG);

        assertThat(release(held, together, deadline)).isEqualTo(Release.RELEASED);

        expectEarly(deadline);
        assertThat(members.subList(1, 3)).allMatch(Member::isFree);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s5_aHoldThatNoServerHasIsGoneAndItsRepeatedReleaseIsNot(boolean together) throws InterruptedException {
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        members.forEach(Member::lose);

        assertThat(release(held, together, in(LONG))).isEqualTo(Release.GONE);
        assertThat(release(held, together, in(LONG))).isEqualTo(Release.RELEASED);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s5_aServerThatHadNoVoteCountsLessThanTheOthers(boolean together) throws InterruptedException {
        member(2).keepForAnother();
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        member(0).lose();

        assertThat(release(held, together, in(LONG))).isEqualTo(Release.RELEASED);

        assertThat(member(1).isFree()).isTrue();
        assertThat(member(2).isFree())
                .as("the record of another contender stays")
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s5_aServerThatHadNoVoteCountsIfNoMajorityOfTheOthersAnswers(boolean together) throws InterruptedException {
        member(2).keepForAnother();
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        member(0).lose();
        member(1).link.silence();

        assertThat(release(held, together, in(SHORT))).isEqualTo(Release.GONE);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s5_aReleaseWaitsForAServerThatHadAVoteRatherThanForOneThatHadNone(boolean together)
            throws InterruptedException {
        member(2).keepForAnother();
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        member(0).link.silence();
        Deadline deadline = in(SHORT);

        assertThat(release(held, together, deadline)).isEqualTo(Release.RELEASED);

        assertThat(deadline.hasPassed()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v4_aServerWithTheHoldAndOneWithoutItDoNotWaitForASilentServer(boolean together) throws InterruptedException {
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        member(0).lose();
        member(2).link.silence();
        Deadline deadline = in(LONG);

        assertThat(release(held, together, deadline)).isEqualTo(Release.RELEASED);

        expectEarly(deadline);
    }

    @Test
    void api_aReleaseWithoutAMajorityNamesTheServersThatFailed() throws InterruptedException {
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        for (int i = 0; i < 2; i++) {
            member(i).link.refuse();
            member(i).link.cut();
        }

        assertThatThrownBy(() -> held.release(in(LONG)))
                .hasMessageContainingAll(
                        member(0).link.address(), member(1).link.address());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s5_aReleaseWithoutAMajorityHasNoOutcome(boolean together) throws InterruptedException {
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        members.subList(0, 2).forEach(member -> member.link.silence());

        if (together) {
            assertThat(release(held, true, in(SHORT))).isNull();
        } else {
            assertThatThrownBy(() -> release(held, false, in(SHORT)))
                    .hasMessageStartingWith(
                            "no majority of the 3 Redis servers has confirmed the release of lock \"" + name + "\": ");
        }
    }

    // Minimum holds

    private void expectKept(int place, Duration time) {
        assertThat(member(place).isKept()).isTrue();
        assertThat(Duration.ofMillis(member(place).admin.pttl(key))).isBetween(time.minus(PATIENCE), time);
    }

    @Test
    void s13_aLockIsKeptOnAMajority() throws InterruptedException {
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        member(0).link.silence();
        Deadline deadline = in(LONG);

        assertThat(held.keep(LEASE.multipliedBy(2), deadline)).isEqualTo(Release.RELEASED);

        expectEarly(deadline);
        expectKept(1, LEASE.multipliedBy(2));
        expectKept(2, LEASE.multipliedBy(2));
    }

    @Test
    void s13_aLockThatNoMajorityHasIsGoneAndItsRepeatedReleaseIsNot() throws InterruptedException {
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        member(0).link.silence();
        member(1).lose();
        member(2).lose();
        Deadline deadline = in(LONG);

        assertThat(held.keep(LEASE, deadline)).isEqualTo(Release.GONE);
        assertThat(held.keep(LEASE, deadline)).isEqualTo(Release.RELEASED);

        expectEarly(deadline);
    }

    @Test
    void s13_aServerThatHadNoVoteKeepsNoLock() throws InterruptedException {
        member(2).keepForAnother();
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        member(0).lose();
        member(1).link.silence();
        Deadline deadline = in(LONG);

        assertThat(held.keep(LEASE, deadline)).isEqualTo(Release.GONE);

        expectEarly(deadline);
        assertThat(member(2).isKept()).isFalse();
    }

    @Test
    void s13_aRepeatedRequestKeepsTheLockForNoLonger() throws InterruptedException {
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        assertThat(held.keep(LEASE, in(LONG))).isEqualTo(Release.RELEASED);
        Waiting.await("all keep it", PATIENCE, () -> members.stream().allMatch(Member::isKept));

        assertThat(held.keep(LEASE.multipliedBy(2), in(LONG))).isEqualTo(Release.RELEASED);

        members.forEach(member -> assertThat(member.admin.pttl(key)).isLessThanOrEqualTo(LEASE.toMillis()));
    }

    @Test
    void s13_aLockThatOneServerKeepsHasNoOutcome() throws InterruptedException {
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        member(0).link.silence();
        member(1).lose();

        assertThatThrownBy(() -> held.keep(LEASE, in(SHORT)))
                .hasMessageStartingWith(
                        "no majority of the 3 Redis servers has confirmed the release of lock \"" + name + "\": ");
    }

    // Renewals

    private record AnsweredRenewal(Grant grant, AtomicReference<Object> answer) implements Renewal {
        @Override
        public Duration lease() {
            return LEASE;
        }

        @Override
        public void renewed(Validity validity) {
            answer.set(validity);
        }

        @Override
        public void gone() {
            answer.set("gone");
        }

        @Override
        public void unknown(Throwable cause) {
            answer.set(cause);
        }
    }

    /** Renews a hold. Returns a {@link Validity}, a {@link Throwable}, {@code "gone"}, or null without an answer. */
    private Object renew(QuorumGrant held, Deadline deadline) throws InterruptedException {
        AnsweredRenewal renewal = new AnsweredRenewal(held, new AtomicReference<>());
        quorum.renewAll(List.of(renewal), deadline);
        return renewal.answer.get();
    }

    @Test
    void s1_aMajorityRenewsAHold() throws InterruptedException {
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        member(0).link.silence();
        members.forEach(member -> member.admin.pexpire(key, PATIENCE.toMillis()));
        Deadline deadline = in(LONG);
        long before = System.nanoTime();

        Object answer = renew(held, deadline);

        expectEarly(deadline);
        assertThat(answer).isInstanceOf(Validity.class);
        assertThat(((Validity) answer).from().nanoTime() - before).isNotNegative();
        assertThat(((Validity) answer).length()).isEqualTo(LEASE);
        assertThat(member(1).admin.pttl(key)).isGreaterThan(PATIENCE.toMillis());
        assertThat(member(2).admin.pttl(key)).isGreaterThan(PATIENCE.toMillis());
    }

    @Test
    void s6_aRenewalIsDatedAtItsSending() throws InterruptedException {
        QuorumGrant held = acquire(contender());
        Duration delay = Duration.ofMillis(300);
        members.forEach(member -> member.link.delayReplies(delay));

        Object answer = renew(held, in(LONG));

        long answered = System.nanoTime();
        assertThat(answered - ((Validity) answer).from().nanoTime()).isGreaterThanOrEqualTo(delay.toNanos());
    }

    @Test
    void s1_aHoldThatAMajorityHasLostIsGoneAndItsLastVoteEnds() throws InterruptedException {
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        member(0).lose();
        member(1).lose();

        assertThat(renew(held, in(LONG))).isEqualTo("gone");

        member(2).awaitFree();
    }

    @Test
    void v4_aLossOnAMajorityDoesNotWaitForASilentServer() throws InterruptedException {
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        member(0).lose();
        member(1).lose();
        member(2).link.silence();
        Deadline deadline = in(LONG);

        assertThat(renew(held, deadline)).isEqualTo("gone");

        expectEarly(deadline);
    }

    @Test
    void s1_aMinorityRenewsNoHoldAndEndsNone() throws InterruptedException {
        QuorumGrant held = acquire(contender());
        awaitAnswers(held);
        member(0).lose();
        member(1).link.refuse();
        member(1).link.cut();

        Object answer = renew(held, in(PATIENCE));

        assertThat(answer)
                .asString()
                .contains("no majority of the 3 Redis servers has renewed lock \"" + name + "\": "
                        + member(1).link.address());
        assertThat(member(2).hasVoteFor(held)).isTrue();
    }

    @Test
    void s3_theTokenIsKeptAfterHalfOfItsTime() throws InterruptedException {
        // So each request to the others is answered when the client goes on.
        member(2).keepForAnother();
        QuorumGrant held = acquire(contender());
        expectTokensKept(held, false);
        Moment from = held.validity().from();
        Duration time = TOKEN_KEPT.dividedBy(2).plusSeconds(1);
        Moment earlier = new Moment(from.nanoTime() - time.toNanos(), from.wallMillis() - time.toMillis());
        QuorumGrant old = new QuorumGrant(held.contender, held.ballot, Validity.of(earlier, LEASE));

        expectTokensKept(old, true);
        expectTokensKept(old, false);
    }

    private void expectTokensKept(QuorumGrant held, boolean expected) throws InterruptedException {
        List<Member> holding = members.subList(0, 2);
        holding.forEach(member -> member.admin.pexpire(token, LEASE.toMillis()));
        assertThat(renew(held, in(LONG))).isInstanceOf(Validity.class);
        long most = expected ? LEASE.plus(TOKEN_KEPT).toMillis() : LEASE.toMillis();
        assertThat(holding)
                .allSatisfy(member -> assertThat(member.admin.pttl(token)).isBetween(most - PATIENCE.toMillis(), most));
    }
}

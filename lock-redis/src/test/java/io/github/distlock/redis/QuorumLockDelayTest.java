package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.Grant.Release;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** S15 on a quorum: the votes of a lost hold stay until its lock delay is over. */
class QuorumLockDelayTest extends QuorumMembersTest {
    private static final Duration DELAY = Duration.ofMinutes(1);

    private QuorumGrant acquireDelayed() throws InterruptedException {
        QuorumGrant held = acquire(contender(request().withLockDelay(DELAY)));
        awaitAnswers(held);
        // Another server may have to store the base, and then gets the lease once more.
        String base = "\t" + held.fencingBase() + "\t";
        Waiting.await(
                "all have stored the base",
                PATIENCE,
                () -> members.stream()
                        .allMatch(
                                member -> String.valueOf(member.admin.get(key)).contains(base)));
        return held;
    }

    private void endLease() {
        members.forEach(member -> member.admin.pexpire(key, DELAY.toMillis()));
    }

    private void expectLeft(Duration most) {
        for (Member member : members) {
            assertThat(Duration.ofMillis(member.admin.pttl(key))).isBetween(most.minus(PATIENCE), most);
        }
    }

    @Test
    void s15_theVotesOutliveTheLeaseByTheDelayAndTheClientTrustsTheLease() throws InterruptedException {
        QuorumGrant held = acquireDelayed();

        expectLeft(LEASE.plus(DELAY));
        assertThat(held.validity().length()).isEqualTo(LEASE);
        assertThat(quorum.expiry(request().withLockDelay(DELAY))).isEqualTo(LEASE.plus(DELAY));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s15_aReleaseEndsTheVotesAtOnce(boolean together) throws InterruptedException {
        QuorumGrant held = acquireDelayed();

        Release released = together ? quorum.releaseAll(List.of(held), in(LONG)).get(held) : held.release(in(LONG));

        assertThat(released).isEqualTo(Release.RELEASED);
        members.forEach(Member::awaitFree);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s15_aReleaseEndsTheVoteOfAServerThatHasMissedTheRenewals(boolean together) throws InterruptedException {
        QuorumGrant held = acquireDelayed();
        members.get(0).admin.pexpire(key, DELAY.toMillis());

        Release released = together ? quorum.releaseAll(List.of(held), in(LONG)).get(held) : held.release(in(LONG));

        assertThat(released).isEqualTo(Release.RELEASED);
        members.forEach(Member::awaitFree);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s15_whatArrivesAfterTheLeaseChangesNothing(boolean together) throws InterruptedException {
        QuorumGrant held = acquireDelayed();
        endLease();

        Release released = together ? quorum.releaseAll(List.of(held), in(LONG)).get(held) : held.release(in(LONG));

        assertThat(released).isEqualTo(Release.GONE);
        assertThat(held.keep(DELAY.multipliedBy(2), in(LONG))).isEqualTo(Release.RELEASED);
        assertThat(members).allMatch(member -> member.hasVoteFor(held));
        expectLeft(DELAY);
        findBusy(contender());
    }

    @Test
    void s15_aRenewalThatFindsNoLeaseLeavesTheVotes() throws InterruptedException {
        QuorumGrant held = acquireDelayed();
        endLease();
        AtomicReference<Object> answer = new AtomicReference<>();

        quorum.renewAll(List.of(new AnsweredRenewal(held, answer)), in(LONG));

        assertThat(answer).hasValue("gone");
        findBusy(contender());
        assertThat(members).allMatch(member -> member.hasVoteFor(held));
        expectLeft(DELAY);
    }

    @Test
    void s15_aLossThatTheClientReportsKeepsTheLockForTheRestOfTheDelay() throws InterruptedException {
        QuorumGrant held = acquireDelayed();

        assertThat(held.keep(DELAY.dividedBy(2), in(LONG))).isEqualTo(Release.RELEASED);

        assertThat(members).filteredOn(Member::isKept).hasSizeGreaterThanOrEqualTo(2);
        findBusy(contender());
    }

    private record AnsweredRenewal(QuorumGrant grant, AtomicReference<Object> answer) implements Renewal {
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
}

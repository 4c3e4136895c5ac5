package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.Grant.Release;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** S15: how long the server keeps the lock of a hold with a lock delay, and what changes nothing during the delay. */
class LockDelayTest extends ContenderTest {
    private static final Duration DELAY = Duration.ofMinutes(1);
    private static final Duration BOTH = LEASE.plus(DELAY);

    private TestContender delayed(RedisBackend backend) {
        return TestContender.delayed(backend, name, LEASE, DELAY);
    }

    /** Lets the lease end, so that only the lock delay is left. */
    private void endLease() {
        admin.pexpire(lock, DELAY.toMillis());
    }

    private void expectDelay(TestContender lost, long base) {
        assertThat(admin.get(lock)).isEqualTo(lost.record(base));
        expectTimeToLive(lock, DELAY.toMillis());
    }

    @Test
    void s15_theLockKeyOutlivesTheLeaseByTheDelayAndTheClientTrustsTheLease() throws InterruptedException {
        TestContender holder = delayed(one);

        Grant held = holder.acquire();

        assertThat(admin.get(lock)).isEqualTo(holder.record(held.fencingBase())).endsWith("\t\t60000");
        expectTimeToLive(lock, BOTH.toMillis());
        expectTimeToLive(token, BOTH.plus(TOKEN_KEPT).toMillis());
        assertThat(held.validity().length()).isEqualTo(LEASE);
    }

    @Test
    void s15_aRenewalExtendsBothAndTheClientTrustsTheLease() throws InterruptedException {
        TestContender holder = delayed(one);
        Grant held = holder.acquire();
        admin.pexpire(lock, DELAY.plusSeconds(5).toMillis());

        Object answer = holder.renew(held, LEASE);

        assertThat(answer).isInstanceOf(Validity.class);
        assertThat(((Validity) answer).length()).isEqualTo(LEASE);
        expectTimeToLive(lock, BOTH.toMillis());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s15_aReleaseFreesTheLockAtOnce(boolean repeats) throws InterruptedException {
        release(delayed(repeats ? repeating : one).acquire());

        assertThat(admin.exists(lock)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s15_aReleaseThatArrivesAfterTheLeaseChangesNothing(boolean repeats) throws InterruptedException {
        TestContender holder = delayed(repeats ? repeating : one);
        Grant held = holder.acquire();
        queuedWaiter(other);
        endLease();

        assertThat(held.release(TestContender.deadline())).isEqualTo(Release.GONE);

        expectHolder(holder);
        expectTimeToLive(lock, DELAY.toMillis());
    }

    @Test
    void s15_aReleaseTogetherWithOthersThatArrivesAfterTheLeaseChangesNothing() throws InterruptedException {
        TestContender holder = delayed(one);
        Grant held = holder.acquire();
        List<Grant> all = List.of(held, another("b"), another("c"));
        endLease();

        assertThat(one.releaseAll(all, TestContender.deadline()).get(held)).isEqualTo(Release.GONE);

        expectDelay(holder, held.fencingBase());
    }

    /** Acquires another lock, which has no delay. */
    private Grant another(String ending) throws InterruptedException {
        return TestContender.trying(one, name + ending, LEASE).acquire();
    }

    @Test
    void s15_nothingOfTheLostHolderChangesTheDelay() throws InterruptedException {
        TestContender holder = delayed(one);
        Grant held = holder.acquire();
        endLease();

        assertThat(holder.renew(held, LEASE)).isEqualTo("gone");
        assertThat(held.keep(BOTH, TestContender.deadline())).isEqualTo(Release.GONE);

        expectDelay(holder, held.fencingBase());
        trying(other).findBusy();
        delayed(one).findBusy();
    }

    @Test
    void s15_aRenewalTogetherWithOthersChangesNoDelay() throws InterruptedException {
        TestContender holder = delayed(one);
        Grant held = holder.acquire();
        List<Grant> all = List.of(held, another("b"), another("c"));
        endLease();

        List<Object> answers = TestContender.renewAll(one, all, LEASE);

        assertThat(answers.get(0)).isEqualTo("gone");
        assertThat(answers.subList(1, 3)).allMatch(Validity.class::isInstance);
        expectDelay(holder, held.fencingBase());
    }

    @Test
    void s15_whileASlotMigratesTheLockKeyAloneSaysThatTheLeaseIsOver() throws InterruptedException {
        TestContender holder = delayed(one);
        Grant held = holder.acquire();
        endLease();
        long delay = DELAY.toMillis();

        assertThat(holder.callAlone(Script.END_ALONE, 0, 0, delay)).isNotEmpty();
        assertThat(holder.callAlone(Script.KEEP_ALONE, 0, BOTH.toMillis(), delay))
                .isNotEmpty();
        expectDelay(holder, held.fencingBase());

        admin.pexpire(lock, BOTH.toMillis());
        assertThat(holder.callAlone(Script.END_ALONE, 0, 0, delay)).isEmpty();
        assertThat(admin.exists(lock)).isFalse();
    }

    @Test
    void s15_aLossThatTheClientReportsKeepsTheLockForTheRestOfTheDelay() throws InterruptedException {
        TestContender holder = delayed(one);
        Grant held = holder.acquire();

        assertThat(held.keep(DELAY.dividedBy(2), TestContender.deadline())).isEqualTo(Release.RELEASED);

        assertThat(admin.get(lock))
                .isEqualTo(holder.record(held.fencingBase())
                        .replaceFirst("^\\S+\t1\tlock\t", "kept\t1\tkept\t")
                        .replace("\t\t60000", ""));
        expectTimeToLive(lock, DELAY.dividedBy(2).toMillis());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s15_aHandoffHasTheDelayOfItsReceiver(boolean repeats) throws InterruptedException {
        Grant held = delayed(repeats ? repeating : one).acquire();
        TestContender next = delayed(other);
        next.findBusy();

        release(held);

        expectHolderWithoutWaiters(next);
        expectTimeToLive(lock, RedisContender.HANDOFF_LEASE.plus(DELAY).toMillis());
    }

    @Test
    void s15_aContenderWithoutADelayGetsNone() throws InterruptedException {
        Grant held = delayed(one).acquire();
        TestContender next = queuedWaiter(other);

        release(held);

        expectHolderWithoutWaiters(next);
        expectTimeToLive(lock, RedisContender.HANDOFF_LEASE.toMillis());
    }

    @Test
    void s15_aWithdrawnContenderThatWasServedFreesTheLockAtOnce() throws InterruptedException {
        Grant held = delayed(one).acquire();
        TestContender next = delayed(other);
        next.findBusy();
        release(held);
        expectHolder(next);

        next.withdraw();

        assertThat(admin.exists(lock)).isFalse();
    }

    @Test
    void s15_aWithdrawalEndsTheDelay() throws InterruptedException {
        TestContender holder = delayed(one);
        holder.acquire();
        endLease();

        holder.withdraw();

        assertThat(admin.exists(lock)).isFalse();
    }

    @Test
    void v12_aRequestForReleaseIsForNoHoldThatWasLost() throws InterruptedException {
        delayed(one).acquire();
        assertThat(requestRelease()).isOne();
        endLease();

        assertThat(requestRelease()).isZero();
    }

    private int requestRelease() throws InterruptedException {
        return other.requestRelease(name, LockOwner.of("host", 1, "another", "main"), TestContender.deadline());
    }

    @Test
    void v2_aWaiterAsksWhenTheDelayIsOver() throws InterruptedException {
        delayed(one).acquire();
        TestContender waiter = queuedWaiter(other);
        admin.pexpire(lock, 3_000);

        assertThat(waiter.findBusy()).isLessThanOrEqualTo(Duration.ofMillis(3_001));
        await("the key has expired", () -> !admin.exists(lock));
        waiter.acquire();

        expectHolder(waiter);
    }

    @Test
    void api_theInspectorShowsTheLeaseAndThenAKeptLock() throws InterruptedException {
        TestContender holder = delayed(one);
        holder.acquire();

        LockStatus status = other.inspect(name, TestContender.deadline());
        endLease();
        LockStatus later = other.inspect(name, TestContender.deadline());

        LockStatus.Holder seen = status.holders().get(0);
        assertThat(seen.owner()).isEqualTo(holder.owner());
        assertThat(seen.remainingLease()).isBetween(LEASE.minus(PATIENCE), LEASE);
        assertThat(status.kept()).isEmpty();
        assertThat(later.holders()).isEmpty();
        assertThat(later.kept().orElseThrow().owner()).isEqualTo(holder.owner());
        assertThat(later.kept().orElseThrow().remaining()).isBetween(DELAY.minus(PATIENCE), DELAY);
    }

    @Test
    void api_aForcedReleaseByTheTokenChangesNoDelayAndOneOfAllEndsIt() throws InterruptedException {
        TestContender holder = delayed(one);
        Grant held = holder.acquire();
        endLease();

        assertThat(forceRelease(other, name, held.fencingBase())).isEmpty();
        expectDelay(holder, held.fencingBase());

        assertThat(other.forceRelease(name, OptionalLong.empty(), TestContender.deadline()))
                .isEmpty();
        assertThat(admin.exists(lock)).isFalse();
    }

    @Test
    void api_aForcedReleaseByTheTokenFreesALockWithADelayAtOnce() throws InterruptedException {
        Grant held = delayed(one).acquire();

        List<LockStatus.Holder> ended = forceRelease(other, name, held.fencingBase());

        assertThat(ended).hasSize(1);
        assertThat(ended.get(0).remainingLease()).isLessThanOrEqualTo(LEASE);
        assertThat(admin.exists(lock)).isFalse();
    }
}

package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a contender concludes from the answers of a server, and asks next. */
class ContenderAnswersTest extends ScriptedTest {
    private static final String NAME = "name";
    private static final long MARKER = 5;
    private static final Duration LONGEST = Duration.ofSeconds(30);

    @BeforeEach
    void beBusy() {
        answer(Script.ACQUIRE_FREE, List.of());
        answerBusy(LEASE.multipliedBy(2).toMillis());
        answer(Script.WITHDRAW, List.of());
    }

    private void answerBusy(long ttlMillis) {
        answer(Script.ACQUIRE, List.of(0L, ttlMillis, MARKER));
    }

    /** Grants the lock, with greater and greater bases. */
    private void answerFree() {
        AtomicLong base = new AtomicLong(7);
        answers.put(Script.ACQUIRE_FREE, call -> List.of(base.incrementAndGet()));
    }

    private void answerHeartbeat(long intervalMillis) {
        answer(Script.HEARTBEAT, List.of(MARKER + 1, intervalMillis));
    }

    private TestContender waiting() {
        return TestContender.waiting(backend, NAME, LEASE);
    }

    private void listen() {
        redis.canListen = true;
        Waiting.await("the subscription", PATIENCE, () -> backend.hearsMessages() && redis.isSubscribed);
    }

    // Requests

    @Test
    void s1_aRequestHasTheLeaseAndTheTimeOfItsToken() throws InterruptedException {
        answer(Script.ACQUIRE_FREE, List.of(8L));

        waiting().acquire();

        assertThat(List.of(argument(3), argument(4))).containsExactly("30000", "3630000");
    }

    @Test
    void s15_aLockDelayMakesLeaseAndTokenLastLonger() throws InterruptedException {
        answer(Script.ACQUIRE_FREE, List.of(8L));

        TestContender.delayed(backend, NAME, LEASE, Duration.ofNanos(4_999_000_001L))
                .acquire();

        assertThat(List.of(argument(3), argument(4))).containsExactly("35000", "3635000");
    }

    @Test
    void v3_onlyAContenderThatWaitsHasAnEntry() throws InterruptedException {
        TestContender waiter = waiting();
        waiter.findBusy();
        assertThat(argument(5)).contains(waiter.value()).contains(backend.channel());
        assertThat(backend.waiting).containsOnlyKeys(waiter.value());
        waiter.forget();
        assertThat(backend.waiting).isEmpty();

        TestContender.trying(backend, NAME, LEASE).findBusy();

        assertThat(argument(5)).isEmpty();
        assertThat(backend.waiting).isEmpty();
    }

    @Test
    void v6_aHolderNoLongerWaits() throws InterruptedException {
        TestContender waiter = waiting();
        waiter.findBusy();
        answer(Script.ACQUIRE, List.of(1L, 8L, 0L, 0L));

        waiter.acquire();

        assertThat(backend.waiting).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"PT30S, 27000", "PT33S, 30000", "PT60S, 30000"})
    void v1_noEntryIsKeptForLongerThanALease(Duration lease, String longest) throws InterruptedException {
        TestContender waiter = TestContender.waiting(backend, NAME, lease);
        waiter.findBusy();
        answerHeartbeat(1_000);

        waiter.heartbeat();

        assertThat(argument(2)).isEqualTo(longest);
    }

    // Sticky holds

    private TestContender sticky() {
        return TestContender.sticky(backend, NAME, LEASE);
    }

    @Test
    void v11_theRecordOfAStickyHoldHasTheChannel() throws InterruptedException {
        answerFree();
        sticky().acquire();
        assertThat(argument(2)).contains(backend.channel());
        assertThat(backend.sticky).hasSize(1);

        TestContender.waiting(backend, "other", LEASE).acquire();

        assertThat(argument(2)).doesNotContain(backend.channel());
        assertThat(backend.sticky).hasSize(1);
    }

    @Test
    void v11_aStickyHoldHearsOthersIfItsClientDid() throws InterruptedException {
        answerFree();
        assertThat(sticky().acquire().hearsOthers())
                .as("without a subscription")
                .isFalse();
        listen();

        assertThat(sticky().acquire().hearsOthers()).isTrue();
        assertThat(waiting().acquire().hearsOthers())
                .as("a hold that is not sticky")
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource({"0, 0, true", "1, 0, true", "1, 1, false"})
    void v11_aStickyHoldOfALockWithAWaiterDoesNotHearOthers(long members, long waiters, boolean hears)
            throws InterruptedException {
        listen();
        answer(Script.ACQUIRE, List.of(1L, 8L, members, waiters));

        assertThat(sticky().acquire().hearsOthers()).isEqualTo(hears);
    }

    @Test
    void v11_aStickyHoldAfterABusyAnswerDoesNotHearOthers() throws InterruptedException {
        listen();
        TestContender waiter = sticky();
        waiter.findBusy();
        answer(Script.ACQUIRE, List.of(1L, 8L, 0L, 0L));

        assertThat(waiter.acquire().hearsOthers()).isFalse();
    }

    // Grants

    @Test
    void s3_aGrantOfAFreeLockThatDoesNotExceedTheFloorIsNotTaken() throws InterruptedException {
        answer(Script.ACQUIRE_FREE, List.of(7L));
        answer(Script.ACQUIRE, List.of(1L, 8L, 0L, 0L));

        Grant grant = TestContender.knowing(7, backend, NAME, LEASE).acquire();

        assertThat(grant.fencingBase()).isEqualTo(8);
    }

    @Test
    void s3_aGrantOfAFreeLockThatExceedsTheFloorIsTaken() throws InterruptedException {
        answer(Script.ACQUIRE_FREE, List.of(8L));

        Grant grant = TestContender.knowing(7, backend, NAME, LEASE).acquire();

        assertThat(grant.fencingBase()).isEqualTo(8);
        assertThat(requests(Script.ACQUIRE)).isZero();
    }

    @Test
    void s7_onlyTheFirstRequestForASharedHoldSaysThatNoneWasSentBefore() throws InterruptedException {
        answer(Script.ACQUIRE_SHARED, List.of(0L, 1_000L, MARKER, 0L));
        TestContender reader = TestContender.waiting(backend, NAME, LockMode.READ, LEASE);

        reader.findBusy();
        String first = argument(9);
        reader.findBusy();

        assertThat(List.of(first, argument(9))).containsExactly("0", "1");
    }

    // When to ask again

    @ParameterizedTest
    @CsvSource({"100, PT0.101S", "10000, PT0.25S", "0, PT0.001S", "-1, PT0.25S"})
    void v2_aWaiterWithoutMessagesPollsUntilTheKeyExpires(long ttl, Duration pause) throws InterruptedException {
        answerBusy(ttl);

        assertThat(waiting().findBusy()).isEqualTo(pause);
    }

    @ParameterizedTest
    @CsvSource({"100, PT0.101S", "60000, PT30S"})
    void v2_aWaiterWithMessagesAsksWhenTheKeyExpires(long ttl, Duration pause) throws InterruptedException {
        listen();
        answerBusy(ttl);

        assertThat(waiting().findBusy()).isEqualTo(pause);
    }

    @Test
    void v4_aContenderThatDoesNotWaitDoesNotPoll() throws InterruptedException {
        assertThat(TestContender.trying(backend, NAME, LEASE).findBusy()).isEqualTo(LONGEST);
    }

    @Test
    void v2_theFirstWaiterPollsTheHoldOfAnotherProgram() throws InterruptedException {
        listen();
        answer(Script.ACQUIRE, List.of(0L, 60_000L, MARKER, "digest".getBytes(UTF_8)));

        assertThat(waiting().findBusy()).isBetween(Duration.ofMillis(25), Duration.ofMillis(50));
    }

    @Test
    void v2_pausesForAKeyOfAnotherProgramThatDoesNotExpireGrow() {
        answer(Script.ACQUIRE, List.of(0L, -1L, MARKER, "digest".getBytes(UTF_8)));
        TestContender waiter = waiting();

        Waiting.await("a longer pause than for a key that expires", PATIENCE, () -> pause(waiter) > 100);
    }

    private static long pause(TestContender waiter) {
        try {
            return waiter.findBusy().toMillis();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void v6_aWaiterFarFromTheHeadSeldomAsks() throws InterruptedException {
        listen();
        TestContender waiter = waiting();
        waiter.findBusy();
        answerHeartbeat(10_000);
        waiter.heartbeat();

        assertThat(waiter.findBusy()).isEqualTo(Duration.ofMinutes(10));
    }

    @Test
    void v2_aWaiterNearTheHeadAsksAsOftenAsBefore() throws InterruptedException {
        listen();
        TestContender waiter = waiting();
        waiter.findBusy();

        assertThat(waiter.findBusy()).isEqualTo(LONGEST);
    }

    // Handoffs

    @Test
    void v3_aHandoffAfterTheLastBusyAnswerMakesAHolderWithoutARequest() throws InterruptedException {
        TestContender waiter = waiting();
        waiter.findBusy();

        waiter.hearsOfHandoff(MARKER + 1);

        assertThat(waiter.acquire().fencingBase()).isEqualTo(MARKER + 1);
        assertThat(waiter.wakeUps).hasValue(1);
        assertThat(requests(Script.ACQUIRE)).isEqualTo(1);
    }

    @Test
    void s6_aHandoffIsDatedAtTheRequestThatWasAnsweredBusyAndRenewedSoon() throws InterruptedException {
        TestContender waiter = waiting();
        waiter.findBusy();
        long answered = System.nanoTime();
        waiter.hearsOfHandoff(MARKER + 1);

        Grant grant = waiter.acquire();

        assertThat(grant.validity().from().nanoTime() - answered).isNotPositive();
        assertThat(grant.validity().length()).isEqualTo(RedisContender.HANDOFF_LEASE);
    }

    @Test
    void s3_aHandoffThatIsNotAfterTheLastBusyAnswerMakesNoHolder() throws InterruptedException {
        TestContender waiter = waiting();
        waiter.findBusy();

        waiter.hearsOfHandoff(MARKER);

        waiter.findBusy();
        assertThat(requests(Script.ACQUIRE)).isEqualTo(2);
    }

    @Test
    void s6_aHandoffLongAfterTheLastBusyAnswerMakesNoHolder() throws InterruptedException {
        TestContender waiter = waiting();
        waiter.findBusy();
        waiter.heardLate(MARKER + 1);

        waiter.hearsOfHandoff(MARKER + 2);

        waiter.findBusy();
        assertThat(requests(Script.ACQUIRE)).isEqualTo(2);
    }

    @Test
    void s6_aHandoffInTheSecondHalfOfItsLeaseMakesNoHolder() throws InterruptedException {
        TestContender waiter = waiting();
        waiter.findBusy();
        waiter.heardAfter(Duration.ofSeconds(2), MARKER + 1);

        waiter.hearsOfHandoff(MARKER + 2);

        waiter.findBusy();
        assertThat(requests(Script.ACQUIRE)).isEqualTo(2);
    }

    @Test
    void s6_aHandoffIsRenewedAfterAQuarterOfItsLease() throws InterruptedException {
        TestContender waiter = waiting();
        waiter.findBusy();
        waiter.heardAfter(Duration.ofMillis(500), MARKER + 1);
        waiter.hearsOfHandoff(MARKER + 2);

        Duration renewAfter = waiter.acquire().validity().renewAfter();

        assertThat(renewAfter).isBetween(Duration.ofMillis(1_250), RedisContender.HANDOFF_LEASE);
    }

    @Test
    void v3_anAnswerThatIsOlderThanTheLastOneChangesNothing() throws InterruptedException {
        TestContender waiter = waiting();
        waiter.findBusy();
        waiter.heardLate(MARKER - 1);

        waiter.hearsOfHandoff(MARKER + 1);

        assertThat(waiter.acquire().fencingBase()).isEqualTo(MARKER + 1);
    }

    @ParameterizedTest
    @CsvSource({"7, false", "8, false", "9, true"})
    void s3_aHandoffMustExceedWhatTheClientWasGrantedMeanwhile(long base, boolean makesAHolder)
            throws InterruptedException {
        TestContender waiter = waiting();
        waiter.findBusy();
        answer(Script.ACQUIRE, List.of(1L, 8L, 0L, 0L));
        waiting().acquire();
        beBusy();

        waiter.hearsOfHandoff(base);

        assertThat(waiter.attempt() instanceof Attempt.Granted).isEqualTo(makesAHolder);
    }

    @ParameterizedTest
    @CsvSource({"WRITE, false", "READ, true"})
    void s11_onlyReadersShareTheOrderOfTheirTokens(LockMode.Kind kind, boolean makesAHolder)
            throws InterruptedException {
        LockMode mode = kind == LockMode.Kind.WRITE ? LockMode.WRITE : LockMode.READ;
        List<?> busy = List.of(0L, 1_000L, MARKER, 0L);
        answer(Script.ACQUIRE_SHARED, busy);
        TestContender waiter = TestContender.waiting(backend, NAME, mode, LEASE);
        waiter.findBusy();
        answer(Script.ACQUIRE_SHARED, List.of(1L, 8L, 0L));
        TestContender.waiting(backend, NAME, mode, LEASE).acquire();
        answer(Script.ACQUIRE_SHARED, busy);

        waiter.hearsOfHandoff(7);

        assertThat(waiter.attempt() instanceof Attempt.Granted).isEqualTo(makesAHolder);
    }

    // Heartbeats

    @Test
    void v1_aBusyAnswerMakesAHeartbeatDue() throws InterruptedException {
        listen();
        TestContender waiter = waiting();
        waiter.findBusy();
        answerHeartbeat(10_000);
        waiter.heartbeat();
        waiter.findBusy();

        waiter.heartbeat();

        assertThat(requests(Script.HEARTBEAT)).isEqualTo(2);
    }

    @Test
    void v1_aWaiterWithMessagesSendsItsHeartbeatWhenItIsDue() throws InterruptedException {
        listen();
        TestContender waiter = waiting();
        waiter.findBusy();
        answerHeartbeat(10_000);
        waiter.heartbeat();

        waiter.heartbeat();

        assertThat(requests(Script.HEARTBEAT)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"near", "kept"})
    void v2_aMessageCallsForAHeartbeatAndARequest(String message) throws InterruptedException {
        listen();
        TestContender waiter = waiting();
        waiter.findBusy();
        answerHeartbeat(10_000);
        waiter.heartbeat();
        int before = waiter.wakeUps.get();

        redis.send(message + " " + waiter.value());

        waiter.heartbeat();
        assertThat(requests(Script.HEARTBEAT)).isEqualTo(2);
        assertThat(waiter.wakeUps).hasValue(before + 1);
    }

    @Test
    void v1_aWaiterWithoutMessagesAlwaysSendsItsHeartbeat() throws InterruptedException {
        TestContender waiter = waiting();
        waiter.findBusy();
        answerHeartbeat(10_000);
        waiter.heartbeat();

        waiter.heartbeat();

        assertThat(requests(Script.HEARTBEAT)).isEqualTo(2);
    }

    @Test
    void v2_aHeartbeatThatMayHaveMissedAHandoffWakesTheWaiter() throws InterruptedException {
        TestContender waiter = waiting();
        waiter.findBusy();
        answerHeartbeat(0);

        waiter.heartbeat();

        assertThat(waiter.wakeUps).hasValue(1);
    }

    @Test
    void v2_aHeartbeatThatFindsTheHoldOfAnotherProgramWakesTheWaiterOnce() throws InterruptedException {
        TestContender waiter = waiting();
        waiter.findBusy();
        byte[] digest = "digest".getBytes(UTF_8);
        answer(Script.HEARTBEAT, List.of(MARKER + 1, 1_000L, digest));
        waiter.heartbeat();
        assertThat(waiter.wakeUps).hasValue(1);
        answer(Script.ACQUIRE, List.of(0L, 60_000L, MARKER, digest));
        waiter.findBusy();

        waiter.heartbeat();

        assertThat(waiter.wakeUps).hasValue(1);
    }

    // Withdrawals

    @Test
    void s7_aContenderThatHasNotAskedWithdrawsNothing() throws InterruptedException {
        waiting().withdraw();

        assertThat(redis.sent).isEmpty();
    }

    @Test
    void s7_aWaiterIsWithdrawnWithoutATombstone() throws InterruptedException {
        TestContender waiter = waiting();
        waiter.findBusy();

        waiter.withdraw();

        assertThat(requests(Script.WITHDRAW)).isEqualTo(1);
        assertThat(argument(3)).as("whether it leaves a tombstone").isEqualTo("0");
    }

    @Test
    void s7_aContenderWithARequestOfUnknownOutcomeLeavesATombstone() throws InterruptedException {
        TestContender waiter = waiting();
        answer(Script.ACQUIRE, new IllegalStateException("broken"));
        assertThatThrownBy(waiter::attempt).hasMessage("broken");
        answerBusy(100);
        waiter.findBusy();

        waiter.withdraw();

        assertThat(argument(3)).as("whether it leaves a tombstone").isEqualTo("1");
    }

    @Test
    void s7_aRefusedContenderWithdrawsNothing() throws InterruptedException {
        TestContender waiter = waiting();
        answer(Script.ACQUIRE_FREE, new RequestRefusedException("no rights", null));
        assertThatThrownBy(waiter::attempt).hasMessage("no rights");

        waiter.withdraw();

        assertThat(requests(Script.WITHDRAW)).isZero();
    }

    @Test
    void s12_aContenderOfAnotherKindWithdrawsNothing() throws InterruptedException {
        TestContender waiter = waiting();
        answer(Script.ACQUIRE, List.of(-2L, "read-write".getBytes(UTF_8)));
        assertThatThrownBy(waiter::attempt).isInstanceOf(RequestRefusedException.class);

        waiter.withdraw();

        assertThat(requests(Script.WITHDRAW)).isZero();
    }

    @Test
    void s12_aWaiterThatFindsAnotherKindLaterIsWithdrawn() throws InterruptedException {
        TestContender waiter = waiting();
        waiter.findBusy();
        answer(Script.ACQUIRE, List.of(-2L, "read-write".getBytes(UTF_8)));
        assertThatThrownBy(waiter::attempt).isInstanceOf(RequestRefusedException.class);

        waiter.withdraw();

        assertThat(requests(Script.WITHDRAW)).isEqualTo(1);
    }

    @Test
    void v1_theNextServerWithdrawsAWaiterToo() throws InterruptedException {
        redis.followsFailovers = true;
        TestContender waiter = waiting();
        waiter.findBusy();
        waiter.withdraw();

        context.get().serverReplaced("server");

        Waiting.await("the second withdrawal", PATIENCE, () -> requests(Script.WITHDRAW) == 2);
    }

    // Slots that migrate, and queues

    @Test
    void v3_aLockThatWasBusyIsNotAskedForAsAFreeOne() throws InterruptedException {
        waiting().findBusy();
        redis.sent.clear();

        waiting().findBusy();

        assertThat(requests(Script.ACQUIRE_FREE)).isZero();
    }

    @Test
    void f1_aFreeLockInASlotThatMigratesIsAcquiredAsABusyOneIs() throws InterruptedException {
        answer(Script.ACQUIRE_FREE, new ErrorReply("TRYAGAIN slot", new IllegalStateException()));
        answer(Script.ACQUIRE, List.of(1L, 8L, 0L, 0L));

        assertThat(waiting().acquire().fencingBase()).isEqualTo(8);
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 0"})
    void v3_aLockThatHadAQueueIsNotAskedForAsAFreeOne(long others, long asFree) throws InterruptedException {
        answer(Script.ACQUIRE, List.of(1L, 8L, others, others));
        waiting().acquire();
        answer(Script.ACQUIRE, List.of(1L, 9L, others, others));
        redis.sent.clear();

        waiting().acquire();

        assertThat(requests(Script.ACQUIRE_FREE)).isEqualTo(asFree);
    }
}

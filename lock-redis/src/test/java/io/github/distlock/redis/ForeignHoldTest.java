package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.LockMode;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.params.SetParams;

/** V2: which waiter polls while another program holds the lock, and how often. */
class ForeignHoldTest extends SharedTest {
    private static final Duration TTL = Duration.ofMinutes(1);
    private static final Duration SHORTEST_PAUSE = Duration.ofMillis(25);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
    /** If the key expires. */
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(100);
    /** After this, a waiter asks again whatever it hears. Its heartbeats find a free lock sooner. */
    private static final Duration LONGEST_RETRY = Duration.ofSeconds(30);

    static Stream<LockMode> modes() {
        return Stream.of(LockMode.EXCLUSIVE, LockMode.READ, LockMode.WRITE, LockMode.permits(2, 3));
    }

    private static void expectPolling(TestContender waiter) throws InterruptedException {
        expectPause(LONGEST_PAUSE, waiter);
    }

    private static void expectPause(Duration most, TestContender waiter) throws InterruptedException {
        Duration again = waiter.findBusy();
        assertTrue(again.compareTo(SHORTEST_PAUSE) >= 0, "asks again after " + again);
        assertTrue(again.compareTo(most) <= 0, "asks again after " + again);
    }

    private static void expectNoPolling(TestContender waiter) throws InterruptedException {
        assertEquals(LONGEST_RETRY, waiter.findBusy());
    }

    private static boolean isWokenByHeartbeat(TestContender waiter) throws InterruptedException {
        int before = waiter.wakeUps.get();
        waiter.heartbeat();
        return waiter.wakeUps.get() > before;
    }

    /** A foreign program holds the lock under a value that does not expire. */
    private void holdForGood(String value) {
        admin.set(lock, value);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void v2_theFirstWaiterPollsAndNoOther(LockMode mode) throws InterruptedException {
        subscribe();
        holdByForeignProgram(TTL);

        TestContender first = waiting(one, mode);
        expectPolling(first);

        expectNoPolling(waiting(other, mode));
        expectNoPolling(trying(other, mode));
        expectPolling(first);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void v2_theNextWaiterPollsWhenTheFirstOneHasGone(LockMode mode) throws InterruptedException {
        subscribe();
        holdByForeignProgram(TTL);
        TestContender first = queued(waiting(one, mode));
        TestContender next = queued(waiting(other, mode));
        assertFalse(isWokenByHeartbeat(next));

        first.withdraw();

        assertTrue(isWokenByHeartbeat(next));
        expectPolling(next);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void v2_theNextWaiterPollsWhenTheFirstOneIsSilent(LockMode mode) throws InterruptedException {
        subscribe();
        holdByForeignProgram(TTL);
        TestContender first = queued(waiting(one, mode));
        TestContender next = queued(waiting(other, mode));

        goSilent(first);

        assertTrue(isWokenByHeartbeat(next));
        expectPolling(next);
        expectQueued(next);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void v2_aHeartbeatFindsAnotherHoldAndNotTheOneThatIsPolled(LockMode mode) throws InterruptedException {
        subscribe();
        holdByForeignProgram(TTL);
        TestContender first = queued(waiting(one, mode));
        assertFalse(isWokenByHeartbeat(first));

        admin.set(lock, "another value", SetParams.setParams().px(TTL.toMillis()));

        assertTrue(isWokenByHeartbeat(first));
    }

    @ParameterizedTest
    @MethodSource("modes")
    void v2_theFirstWaiterStopsPollingOnceThisLibraryHoldsTheLock(LockMode mode) throws InterruptedException {
        subscribe();
        holdByForeignProgram(TTL);
        TestContender first = waiting(one, mode);
        expectPolling(first);

        String record = "value\t1\t" + WireFormat.word(mode) + "\t1\t5\towner";
        admin.set(lock, record, SetParams.setParams().px(TTL.toMillis()));

        expectNoPolling(first);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"value\t2\tlock\t1\t5\towner", "value\t1\tother\t1\t5\towner", "value\t1\tlock\t2\t5\towner"})
    void v2_aRecordOfAnotherFormatIsNotThatOfAnotherProgram(String record) throws InterruptedException {
        subscribe();
        admin.set(lock, record, SetParams.setParams().px(TTL.toMillis()));

        expectNoPolling(waiting(one));
    }

    @Test
    void v2_aKeyThatIsNoStringIsNotPolled() throws InterruptedException {
        subscribe();
        admin.lpush(lock, "element");

        expectNoPolling(waiting(one));
    }

    @Test
    void v2_aWaiterAsksWhenTheKeyOfAnotherProgramExpires() {
        Duration ttl = Duration.ofMillis(20);

        await("the lock is busy, and the waiter asks when it will be free", () -> {
            holdByForeignProgram(ttl); // It may end before the waiter asks.
            return attempt(waiting(one)) instanceof Attempt.Busy busy
                    && busy.retryAfter().compareTo(ttl.plusMillis(1)) <= 0;
        });
    }

    @Test
    void v2_aHoldThatDoesNotExpireIsPolledMoreAndMoreSeldom() throws InterruptedException {
        subscribe();
        holdForGood("a value");
        TestContender waiter = waiting(one);
        expectPause(FIRST_PAUSE, waiter);

        await("a longer pause", () -> {
            Attempt.Busy busy = (Attempt.Busy) attempt(waiter);
            return busy.retryAfter().compareTo(FIRST_PAUSE) > 0;
        });
        holdForGood("another value");

        expectPause(FIRST_PAUSE, waiter);
    }

    private static Attempt attempt(TestContender waiter) {
        try {
            return waiter.attempt();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 25, 50", "400, 25, 50", "800, 40, 80", "3_600_000, 50, 100"})
    void v2_pausesStayShortIfTheKeyExpires(String age, String least, String most) {
        expectPauses(age, true, millis(least), millis(most));
    }

    @ParameterizedTest
    @CsvSource({"0, 25, 50", "400, 25, 50", "800, 40, 80", "10_000, 500, 1_000", "3_600_000, 180_000, 360_000"})
    void v2_pausesGrowToSecondsIfTheKeyDoesNotExpire(String age, String least, String most) {
        expectPauses(age, false, millis(least), millis(most));
    }

    private static long millis(String number) {
        return Long.parseLong(number.replace("_", ""));
    }

    private static void expectPauses(String age, boolean expires, long least, long most) {
        long seenAt = Long.MAX_VALUE - 1;
        long now = seenAt + Duration.ofMillis(millis(age)).toNanos();
        ForeignHold hold = new ForeignHold("digest", seenAt);
        for (int i = 0; i < 100; i++) {
            Duration pause = hold.pollAfter(now, expires);
            assertTrue(pause.compareTo(Duration.ofMillis(least)) >= 0, "polls after " + pause);
            assertTrue(pause.compareTo(Duration.ofMillis(most)) <= 0, "polls after " + pause);
        }
    }
}

package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.RequestRefusedException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import redis.clients.jedis.params.SetParams;

/** Handoffs that leave the lock to other programs first. */
class ForeignTurnsTest extends SharedTest {
    private static final Duration TURN = Duration.ofMillis(900);
    private static final Duration SHORT_TURN = Duration.ofMillis(30);

    private final RedisBackend yielding = yielding(TURN, false);
    private final RedisBackend briefly = yielding(SHORT_TURN, false);
    private final RedisBackend publishing = yielding(TURN, true);

    private static RedisBackend yielding(Duration time, boolean publishes) {
        RedisBackendBuilder builder = RedisBackend.builder(SERVER.uri()).yieldToForeignClients(1, time);
        return started((publishes ? builder.publishFromClient() : builder).build());
    }

    @AfterEach
    void closeYielding() {
        Stream.of(yielding, briefly, publishing).forEach(RedisBackend::close);
    }

    /** What is held, and what waits for it. */
    static Stream<Arguments> holdersAndWaiters() {
        return Stream.of(
                Arguments.of(LockMode.EXCLUSIVE, LockMode.EXCLUSIVE),
                Arguments.of(LockMode.WRITE, LockMode.WRITE),
                Arguments.of(LockMode.WRITE, LockMode.READ),
                Arguments.of(LockMode.READ, LockMode.WRITE),
                Arguments.of(LockMode.permits(3, 3), LockMode.permits(2, 3)));
    }

    /** A foreign program tries to acquire the lock. */
    private boolean takeByForeignProgram() {
        return admin.set(lock, "a foreign value", SetParams.setParams().nx().px(60_000)) != null;
    }

    @CanIgnoreReturnValue
    private TestContender queued(RedisBackend backend, LockMode mode) throws InterruptedException {
        return queued(waiting(backend, mode));
    }

    /** Asks until the lock is granted, as an engine does. */
    @CanIgnoreReturnValue
    private static Grant acquireSoon(TestContender waiter) {
        Attempt[] last = new Attempt[1];
        await("the lock is granted", () -> {
            last[0] = attempt(waiter);
            return last[0] instanceof Attempt.Granted;
        });
        return ((Attempt.Granted) last[0]).grant();
    }

    private static Attempt attempt(TestContender waiter) {
        try {
            return waiter.attempt();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("holdersAndWaiters")
    void v3_aReleaseFreesTheLockForOtherProgramsBeforeItsWaiter(LockMode held, LockMode waits)
            throws InterruptedException {
        subscribe();
        Grant hold = waiting(yielding, held).acquire();
        TestContender waiter = queued(other, waits);

        release(hold);

        Duration again = waiter.findBusy();
        assertTrue(again.compareTo(TURN.plusMillis(1)) <= 0, "asks again after " + again);
        assertTrue(takeByForeignProgram());
    }

    @ParameterizedTest
    @MethodSource("holdersAndWaiters")
    void v3_theFirstWaiterPollsOnceAnotherProgramHasTakenTheLock(LockMode held, LockMode waits)
            throws InterruptedException {
        Grant hold = waiting(yielding, held).acquire();
        TestContender waiter = queued(other, waits);
        release(hold);

        assertTrue(takeByForeignProgram());

        Duration again = waiter.findBusy();
        assertTrue(again.compareTo(Duration.ofMillis(50)) <= 0, "asks again after " + again);
        admin.del(lock);
        waiter.acquire();
    }

    /** Returns a mode that does not fit beside another one, so that a late contender stays busy after the turn, too. */
    private static LockMode conflicting(LockMode mode) {
        if (mode.equals(LockMode.READ)) {
            return LockMode.WRITE;
        }
        return mode.equals(LockMode.WRITE) ? LockMode.READ : mode;
    }

    @ParameterizedTest
    @MethodSource("holdersAndWaiters")
    void v3_withoutOtherProgramsTheFirstWaiterAcquiresTheLockAndALaterOneDoesNotOvertake(LockMode held, LockMode waits)
            throws InterruptedException {
        Grant hold = waiting(briefly, held).acquire();
        TestContender first = queued(other, waits);
        release(hold);

        TestContender late = waiting(one, conflicting(waits));
        late.findBusy();
        Grant granted = acquireSoon(first);

        assertTrue(granted.fencingBase() > hold.fencingBase());
    }

    /** The server's clock may have been set back since. */
    @ParameterizedTest
    @MethodSource("holdersAndWaiters")
    void v2_aTurnThatWouldLastForTooLongIsOver(LockMode held, LockMode waits) throws InterruptedException {
        Grant hold = waiting(yielding, held).acquire();
        TestContender waiter = queued(other, waits);
        release(hold);
        String turn = admin.zrange(queue, 0, 0).get(0);

        admin.zadd(alive, serverMicros() + 60_000_000.0, turn);

        waiter.acquire();
    }

    @Test
    void v3_anArrivalAfterTheTurnHasTheFirstWaiterServed() throws InterruptedException {
        Grant held = waiting(briefly).acquire();
        TestContender first = queuedWaiter(other);
        release(held);
        await("the turn is over", () -> admin.zcount(alive, (double) serverMicros(), Double.MAX_VALUE) == 1);

        TestContender late = queuedWaiter(one);

        expectHolderWithWaiters(first);
        expectQueued(late);
    }

    @Test
    void v2_onlyTheFirstWaiterAsksWhenTheTurnIsOver() throws InterruptedException {
        subscribe();
        Grant held = waiting(yielding).acquire();
        TestContender first = queuedWaiter(other);
        TestContender second = queuedWaiter(one);
        release(held);

        Duration again = second.findBusy();

        assertEquals(Duration.ofMillis(1_001), again);
        Duration firstAgain = first.findBusy();
        assertTrue(firstAgain.compareTo(TURN.plusMillis(1)) <= 0, "the first one asks again after " + firstAgain);
    }

    @ParameterizedTest
    @MethodSource("holdersAndWaiters")
    void v2_aMessageHasTheFirstWaiterAsk(LockMode held, LockMode waits) throws InterruptedException {
        expectMessage(yielding, held, waits);
    }

    @ParameterizedTest
    @MethodSource("holdersAndWaiters")
    void v2_aClientThatPublishesItselfHasTheFirstWaiterAsk(LockMode held, LockMode waits) throws InterruptedException {
        expectMessage(publishing, held, waits);
    }

    private void expectMessage(RedisBackend releasing, LockMode held, LockMode waits) throws InterruptedException {
        subscribe();
        Grant hold = waiting(releasing, held).acquire();
        TestContender waiter = queued(other, waits);

        release(hold);

        await("the message has arrived", () -> waiter.wakeUps.get() > 0);
    }

    @Test
    void v2_aHeartbeatHasTheFirstWaiterAskIfTheMessageIsLost() throws InterruptedException {
        Grant held = waiting(yielding).acquire();
        TestContender waiter = queuedWaiter(other);
        release(held);
        waiter.findBusy();
        int before = waiter.wakeUps.get();

        waiter.heartbeat();

        await("it asks", () -> waiter.wakeUps.get() > before);
    }

    @Test
    void v6_aReleaseWithoutWaitersLeavesNothing() throws InterruptedException {
        TestContender holder = waiting(yielding);
        Grant held = holder.acquire();
        TestContender gone = queuedWaiter(other);
        gone.withdraw();

        release(held);

        assertEquals(Set.of(token), admin.keys("*" + name + "*"));
    }

    @ParameterizedTest
    @MethodSource("holdersAndWaiters")
    void v6_aTurnThatNoOtherProgramTakesLeavesNothing(LockMode held, LockMode waits) throws InterruptedException {
        Grant hold = waiting(briefly, held).acquire();
        TestContender waiter = queued(other, waits);
        release(hold);

        release(acquireSoon(waiter));

        assertEquals(Set.of(token), admin.keys("*" + name + "*"));
    }

    @Test
    void v6_aTurnWhoseWaitersHaveGoneExpiresWithTheQueue() throws InterruptedException {
        Grant held = waiting(yielding).acquire();
        TestContender waiter = queuedWaiter(other);
        release(held);

        waiter.withdraw();

        expectTimeToLive(queue, RedisContender.ALIVE_FOR.toMillis());
        expectTimeToLive(alive, RedisContender.ALIVE_FOR.toMillis());
        release(acquireSoon(waiting(one)));
        assertEquals(Set.of(token), admin.keys("*" + name + "*"));
    }

    @Test
    void v3_aClientThatClosesYieldsToo() throws InterruptedException {
        Grant held = waiting(yielding).acquire();
        queuedWaiter(other);

        assertEquals(
                Set.of(held),
                yielding.releaseAll(List.of(held), TestContender.deadline()).keySet());

        assertTrue(takeByForeignProgram());
    }

    @Test
    void v3_onlyTheReleaseOfTheLastReaderYields() throws InterruptedException {
        Grant first = waiting(yielding, LockMode.READ).acquire();
        Grant last = waiting(yielding, LockMode.READ).acquire();
        queued(other, LockMode.WRITE);

        release(first);
        assertFalse(takeByForeignProgram());
        release(last);

        assertTrue(takeByForeignProgram());
    }

    @Test
    void v10_waitersThatFitBesideOtherHoldersAreServedAtOnce() throws InterruptedException {
        Grant some = waiting(yielding, LockMode.permits(2, 3)).acquire();
        TestContender stays = waiting(yielding, LockMode.permits(1, 3));
        stays.acquire();
        TestContender waiter = queued(other, LockMode.permits(2, 3));

        release(some);

        expectHolders(stays, waiter);
    }

    @ParameterizedTest
    @MethodSource("holdersAndWaiters")
    void v1_theReleaseOfAHoldThatIsGoneDoesNotYield(LockMode held, LockMode waits) throws InterruptedException {
        Grant hold = waiting(yielding, held).acquire();
        TestContender waiter = queued(other, waits);
        admin.del(lock);

        assertEquals(Grant.Release.GONE, hold.release(TestContender.deadline()));

        waiter.acquire();
    }

    @Test
    void s12_theKindOfTheNameStaysKnown() throws InterruptedException {
        Grant held = waiting(yielding, LockMode.WRITE).acquire();
        queued(other, LockMode.READ);
        release(held);
        admin.del(token);

        assertThrows(RequestRefusedException.class, () -> waiting(one).attempt());
    }

    @Test
    void api_anInspectorSeesWaitersAlone() throws InterruptedException {
        Grant held = waiting(yielding).acquire();
        TestContender waiter = queuedWaiter(other);

        release(held);

        expectWaiters(one.inspect(name, TestContender.deadline()), waiter);
    }

    @Test
    void api_handoffsDoNotYieldByDefault() throws InterruptedException {
        assertEquals(0, ForeignTurns.NONE.drawMillis());
        Grant held = waiting(one).acquire();
        TestContender waiter = queuedWaiter(other);

        release(held);

        expectHolder(waiter);
    }

    @Test
    void api_theChanceOfAHandoffIsThatOfTheSetting() {
        ForeignTurns quarter = new ForeignTurns(4, SHORT_TURN);

        List<Long> drawn =
                IntStream.range(0, 10_000).mapToObj(i -> quarter.drawMillis()).toList();

        assertEquals(Set.of(0L, SHORT_TURN.toMillis()), Set.copyOf(drawn));
        long yields = drawn.stream().filter(millis -> millis > 0).count();
        assertTrue(yields > 2_000 && yields < 3_000, yields + " of 10,000 handoffs");
    }

    @Test
    void s7_aFirstWaiterThatWithdrawsLeavesTheLockToTheNextOne() throws InterruptedException {
        Grant held = waiting(briefly).acquire();
        TestContender first = queuedWaiter(other);
        TestContender next = queuedWaiter(other);
        release(held);

        first.withdraw();

        assertInstanceOf(Grant.class, acquireSoon(next));
    }
}

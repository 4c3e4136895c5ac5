package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockStatus;
import io.github.distlock.spi.LockMode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Very many queue entries of one name. One script keeps many of them, and inspectors read them in parts. */
class ManyWaitersTest extends ContenderTest {
    /** By the subscription, and by a message. */
    private static final int WAKE_UPS_OF_FIRST = 2;

    private final List<TestContender> waiters = new ArrayList<>();

    private void queue(int number, LockMode mode) throws InterruptedException {
        for (int i = 0; i < number; i++) {
            TestContender waiter = TestContender.waiting(other, name, mode, LEASE);
            waiter.findBusy();
            waiters.add(waiter);
            if (i == 0) {
                awaitSubscription(other, waiter);
            }
        }
    }

    /** The subscription wakes those that wait. It has done so when it reads a message, which wakes the first one. */
    private void awaitSubscription(RedisBackend backend, TestContender first) {
        await("it is subscribed", () -> first.wakeUps.get() == 1);
        admin.publish(backend.channel(), "near " + first.value());
        await("a message has arrived", () -> first.wakeUps.get() == WAKE_UPS_OF_FIRST);
    }

    private void heartbeat() throws InterruptedException {
        TestContender.heartbeat(other, waiters);
    }

    /** Returns the positions of the contenders that have to ask again. */
    private List<Integer> called() {
        return IntStream.range(0, waiters.size())
                .filter(i -> waiters.get(i).wakeUps.get() > (i == 0 ? WAKE_UPS_OF_FIRST : 0))
                .boxed()
                .toList();
    }

    /** Returns whether the last heartbeat of a waiter came after a time by the server's clock. */
    private boolean isKeptSince(double micros, TestContender waiter) {
        return admin.zscore(alive, entry(waiter)) > micros + 3_000_000;
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 63, 64, 65, 130})
    void v1_heartbeatsKeepAllEntriesOfAClient(int number) throws InterruptedException {
        waiting(one).acquire();
        queue(number, LockMode.EXCLUSIVE);
        admin.zrange(queue, 0, -1).forEach(entry -> admin.zadd(alive, 1, entry));
        double before = serverMicros();

        heartbeat();

        assertEquals(List.of(), called());
        assertTrue(waiters.stream().allMatch(waiter -> isKeptSince(before, waiter)), "all are alive");
        assertTrue(aliveFor(waiters.get(0)) <= 4_000, "the first one for 4 s");
    }

    @Test
    void v1_entriesFarFromTheHeadAreKeptForLongerInTheSameRequest() throws InterruptedException {
        waiting(one).acquire();
        queue(2, LockMode.EXCLUSIVE);
        addEntries("lock\t1", 160);
        admin.zadd(queue, 0.5, entry(waiters.get(0)));

        heartbeat();

        assertTrue(aliveFor(waiters.get(0)) <= 4_000, "the first entry");
        assertTrue(aliveFor(waiters.get(1)) > 10_000, "the one behind 161 others");
        assertTrue(admin.pttl(alive) > 10_000 && admin.pttl(queue) > 10_000, "the keys");
    }

    @ParameterizedTest
    @EnumSource(
            value = LockMode.Kind.class,
            names = {"EXCLUSIVE", "WRITE"})
    void v2_oneHeartbeatTellsEachContenderWhetherItHasMissedAnything(LockMode.Kind kind) throws InterruptedException {
        LockMode mode = kind == LockMode.Kind.WRITE ? LockMode.WRITE : LockMode.EXCLUSIVE;
        TestContender.waiting(one, name, mode, LEASE).acquire();
        queue(5, mode);
        admin.zrem(queue, entry(waiters.get(3)));
        admin.set(lock, waiters.get(0).record(1));
        admin.zrem(queue, entry(waiters.get(0)));

        heartbeat();

        assertEquals(List.of(0, 3), called());
    }

    @Test
    void v2_theFirstWaiterAmongManyPollsAForeignHold() throws InterruptedException {
        waiting(one).acquire();
        queue(3, LockMode.EXCLUSIVE);
        admin.set(lock, "of another program");

        heartbeat();

        assertEquals(List.of(0), called());
    }

    @Test
    void v2_eachContenderAsksIfItsHeartbeatIsRefused() throws InterruptedException {
        waiting(one).acquire();
        TestContender first = queuedWaiter(restricted);
        awaitSubscription(restricted, first);
        TestContender second = queuedWaiter(restricted);
        changeRights("resetkeys");

        TestContender.heartbeat(restricted, List.of(first, second));

        assertEquals(List.of(WAKE_UPS_OF_FIRST + 1, 1), List.of(first.wakeUps.get(), second.wakeUps.get()));
    }

    @Test
    void v4_eachContenderAsksIfItsHeartbeatIsNotAnswered() throws InterruptedException {
        waiting(one).acquire();
        queue(2, LockMode.EXCLUSIVE);
        other.close();

        assertThrows(RuntimeException.class, this::heartbeat);

        assertEquals(List.of(0, 1), called());
    }

    @Test
    void v6_aHeartbeatForSeveralNamesKeepsTheEntriesOfEach() throws InterruptedException {
        waiting(one).acquire();
        TestContender.waiting(one, name + "2", LEASE).acquire();
        queue(2, LockMode.EXCLUSIVE);
        TestContender elsewhere = TestContender.waiting(other, name + "2", LEASE);
        elsewhere.findBusy();
        String aliveThere = "distlock:{" + lock + "2}:alive";
        waiters.forEach(this::goSilent);
        String entry = admin.zrange(aliveThere, 0, 0).get(0);
        admin.zadd(aliveThere, 1, entry);
        double before = serverMicros();

        TestContender.heartbeat(other, List.of(waiters.get(0), elsewhere, waiters.get(1)));

        assertTrue(waiters.stream().allMatch(waiter -> isKeptSince(before, waiter)));
        assertTrue(admin.zscore(aliveThere, entry) > serverMicros());
    }

    @ParameterizedTest
    @ValueSource(ints = {499, 500, 501, 1_000, 1_300})
    void api_anInspectorSeesEachWaiterOnceInTheOrderOfTheQueue(int number) throws InterruptedException {
        waiting(one).acquire();
        Map<String, Double> entries = new HashMap<>();
        for (int i = 1; i <= number; i++) {
            entries.put("1\tlock\t1\tvalue" + i + "\tchannel\t3000\thost\t1\tclient\tthread" + i, (double) i);
        }
        admin.zadd(queue, entries);
        double aliveUntil = serverMicros() + 60_000_000.0;
        entries.replaceAll((entry, score) -> aliveUntil);
        admin.zadd(alive, entries);

        LockStatus status = one.inspect(name, TestContender.deadline());

        assertEquals(
                IntStream.rangeClosed(1, number).mapToObj(i -> "thread" + i).toList(),
                status.waiters().stream().map(waiter -> waiter.owner().thread()).toList());
        assertEquals(1, status.holders().size());
    }
}

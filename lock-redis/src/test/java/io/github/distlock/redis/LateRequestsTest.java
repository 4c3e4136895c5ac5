package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that arrive after the end of their contender, and the tombstones against them. */
class LateRequestsTest extends ContenderTest {
    private static final long TOMBSTONE_KEPT = 60_000;
    private static final int MOST_TOMBSTONES = 1_000;

    @Test
    void s7_aRequestThatArrivesAfterItsReleaseIsRefused() throws InterruptedException {
        TestContender contender = trying(repeating);
        release(contender.acquire());

        assertThrows(IllegalStateException.class, contender::attempt);

        assertFalse(admin.exists(lock));
    }

    @Test
    void s7_aRequestForALockWithoutAQueueChangesNothingAfterItsRelease() throws InterruptedException {
        TestContender contender = trying(repeating);
        release(contender.acquire());
        String last = admin.get(token);

        List<?> reply = contender.acquireFree(LEASE);

        assertEquals(List.of(), reply);
        assertFalse(admin.exists(lock));
        assertEquals(last, admin.get(token));
        expectTimeToLive(token, LEASE.plusHours(1).toMillis());
    }

    @Test
    void s7_aRequestForALockWithoutAQueueChangesNothingIfTheServerHasNoToken() throws InterruptedException {
        TestContender contender = trying(repeating);
        release(contender.acquire());
        admin.del(token);

        List<?> reply = contender.acquireFree(LEASE);

        assertEquals(List.of(), reply);
        assertEquals(0, admin.exists(lock, token));
    }

    @Test
    void s7_aRenewalThatRestoresTheTokenDoesNotHideATombstone() throws InterruptedException {
        TestContender late = trying(repeating);
        release(late.acquire());
        TestContender next = waiting(one);
        Grant held = next.acquire();
        admin.del(token);
        next.renewLater(held, LEASE);
        release(held);

        List<?> reply = late.acquireFree(LEASE);

        assertEquals(List.of(), reply);
        assertFalse(admin.exists(lock));
    }

    @Test
    void s7_aRequestThatArrivesAfterItsWithdrawalIsRefused() throws InterruptedException {
        TestContender contender = waiting(repeating);
        contender.acquire();
        contender.withdraw();

        assertThrows(IllegalStateException.class, contender::attempt);

        assertFalse(admin.exists(lock));
    }

    @Test
    void s7_aRequestThatArrivesAfterOthersHaveLeftTombstonesIsRefused() throws InterruptedException {
        TestContender contender = trying(repeating);
        release(contender.acquire());
        release(trying(repeating).acquire());

        assertThrows(IllegalStateException.class, contender::attempt);
    }

    @Test
    void s7_aReleaseThatArrivesTwiceHasReleased() throws InterruptedException {
        TestContender contender = waiting(repeating);
        Grant held = contender.acquire();
        Grant sameHold = contender.acquire();
        release(held);

        release(sameHold);

        assertFalse(admin.exists(lock));
    }

    @Test
    void s7_aRequestThatArrivesAfterAHandoffIsRefused() throws InterruptedException {
        TestContender contender = waiting(repeating);
        Grant held = contender.acquire();
        queuedWaiter(other);
        TestContender next = queuedWaiter(other);
        release(held);

        assertThrows(IllegalStateException.class, contender::attempt);

        expectQueued(next);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void v3_aTombstoneBesideAHandoffDoesNotWait(int deadEntries) throws InterruptedException {
        release(trying(repeating).acquire());
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        if (deadEntries > 0) {
            addDeadEntries("lock\t1", deadEntries);
        }
        TestContender waiter = queuedWaiter(other);
        expectHolderWithWaiters(holder);

        release(held);

        expectHolderWithoutWaiters(waiter);
        expectTokenWithQueue();
    }

    @Test
    void v3_aTombstoneDoesNotWait() throws InterruptedException {
        release(trying(repeating).acquire());
        TestContender contender = waiting(one);
        Grant held = contender.acquire();

        assertInstanceOf(Validity.class, contender.renew(held, LEASE));

        assertEquals(0, contender.timesWanted.get());
    }

    @Test
    void v6_theTokenDoesNotGrowWithEachTombstone() throws InterruptedException {
        waiting(one).acquire();

        queuedWaiter(repeating).withdraw();
        queuedWaiter(repeating).withdraw();

        expectTokenWithQueue();
    }

    @Test
    void v6_tombstonesExpire() throws InterruptedException {
        release(trying(repeating).acquire());

        expectTimeToLive(queue, TOMBSTONE_KEPT);
    }

    @Test
    void s7_aWaiterDoesNotShortenTheLifeOfATombstone() throws InterruptedException {
        release(trying(repeating).acquire());
        waiting(one).acquire();

        queuedWaiter(other);

        expectTimeToLive(queue, TOMBSTONE_KEPT);
    }

    @Test
    void v6_tombstonesThatAreOldAreRemovedAndYoungOnesStay() throws InterruptedException {
        long now = System.currentTimeMillis();
        admin.zadd(queue, TOMBSTONES + now - TOMBSTONE_KEPT - 10_000, "void\told");
        admin.zadd(queue, TOMBSTONES + now - TOMBSTONE_KEPT + 10_000, "void\tyoung");
        TestContender contender = trying(repeating);

        release(contender.acquire());

        assertEquals(List.of("void\tyoung", "void\t" + contender.value()), admin.zrange(queue, 0, -1));
    }

    @Test
    void v6_aThousandTombstonesAreKeptAndRemoveNoWaiter() throws InterruptedException {
        TestContender contender = waiting(repeating);
        Grant held = contender.acquire();
        TestContender first = queuedWaiter(other);
        TestContender second = queuedWaiter(other);
        long now = System.currentTimeMillis();
        admin.zadd(
                queue,
                IntStream.range(0, MOST_TOMBSTONES + 1)
                        .boxed()
                        .collect(Collectors.toMap(i -> "void\t" + i, i -> TOMBSTONES + now - MOST_TOMBSTONES + i)));

        release(held);

        expectHolder(first);
        expectQueued(second);
        assertEquals(MOST_TOMBSTONES, admin.zcard(queue) - 1);
        assertNull(admin.zscore(queue, "void\t" + 1), "the oldest go");
        assertTrue(admin.zscore(queue, "void\t" + 2) > 0);
    }

    @Test
    void v3_aTombstoneBehindWaitersIsNotServed() throws InterruptedException {
        TestContender holder = waiting(repeating);
        Grant held = holder.acquire();
        TestContender first = queuedWaiter(other);
        TestContender second = queuedWaiter(other);

        release(held);

        expectHolder(first);
        expectQueued(second);
        assertTrue(tombstone(holder) > TOMBSTONES);
    }

    private double tombstone(TestContender contender) {
        return admin.zscore(queue, "void\t" + contender.value());
    }

    @Test
    void s7_theOldestTombstonesAreRemovedFirstIfTheServersClockWasSetBack() throws InterruptedException {
        long ahead = System.currentTimeMillis() + Duration.ofHours(5).toMillis();
        admin.zadd(
                queue,
                IntStream.range(0, MOST_TOMBSTONES)
                        .boxed()
                        .collect(Collectors.toMap(i -> "void\t" + i, i -> TOMBSTONES + ahead + i)));
        TestContender late = trying(repeating);
        release(late.acquire());

        TestContender later = trying(repeating);
        release(later.acquire());

        assertThrows(IllegalStateException.class, late::attempt);
        assertTrue(tombstone(late) > TOMBSTONES + ahead + MOST_TOMBSTONES - 1);
        assertTrue(tombstone(later) > tombstone(late));
        assertEquals(MOST_TOMBSTONES, admin.zcard(queue));
        assertNull(admin.zscore(queue, "void\t" + 1), "the oldest go");
    }
}

package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a hold's request for another base answers and leaves. */
class NextBaseTest extends ContenderTest {
    private static final long A_DAY = 86_400_000_000L;

    private static OptionalLong nextBase(Grant held) throws InterruptedException {
        return held.nextBase(TestContender.deadline());
    }

    /** Returns the same hold as a request knows it that was made before. */
    private static Grant asBefore(TestContender holder, Grant held) {
        return holder.asIfGrantedBefore(Duration.ZERO, held, LEASE);
    }

    private void expectUnchanged(TestContender holder, Grant held) throws InterruptedException {
        String record = admin.get(lock);
        String last = admin.get(token);

        assertEquals(OptionalLong.empty(), nextBase(held));

        assertEquals(record, admin.get(lock));
        assertEquals(last, admin.get(token));
        expectHolder(holder);
    }

    @Test
    void s3_anotherBaseIsGreaterAndTakesThePlaceOfTheFirst() throws InterruptedException {
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        long first = held.fencingBase();

        long second = nextBase(held).orElseThrow();
        long third = nextBase(held).orElseThrow();

        assertTrue(first < second && second < third, first + ", " + second + ", " + third);
        assertEquals(holder.record(third), admin.get(lock));
        assertEquals(Long.toString(third), admin.get(token));
        release(held);
        assertTrue(trying(other).acquire().fencingBase() > third);
    }

    @Test
    void s3_anotherBaseHasAllItsDigitsAtTheBeginningOfASecond() throws InterruptedException {
        Grant held = waiting(one).acquire();
        await("a second has begun", () -> serverMicros() % 1_000_000 < 50_000);
        long before = serverMicros();

        assertTrue(nextBase(held).orElseThrow() >= before);
    }

    @Test
    void s6_anotherBaseDoesNotExtendTheLease() throws InterruptedException {
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        admin.pexpire(lock, PATIENCE.toMillis());
        admin.pexpire(token, PATIENCE.toMillis());

        nextBase(held).orElseThrow();

        expectTimeToLive(lock, PATIENCE.toMillis());
        expectTimeToLive(token, LEASE.toMillis() + TOKEN_KEPT.toMillis());
        assertInstanceOf(Validity.class, holder.renew(held, LEASE));
        expectTimeToLive(lock, LEASE.toMillis());
    }

    @Test
    void v3_noBaseIsMintedWhileAnotherContenderWaits() throws InterruptedException {
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        TestContender waiter = queuedWaiter(other);

        expectUnchanged(holder, held);

        release(held);
        expectHolder(waiter);
    }

    @Test
    void v3_noBaseIsMintedWhileTheLockMayHaveAQueue() throws InterruptedException {
        release(trying(repeating).acquire());
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        one.contention.note(name, false);

        expectUnchanged(holder, held);
    }

    @Test
    void v3_nothingIsSentIfTheLockIsLikelyToHaveAQueue() throws InterruptedException {
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        one.contention.note(name, true);

        expectUnchanged(holder, held);
    }

    @Test
    void s5_aHoldThatIsGoneIsNotCreated() throws InterruptedException {
        Grant held = waiting(one).acquire();
        admin.del(lock);

        assertEquals(OptionalLong.empty(), nextBase(held));

        assertFalse(admin.exists(lock));
    }

    @Test
    void s5_theHoldOfAnotherContenderDoesNotChange() throws InterruptedException {
        Grant held = waiting(one).acquire();
        admin.del(lock);
        TestContender successor = waiting(other);
        successor.acquire();

        expectUnchanged(successor, held);
    }

    @Test
    void s5_aKeyThatIsNoStringStays() throws InterruptedException {
        Grant held = waiting(one).acquire();
        admin.del(lock);
        admin.hset(lock, "field", "value");

        assertEquals(OptionalLong.empty(), nextBase(held));

        assertEquals("value", admin.hget(lock, "field"));
    }

    @Test
    void s3_withoutAUsableTokenNoBaseIsMinted() throws InterruptedException {
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        admin.del(token);
        expectUnchanged(holder, held);
        admin.set(token, Long.toString(serverMicros() + A_DAY));
        expectUnchanged(holder, held);
        admin.set(token, "no number");
        expectUnchanged(holder, held);
    }

    @Test
    void s3_aTokenThatIsRefusedChangesNothing() throws InterruptedException {
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        String record = admin.get(lock);
        admin.del(token);
        admin.hset(token, "field", "value");

        assertThrows(RequestRefusedException.class, () -> nextBase(held));

        assertEquals(record, admin.get(lock));
        release(held);
    }

    @Test
    void s7_aLateCopyOfTheRequestChangesNothing() throws InterruptedException {
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        Grant before = asBefore(holder, held);
        long base = nextBase(held).orElseThrow();

        expectUnchanged(holder, before);

        assertEquals(holder.record(base), admin.get(lock));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s7_aClientThatDoesNotKnowTheAnswerCanReleaseTheHold(boolean together) throws InterruptedException {
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        Grant before = asBefore(holder, held);
        nextBase(held).orElseThrow();

        Grant.Release outcome = together
                ? one.releaseAll(List.of(before), TestContender.deadline()).get(before)
                : before.release(TestContender.deadline());

        assertEquals(Grant.Release.RELEASED, outcome);
        assertFalse(admin.exists(lock));
    }

    @Test
    void api_aForcedReleaseNamesTheNewestBase() throws InterruptedException {
        Grant held = waiting(one).acquire();
        long first = held.fencingBase();
        long second = nextBase(held).orElseThrow();

        assertEquals(List.of(), forceRelease(other, name, first));
        assertEquals(1, forceRelease(other, name, second).size());

        assertFalse(admin.exists(lock));
    }
}

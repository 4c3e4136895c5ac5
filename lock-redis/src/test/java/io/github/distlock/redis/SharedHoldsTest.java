package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.params.SetParams;

/** What the scripts answer and leave when readers, writers and permits are acquired, renewed and released. */
class SharedHoldsTest extends SharedTest {
    private static final long A_DAY = 86_400_000;

    static Stream<LockMode> modes() {
        return Stream.of(LockMode.READ, LockMode.WRITE, LockMode.permits(3, 10));
    }

    static Stream<LockMode> modesWithHolders() {
        return Stream.of(LockMode.READ, LockMode.permits(3, 10));
    }

    private static String kind(LockMode mode) {
        return mode.kind() == LockMode.Kind.PERMITS ? "permits" : "read-write";
    }

    private long lastBaseIsAhead(LockMode mode) {
        long ahead = serverMicros() + A_DAY * 1_000;
        admin.set(token, ahead + "\t" + kind(mode));
        return ahead;
    }

    @CanIgnoreReturnValue
    private static Grant downgraded(Grant held) throws InterruptedException {
        return held.downgrade(TestContender.deadline()).orElseThrow();
    }

    @ParameterizedTest
    @MethodSource("modesWithHolders")
    void s1_aHolderHasARecordAndTheLockKeyAMarker(LockMode mode) throws InterruptedException {
        TestContender contender = waiting(one, mode);

        Grant held = contender.acquire();

        assertEquals(contender.record(held.fencingBase()), recordOf(contender));
        expectMarker(mode.equals(LockMode.READ) ? "read 1" : "permits 3/10");
        assertEquals(held.fencingBase() + "\t" + kind(mode), admin.get(token));
        expectTimeToLive(lock, LEASE.toMillis());
        expectTimeToLive(holders, LEASE.toMillis());
        expectTimeToLive(token, LEASE.toMillis() + TOKEN_KEPT.toMillis());
        expectQueued();
    }

    @Test
    void s9_aWriterHasTheLockKey() throws InterruptedException {
        TestContender writer = writer(one);

        Grant held = writer.acquire();

        assertEquals(writer.record(held.fencingBase()), admin.get(lock));
        assertEquals(held.fencingBase() + "\tread-write", admin.get(token));
        assertFalse(admin.exists(holders));
        expectTimeToLive(lock, LEASE.toMillis());
        expectTimeToLive(token, LEASE.toMillis() + TOKEN_KEPT.toMillis());
    }

    @Test
    void s9_readersShareALock() throws InterruptedException {
        TestContender first = reader(one);
        TestContender second = reader(other);
        Grant held = first.acquire();

        Grant alsoHeld = second.acquire();

        expectHolders(first, second);
        expectMarker("read 2");
        assertTrue(alsoHeld.fencingBase() > held.fencingBase());
    }

    @Test
    void s9_aReaderExcludesAWriter() throws InterruptedException {
        reader(one).acquire();

        trying(other, LockMode.WRITE).findBusy();

        expectMarker("read 1");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s9_aWriterExcludesReadersAndWriters(boolean reads) throws InterruptedException {
        TestContender writer = writer(one);
        Grant held = writer.acquire();

        Duration again = trying(other, reads ? LockMode.READ : LockMode.WRITE).findBusy();

        assertTrue(again.toMillis() >= admin.pttl(lock), "asks again after " + again);
        assertTrue(again.compareTo(LEASE) <= 0, "asks again after " + again);
        assertEquals(writer.record(held.fencingBase()), admin.get(lock));
    }

    @Test
    void s10_permitsAreGrantedAsFarAsTheyFit() throws InterruptedException {
        TestContender first = permits(3, 10);
        TestContender second = permits(7, 10);
        first.acquire();

        trying(other, LockMode.permits(8, 10)).findBusy();
        second.acquire();
        trying(other, LockMode.permits(1, 10)).findBusy();

        expectHolders(first, second);
        expectMarker("permits 10/10");
    }

    @Test
    void s10_theLimitOfTheRequestDecides() throws InterruptedException {
        permits(3, 10).acquire();

        trying(other, LockMode.permits(1, 3)).findBusy();
        waiting(other, LockMode.permits(2, 5)).acquire();
        trying(one, LockMode.permits(1, 5)).findBusy();

        expectMarker("permits 5/5");
    }

    @Test
    void v1_theLockKeyExpiresWithTheLastLease() throws InterruptedException {
        TestContender.waiting(one, name, LockMode.READ, LEASE.multipliedBy(4)).acquire();

        reader(other).acquire();

        expectTimeToLive(lock, LEASE.multipliedBy(4).toMillis());
        expectTimeToLive(holders, LEASE.multipliedBy(4).toMillis());
        expectTimeToLive(token, LEASE.multipliedBy(4).toMillis() + TOKEN_KEPT.toMillis());
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s1_aPlainClientIsExcludedAndExcludes(LockMode mode) throws InterruptedException {
        SetParams ifAbsent = SetParams.setParams().nx().px(4_000);
        Grant held = waiting(one, mode).acquire();
        assertNull(admin.set(lock, "a foreign value", ifAbsent));
        release(held);
        assertEquals("OK", admin.set(lock, "a foreign value", ifAbsent));

        Duration again = trying(one, mode).findBusy();

        assertEquals("a foreign value", admin.get(lock));
        assertTrue(again.toMillis() <= 4_001, "asks again after " + again);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s5_aKeyThatIsNoStringIsBusyAndStays(LockMode mode) throws InterruptedException {
        admin.hset(lock, "field", "value");
        admin.pexpire(lock, 4_000);

        Duration again = trying(one, mode).findBusy();

        assertEquals(Duration.ofSeconds(30), again, "its expiry is no lease");
        assertEquals(Map.of("field", "value"), admin.hgetAll(lock));
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s5_aHoldWhoseLockKeyWasDeletedIsGone(LockMode mode) throws InterruptedException {
        TestContender contender = waiting(one, mode);
        Grant held = contender.acquire();
        admin.del(lock);

        assertEquals("gone", contender.renew(held, LEASE));

        assertEquals(Grant.Release.GONE, held.release(TestContender.deadline()));
        assertFalse(admin.exists(lock));
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s5_aHoldWhoseLockKeyIsNoStringAnyMoreIsGone(LockMode mode) throws InterruptedException {
        TestContender contender = waiting(one, mode);
        Grant held = contender.acquire();
        admin.del(lock);
        admin.hset(lock, "field", "value");

        assertEquals("gone", contender.renew(held, LEASE));

        assertEquals(Grant.Release.GONE, held.release(TestContender.deadline()));
        assertEquals(Map.of("field", "value"), admin.hgetAll(lock));
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s5_aHoldThatAForeignProgramHasReplacedIsGone(LockMode mode) throws InterruptedException {
        TestContender contender = waiting(one, mode);
        Grant held = contender.acquire();
        holdByForeignProgram(LEASE);

        assertEquals("gone", contender.renew(held, LEASE.multipliedBy(4)));
        assertEquals(Grant.Release.GONE, held.release(TestContender.deadline()));
        contender.findBusy();
        contender.withdraw();
        TestContender tries = trying(one, mode);
        tries.findBusy();
        tries.withdraw();

        assertEquals("a foreign value", admin.get(lock));
        expectTimeToLive(lock, LEASE.toMillis());
    }

    @Test
    void s5_aHoldThatAForeignProgramHasReplacedIsNotWithdrawn() throws InterruptedException {
        TestContender contender = trying(one, LockMode.READ);
        contender.acquire();
        holdByForeignProgram(LEASE);

        contender.findBusy();
        contender.withdraw();

        assertEquals("a foreign value", admin.get(lock));
    }

    @Test
    void s1_aForeignHoldIsBusyAlthoughLeasesFromBeforeItHaveEnded() throws InterruptedException {
        TestContender ended = reader(one);
        ended.acquire();
        expire(ended);
        holdByForeignProgram(LEASE);

        trying(other, LockMode.READ).findBusy();

        assertEquals("a foreign value", admin.get(lock));
    }

    @Test
    void s5_aReaderThatAForeignProgramHasReplacedIsNotDowngradedAgain() throws InterruptedException {
        Grant held = writer(one).acquire();
        downgraded(held);
        holdByForeignProgram(LEASE);

        assertTrue(held.downgrade(TestContender.deadline()).isEmpty());
    }

    @Test
    void s5_aReaderWhoseLeaseHasEndedIsNotDowngradedAgain() throws InterruptedException {
        TestContender writer = writer(one);
        Grant held = writer.acquire();
        downgraded(held);
        TestContender living = reader(other);
        living.acquire();
        expire(writer);

        assertTrue(held.downgrade(TestContender.deadline()).isEmpty());

        expectHolders(living);
        expectMarker("read 1");
    }

    @Test
    void s5_aReleaseDropsALeaseThatHasEnded() throws InterruptedException {
        TestContender ended = permits(3, 10);
        Grant lost = ended.acquire();
        TestContender living = permits(4, 10);
        living.acquire();
        expire(ended);

        assertEquals(Grant.Release.GONE, lost.release(TestContender.deadline()));

        expectHolders(living);
        expectMarker("permits 4/10");
    }

    @ParameterizedTest
    @MethodSource("modesWithHolders")
    void s5_aServerThatForbidsToReadTheKeyDoesNotSayThatTheHoldIsGone(LockMode mode) throws InterruptedException {
        TestContender contender = waiting(restricted, mode);
        Grant held = contender.acquire();
        changeRights("-get");

        assertInstanceOf(RequestRefusedException.class, contender.renew(held, LEASE));

        assertThrows(RequestRefusedException.class, () -> held.release(TestContender.deadline()));
    }

    @ParameterizedTest
    @MethodSource("modesWithHolders")
    void s5_aHolderOfAnEarlierPhaseIsNotRevivedByALaterOne(LockMode mode) throws InterruptedException {
        TestContender stale = waiting(one, mode);
        Grant lost = stale.acquire();
        admin.del(lock);
        TestContender present = waiting(other, mode);
        present.acquire();

        assertEquals("gone", stale.renew(lost, LEASE.multipliedBy(4)));
        assertEquals(Grant.Release.GONE, lost.release(TestContender.deadline()));

        expectHolders(present);
        expectMarker(mode.equals(LockMode.READ) ? "read 1" : "permits 3/10");
        expectTimeToLive(lock, LEASE.toMillis());
    }

    @Test
    void s9_aReaderFromBeforeAWriterIsNotRevivedAfterIt() throws InterruptedException {
        TestContender stale = reader(one);
        Grant lost = stale.acquire();
        admin.del(lock);
        Grant written = writer(other).acquire();
        assertEquals("gone", stale.renew(lost, LEASE));

        downgraded(written);

        assertEquals("gone", stale.renew(lost, LEASE));
        expectMarker("read 1");
    }

    @Test
    void s5_aLeaseThatHasEndedIsNotRenewed() throws InterruptedException {
        TestContender ended = reader(one);
        Grant lost = ended.acquire();
        reader(other).acquire();
        expire(ended);

        assertEquals("gone", ended.renew(lost, LEASE));

        assertTrue(admin.zscore(holders, recordOf(ended)) < serverMicros());
    }

    @Test
    void v1_theNextRequestDropsReadersWhoseLeaseHasEnded() throws InterruptedException {
        TestContender ended = reader(one);
        TestContender living = reader(one);
        TestContender next = reader(other);
        Grant lost = ended.acquire();
        living.acquire();
        expire(ended);

        next.acquire();

        expectHolders(living, next);
        expectMarker("read 2");
        assertEquals(Grant.Release.GONE, lost.release(TestContender.deadline()));
        expectMarker("read 2");
    }

    /** Only a request before the end of the lease says something, so this tries until one is fast enough. */
    @Test
    void s9_aReaderIsNotDroppedBeforeTheEndOfItsLease() throws InterruptedException {
        boolean isThere;
        double end;
        do {
            TestContender holder = reader(one);
            holder.acquire();
            String record = recordOf(holder);
            endIn(900, holder);
            end = admin.zscore(holders, record);

            reader(other).acquire();

            isThere = admin.zscore(holders, record) != null;
        } while (serverMicros() >= end);

        assertTrue(isThere);
    }

    @Test
    void s10_permitsWhoseLeaseHasEndedAreFree() throws InterruptedException {
        TestContender ended = permits(7, 10);
        TestContender living = permits(3, 10);
        TestContender next = permits(5, 10);
        ended.acquire();
        living.acquire();
        expire(ended);

        next.acquire();

        expectHolders(living, next);
        expectMarker("permits 8/10");
        trying(other, LockMode.permits(3, 10)).findBusy();
    }

    @Test
    void v1_aLockWhoseReadersHaveAllEndedIsFree() throws InterruptedException {
        TestContender ended = reader(one);
        ended.acquire();
        expire(ended);
        TestContender writer = writer(other);

        Grant held = writer.acquire();

        assertEquals(writer.record(held.fencingBase()), admin.get(lock));
        assertFalse(admin.exists(holders));
    }

    @ParameterizedTest
    @MethodSource("modesWithHolders")
    void s10_aLockWhoseHoldersWereLostIsBusyUntilTheirLeasesHaveEnded(LockMode mode) throws InterruptedException {
        TestContender contender = waiting(one, mode);
        Grant held = contender.acquire();
        admin.del(holders);
        admin.pexpire(lock, 4_000);

        Duration again = waiting(other, mode.equals(LockMode.READ) ? LockMode.WRITE : LockMode.permits(8, 10))
                .findBusy();

        assertEquals("gone", contender.renew(held, LEASE));
        assertTrue(again.toMillis() <= 4_001, "asks again after " + again);
        assertTrue(admin.pttl(lock) <= 4_000);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void v6_aReleaseLeavesOnlyTheMemoryOfItsToken(LockMode mode) throws InterruptedException {
        release(waiting(one, mode).acquire());

        assertEquals(Set.of(token), admin.keys("*" + name + "*"));
    }

    @Test
    void s5_aReleaseEndsNoOtherHold() throws InterruptedException {
        Grant held = permits(3, 10).acquire();
        TestContender living = permits(4, 10);
        living.acquire();

        release(held);

        expectHolders(living);
        expectMarker("permits 4/10");
        assertEquals(Grant.Release.GONE, secondRelease(held));
        expectMarker("permits 4/10");
    }

    /** Releases a hold again as if the first release had not been sent. */
    private Grant.Release secondRelease(Grant held) throws InterruptedException {
        RedisContender contender = ((RedisGrant) held).contender;
        return new RedisGrant(contender, LockMode.permits(3, 10), held.fencingBase(), held.validity())
                .release(TestContender.deadline());
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s7_aReleaseThatArrivesTwiceHasReleased(LockMode mode) throws InterruptedException {
        TestContender contender = waiting(repeating, mode);
        Grant held = contender.acquire();
        Grant sameHold = contender.acquire();
        release(held);

        release(sameHold);

        assertFalse(admin.exists(lock));
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s7_aRequestThatArrivesAfterItsReleaseIsRefused(LockMode mode) throws InterruptedException {
        TestContender contender = trying(repeating, mode);
        release(contender.acquire());

        assertThrows(IllegalStateException.class, contender::attempt);

        assertFalse(admin.exists(lock));
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s7_aRequestThatArrivesAfterItsWithdrawalIsRefused(LockMode mode) throws InterruptedException {
        TestContender contender = waiting(repeating, mode);
        contender.acquire();
        contender.withdraw();

        assertThrows(IllegalStateException.class, contender::attempt);

        assertFalse(admin.exists(lock));
    }

    @ParameterizedTest
    @MethodSource("modesWithHolders")
    void s6_aRenewalExtendsItsHoldAndTheLockKey(LockMode mode) throws InterruptedException {
        TestContender contender = waiting(one, mode);
        Grant held = contender.acquire();
        Duration longer = LEASE.multipliedBy(4);

        Object answer = contender.renew(held, longer);

        assertEquals(longer, assertInstanceOf(Validity.class, answer).length());
        expectTimeToLive(lock, longer.toMillis());
        expectTimeToLive(holders, longer.toMillis());
        assertTrue(admin.zscore(holders, recordOf(contender)) > serverMicros() + LEASE.toMillis() * 1_000);
        assertEquals(0, contender.timesWanted.get());
    }

    @Test
    void s6_aRenewalDoesNotShortenTheLeasesOfOthers() throws InterruptedException {
        TestContender longer = TestContender.waiting(one, name, LockMode.READ, LEASE.multipliedBy(4));
        longer.acquire();
        TestContender contender = reader(one);
        Grant held = contender.acquire();
        double end = admin.zscore(holders, recordOf(longer));

        assertInstanceOf(Validity.class, contender.renew(held, LEASE));
        contender.renewLater(held, LEASE);

        assertEquals(end, admin.zscore(holders, recordOf(longer)));
        expectTimeToLive(lock, LEASE.multipliedBy(4).toMillis());
        expectTimeToLive(holders, LEASE.multipliedBy(4).toMillis());
        expectTimeToLive(token, LEASE.multipliedBy(4).toMillis() + TOKEN_KEPT.toMillis());
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s14_aRenewalThatArrivesLateDoesNotShortenALongerLease(LockMode mode) throws InterruptedException {
        Duration longer = LEASE.multipliedBy(4);
        TestContender contender = waiting(one, mode);
        Grant held = contender.acquire();
        assertInstanceOf(Validity.class, contender.renew(held, longer));

        assertInstanceOf(Validity.class, contender.renew(held, LEASE));
        contender.renewLater(held, LEASE);

        expectTimeToLive(lock, longer.toMillis());
        expectTimeToLive(token, longer.toMillis() + TOKEN_KEPT.toMillis());
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s14_aRepeatedRequestThatArrivesLateDoesNotShortenALongerLease(LockMode mode) throws InterruptedException {
        Duration longer = LEASE.multipliedBy(4);
        TestContender contender = waiting(one, mode);
        Grant held = contender.acquire();
        assertInstanceOf(Validity.class, contender.renew(held, longer));

        contender.acquire();

        expectTimeToLive(lock, longer.toMillis());
    }

    @ParameterizedTest
    @MethodSource("modesWithHolders")
    void s6_aRenewalTouchesOnlyTheKeysOfItsHold(LockMode mode) throws InterruptedException {
        TestContender contender = waiting(restricted, mode);
        Grant held = contender.acquire();
        admin.del(token);
        changeRights("resetkeys", "~" + lock, "~" + holders);

        assertInstanceOf(Validity.class, contender.renew(held, LEASE));

        assertFalse(admin.exists(token));
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s3_aRenewalKeepsTheTokenAndItsKind(LockMode mode) throws InterruptedException {
        TestContender contender = waiting(one, mode);
        Grant held = contender.acquire();
        String last = admin.get(token);
        admin.pexpire(token, 1_000);
        contender.renewLater(held, LEASE);
        expectTimeToLive(token, LEASE.toMillis() + TOKEN_KEPT.toMillis());
        admin.del(token);

        contender.renewLater(held, LEASE);

        assertEquals(last, admin.get(token));
        expectTimeToLive(token, LEASE.toMillis() + TOKEN_KEPT.toMillis());
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s3_aRenewalKeepsATokenAheadOfTheClockUntilTheClockHasPassedIt(LockMode mode) throws InterruptedException {
        TestContender contender = waiting(one, mode);
        Grant held = contender.acquire();
        long ahead = lastBaseIsAhead(mode);

        contender.renewLater(held, LEASE);

        assertEquals(ahead, lastBase());
        expectTimeToLive(token, A_DAY + LEASE.toMillis() + TOKEN_KEPT.toMillis());
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s11_aTokenIsGreaterThanTheLast(LockMode mode) throws InterruptedException {
        long ahead = lastBaseIsAhead(mode);

        assertEquals(ahead + 1, waiting(one, mode).acquire().fencingBase());

        assertEquals(ahead + 1, lastBase());
        expectTimeToLive(token, A_DAY + LEASE.toMillis() + TOKEN_KEPT.toMillis());
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s11_aTokenIsGreaterThanTheClientsGreatest(LockMode mode) throws InterruptedException {
        long ahead = serverMicros() + A_DAY * 1_000;

        Grant held = TestContender.knowing(ahead, one, name, mode, LEASE).acquire();

        assertEquals(ahead + 1, held.fencingBase());
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s2_aRepeatedRequestFindsItsHoldAndRestartsItsLease(LockMode mode) throws InterruptedException {
        TestContender contender = waiting(one, mode);
        long base = contender.acquire().fencingBase();
        String before = admin.get(lock);
        admin.pexpire(lock, 5_000);
        if (!mode.equals(LockMode.WRITE)) {
            endIn(5_000, contender);
        }

        assertEquals(base, contender.acquire().fencingBase());

        assertEquals(before, admin.get(lock));
        expectTimeToLive(lock, LEASE.toMillis());
        assertTrue(admin.pttl(lock) > 5_000);
    }

    @Test
    void s2_aRepeatedRequestDoesNotShortenTheLeasesOfOthers() throws InterruptedException {
        TestContender.waiting(one, name, LockMode.READ, LEASE.multipliedBy(4)).acquire();
        TestContender contender = reader(one);
        contender.acquire();

        contender.acquire();

        expectTimeToLive(lock, LEASE.multipliedBy(4).toMillis());
        expectTimeToLive(holders, LEASE.multipliedBy(4).toMillis());
    }

    @Test
    void s11_aRepeatedRequestOfAWriterGetsATokenAboveTheClientsGreatest() throws InterruptedException {
        long ahead = lastBaseIsAhead(LockMode.WRITE);
        TestContender writer = TestContender.knowing(ahead + 1, one, name, LockMode.WRITE, LEASE);
        admin.set(lock, writer.record(ahead + 1));

        assertEquals(ahead + 2, writer.acquire().fencingBase());

        assertEquals(writer.record(ahead + 2), admin.get(lock));
        assertEquals(ahead + 2, lastBase());
    }

    @Test
    void s11_aRepeatedRequestOfAWriterDoesNotLowerTheToken() throws InterruptedException {
        TestContender writer = writer(one);
        writer.acquire();
        long ahead = lastBaseIsAhead(LockMode.WRITE);

        assertEquals(ahead + 1, writer.acquire().fencingBase());
    }

    @Test
    void s7_aRequestThatTheClientRepeatsItselfFindsItsHold() throws InterruptedException {
        TestContender contender = TestContender.trying(repeating, name, LockMode.READ, LEASE);
        long base = contender.acquire().fencingBase();

        assertEquals(base, contender.acquire().fencingBase());

        expectMarker("read 1");
    }

    @Test
    void v6_aSingleTryLeavesNothing() throws InterruptedException {
        writer(one).acquire();

        trying(other, LockMode.READ).findBusy();

        expectQueued();
    }

    /** The kinds, by a mode of each. */
    private static final List<LockMode> KINDS = List.of(LockMode.EXCLUSIVE, LockMode.READ, LockMode.permits(1, 2));

    static Stream<Arguments> pairsOfKinds() {
        return KINDS.stream()
                .flatMap(used -> KINDS.stream()
                        .filter(wanted -> !wanted.equals(used))
                        .map(wanted -> Arguments.of(used, wanted)));
    }

    private void expectRefused(LockMode wanted, LockMode used) {
        for (TestContender contender : List.of(waiting(other, wanted), trying(repeating, wanted))) {
            Exception refused = assertThrows(RequestRefusedException.class, contender::attempt);

            assertEquals(
                    RequestRefusedException.otherKind(wanted, used.lockKind()).getMessage(), refused.getMessage());
        }
    }

    private String everything() {
        return admin.get(lock) + admin.get(token) + admin.zrange(queue, 0, -1) + admin.zrange(holders, 0, -1);
    }

    @ParameterizedTest
    @MethodSource("pairsOfKinds")
    void s12_anotherKindIsRefusedWhileSomebodyHolds(LockMode used, LockMode wanted) throws InterruptedException {
        waiting(one, used).acquire();
        String before = everything();

        expectRefused(wanted, used);

        assertEquals(before, everything());
        admin.del(token);
        expectRefused(wanted, used);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s12_aRecordSaysTheKindWhateverTheTokenSays(LockMode mode) throws InterruptedException {
        waiting(one, mode).acquire();
        admin.set(token, "5");

        expectRefused(LockMode.EXCLUSIVE, mode);
    }

    @ParameterizedTest
    @MethodSource("pairsOfKinds")
    void s12_anotherKindIsRefusedWhileSomebodyWaits(LockMode used, LockMode wanted) throws InterruptedException {
        holdByForeignProgram(LEASE);
        queued(waiting(one, used));
        String before = everything();

        expectRefused(wanted, used);

        assertEquals(before, everything());
        admin.del(lock);
        expectRefused(wanted, used);
    }

    @ParameterizedTest
    @MethodSource("pairsOfKinds")
    void s12_anotherKindIsRefusedWhileTheServerHasTheToken(LockMode used, LockMode wanted) throws InterruptedException {
        release(waiting(one, used).acquire());
        String before = everything();

        expectRefused(wanted, used);

        assertEquals(before, everything());
        admin.del(token);
        waiting(other, wanted).acquire();
    }

    @Test
    void s12_aContenderThatWasRefusedHasNothingToWithdraw() throws InterruptedException {
        reader(one).acquire();
        TestContender refused = waiting(restricted);
        assertThrows(RequestRefusedException.class, refused::attempt);
        changeRights("-@all");

        refused.withdraw();

        expectMarker("read 1");
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s1_anAcquireWhoseTokenIsRefusedLeavesNoHold(LockMode mode) {
        admin.hset(token, "field", "value");

        assertThrows(RequestRefusedException.class, waiting(one, mode)::attempt);

        assertFalse(admin.exists(lock) || admin.exists(holders));
    }

    @ParameterizedTest
    @MethodSource("modesWithHolders")
    void s1_anAcquireWhoseRecordIsRefusedLeavesNoHold(LockMode mode) throws InterruptedException {
        TestContender holder = waiting(one, mode);
        holder.acquire();
        String before = admin.get(lock);
        changeRights("-zadd");

        assertThrows(RequestRefusedException.class, waiting(restricted, mode)::attempt);

        expectHolders(holder);
        assertEquals(before, admin.get(lock));
        admin.del(lock);
        assertThrows(RequestRefusedException.class, waiting(restricted, mode)::attempt);
        assertFalse(admin.exists(lock));
    }

    @Test
    void s9_aDowngradeMakesAReaderOfAWriter() throws InterruptedException {
        TestContender writer = writer(one);
        Grant held = writer.acquire();
        admin.pexpire(lock, 5_000);

        Grant reading = downgraded(held);

        assertEquals(held.fencingBase(), reading.fencingBase());
        assertEquals(LEASE, reading.validity().length());
        assertEquals(writer.record(LockMode.READ, held.fencingBase()), recordOf(writer));
        expectMarker("read 1");
        assertTrue(admin.pttl(lock) > 5_000);
        reader(other).acquire();
        assertInstanceOf(Validity.class, writer.renew(reading, LEASE));
        release(reading);
        expectMarker("read 1");
    }

    @Test
    void s9_aRepeatedDowngradeFindsTheReader() throws InterruptedException {
        TestContender writer = writer(one);
        Grant held = writer.acquire();
        downgraded(held);
        reader(other).acquire();
        endIn(5_000, writer);

        downgraded(held);

        expectMarker("read 2");
        assertTrue(admin.zscore(holders, recordOf(writer)) > serverMicros() + 5_000_000);
    }

    @Test
    void s9_aReleaseAfterADowngradeOfUnknownOutcomeEndsTheReader() throws InterruptedException {
        Grant held = writer(one).acquire();
        downgraded(held);

        release(held);

        assertFalse(admin.exists(lock) || admin.exists(holders));
    }

    @Test
    void s5_aDowngradeOfALostHoldMakesNoReader() throws InterruptedException {
        Grant held = writer(one).acquire();
        admin.del(lock);
        assertTrue(held.downgrade(TestContender.deadline()).isEmpty());
        assertFalse(admin.exists(lock) || admin.exists(holders));
        TestContender next = reader(other);
        next.acquire();

        assertTrue(held.downgrade(TestContender.deadline()).isEmpty());

        expectHolders(next);
    }

    @Test
    void s7_aDowngradeThatArrivesAfterTheReleaseMakesNoReader() throws InterruptedException {
        Grant held = writer(repeating).acquire();
        release(held);

        assertTrue(held.downgrade(TestContender.deadline()).isEmpty());

        assertFalse(admin.exists(lock) || admin.exists(holders));
    }

    @Test
    void s3_aReaderKeepsTheTokenWhenTheWriterWouldHave() throws InterruptedException {
        RedisGrant held = (RedisGrant) writer(one).acquire();
        long granted = held.validity().from().nanoTime();

        RedisGrant reading = (RedisGrant) downgraded(held);

        long half = Duration.ofMinutes(30).toNanos();
        assertEquals(2, reading.renewal(LEASE, granted + half).keys().size());
        assertEquals(3, reading.renewal(LEASE, granted + half + 1).keys().size());
    }

    @ParameterizedTest
    @MethodSource("modes")
    void api_inspectionShowsHoldersWithTheirModesAndWaiters(LockMode mode) throws InterruptedException {
        TestContender first = waiting(one, mode);
        Grant held = first.acquire();
        TestContender waiter = queued(waiting(other, mode.equals(LockMode.READ) ? LockMode.WRITE : bigger(mode)));

        LockStatus status = one.inspect(name, TestContender.deadline());

        LockStatus.Holder seen = status.holders().get(0);
        assertEquals(1, status.holders().size());
        assertEquals(first.owner(), seen.owner());
        assertEquals(mode, seen.mode());
        assertEquals(held.fencingBase(), seen.fencingToken() >> 8);
        Duration left = seen.remainingLease();
        assertTrue(left.compareTo(LEASE.minus(PATIENCE)) > 0 && left.compareTo(LEASE) <= 0, "left: " + left);
        expectWaiters(status, waiter);
    }

    private static LockMode bigger(LockMode mode) {
        return mode.kind() == LockMode.Kind.PERMITS ? LockMode.permits(9, 10) : mode;
    }

    @Test
    void api_inspectionShowsLivingHoldersInTheOrderOfTheirGrants() throws InterruptedException {
        TestContender first = TestContender.waiting(one, name, LockMode.permits(1, Integer.MAX_VALUE), PATIENCE);
        TestContender ended = permits(2, 5);
        TestContender last = permits(3, 10);
        first.acquire();
        ended.acquire();
        last.acquire();
        expire(ended);

        List<LockStatus.Holder> seen =
                one.inspect(name, TestContender.deadline()).holders();

        assertEquals(
                List.of(LockMode.permits(1, Integer.MAX_VALUE), LockMode.permits(3, 10)),
                seen.stream().map(LockStatus.Holder::mode).toList());
        assertNotEquals(seen.get(0).owner(), seen.get(1).owner());
    }

    @Test
    void api_inspectionOfAFreeLockShowsNoHolder() throws InterruptedException {
        release(reader(one).acquire());

        assertEquals(List.of(), one.inspect(name, TestContender.deadline()).holders());
    }

    @Test
    void api_aForcedReleaseFreesAllPermits() throws InterruptedException {
        permits(10, 10).acquire();
        queued(permits(3, 10));

        assertEquals(
                1,
                one.forceRelease(name, OptionalLong.empty(), TestContender.deadline())
                        .size());

        expectMarker("permits 3/10");
    }

    @Test
    void api_aForcedReleaseEndsAllHolds() throws InterruptedException {
        TestContender first = reader(one);
        Grant held = first.acquire();
        reader(other).acquire();

        List<LockStatus.Holder> ended = one.forceRelease(name, OptionalLong.empty(), TestContender.deadline());

        assertEquals(2, ended.size());
        assertFalse(admin.exists(lock) || admin.exists(holders));
        assertEquals("gone", first.renew(held, LEASE));
    }

    @Test
    void api_aForcedReleaseServesTheNext() throws InterruptedException {
        reader(one).acquire();
        TestContender writer = queued(writer(other));

        assertEquals(
                1,
                one.forceRelease(name, OptionalLong.empty(), TestContender.deadline())
                        .size());

        expectHolder(writer);
    }

    @ParameterizedTest
    @MethodSource("modesWithHolders")
    void api_aForcedReleaseByABaseEndsOneHoldOfSeveral(LockMode mode) throws InterruptedException {
        TestContender spared = waiting(one, mode);
        spared.acquire();
        TestContender contender = waiting(other, mode);
        Grant held = contender.acquire();

        List<LockStatus.Holder> ended = forceRelease(one, name, held.fencingBase());

        assertEquals(
                List.of(contender.owner()),
                ended.stream().map(LockStatus.Holder::owner).toList());
        assertEquals("gone", contender.renew(held, LEASE));
        expectHolders(spared);
        expectMarker(mode.equals(LockMode.READ) ? "read 1" : "permits 3/10");
        expectTimeToLive(lock, LEASE.toMillis());
    }

    @ParameterizedTest
    @MethodSource("modesWithHolders")
    void api_aForcedReleaseByAnotherBaseEndsNoHold(LockMode mode) throws InterruptedException {
        Grant earlier = waiting(one, mode).acquire();
        release(earlier);
        TestContender contender = waiting(other, mode);
        contender.acquire();
        String marker = admin.get(lock);

        assertEquals(List.of(), forceRelease(one, name, earlier.fencingBase()));

        expectHolders(contender);
        assertEquals(marker, admin.get(lock));
    }

    @Test
    void api_aForcedReleaseByTheBaseOfTheLastReaderServesTheWriter() throws InterruptedException {
        Grant held = reader(one).acquire();
        TestContender writer = queued(writer(other));

        assertEquals(1, forceRelease(one, name, held.fencingBase()).size());

        expectHolder(writer);
        assertFalse(admin.exists(holders));
    }

    @Test
    void api_aForcedReleaseByTheBaseOfAWriterServesTheReaders() throws InterruptedException {
        Grant held = writer(one).acquire();
        TestContender reader = queued(reader(other));

        assertEquals(List.of(), forceRelease(one, name, held.fencingBase() - 1));
        assertEquals(1, forceRelease(one, name, held.fencingBase()).size());

        expectHolders(reader);
        expectMarker("read 1");
    }

    @Test
    void api_aForcedReleaseByABaseCountsNoPermitsWhoseLeaseHasEnded() throws InterruptedException {
        TestContender ended = permits(4, 10);
        ended.acquire();
        Grant held = permits(5, 10).acquire();
        TestContender waiter = queued(permits(9, 10));
        expire(ended);

        assertEquals(1, forceRelease(one, name, held.fencingBase()).size());

        expectHolders(waiter);
        expectMarker("permits 9/10");
    }

    @Test
    void api_noBaseNamesAHoldWhoseLeaseHasEnded() throws InterruptedException {
        reader(other).acquire();
        TestContender ended = reader(one);
        Grant held = ended.acquire();
        expire(ended);

        assertEquals(List.of(), forceRelease(one, name, held.fencingBase()));
    }

    @Test
    void api_aForcedReleaseOfAForeignHoldServesTheNext() throws InterruptedException {
        holdByForeignProgram(LEASE);
        TestContender reader = queued(reader(other));

        assertEquals(
                1,
                one.forceRelease(name, OptionalLong.empty(), TestContender.deadline())
                        .size());

        expectHolders(reader);
    }
}

package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockOwner;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a hold sends, and what it concludes from the answers of a server. */
class GrantAnswersTest extends ScriptedTest {
    private static final String NAME = "name";
    private static final long BASE = 8;
    private static final LockMode PERMITS = LockMode.permits(2, 5);
    private static final List<?> DONE = List.of();
    private static final List<?> NOT_FOUND = List.of(0L);
    private static final Duration DELAY = Duration.ofSeconds(5);

    /** Grants each lock, with greater and greater bases from {@link #BASE} on. */
    @BeforeEach
    void beFree() {
        AtomicLong base = new AtomicLong(BASE);
        answers.put(Script.ACQUIRE_FREE, call -> List.of(base.getAndIncrement()));
        answers.put(Script.ACQUIRE, call -> List.of(1L, base.getAndIncrement(), 0L, 0L));
        answers.put(Script.ACQUIRE_SHARED, call -> List.of(1L, base.getAndIncrement(), 0L));
        answer(Script.WITHDRAW, DONE);
        answer(Script.RELEASE_ALONE, NOT_FOUND);
        answer(Script.RELEASE, DONE);
        answer(Script.RELEASE_SHARED, DONE);
    }

    private TestContender waiting() {
        return TestContender.waiting(backend, NAME, LEASE);
    }

    private TestContender waiting(LockMode mode) {
        return TestContender.waiting(backend, NAME, mode, LEASE);
    }

    private TestContender delayed() {
        return TestContender.delayed(backend, NAME, LEASE, DELAY);
    }

    /** Returns a contender of whose requests one may still be under way. */
    private TestContender doubtful() {
        TestContender contender = waiting();
        answer(Script.ACQUIRE_FREE, new IllegalStateException("broken"));
        assertThatThrownBy(contender::attempt).hasMessage("broken");
        return contender;
    }

    private static Grant.Release release(Grant held) throws InterruptedException {
        return held.release(TestContender.deadline());
    }

    private static Grant.Release keep(Grant held) throws InterruptedException {
        return held.keep(Duration.ofNanos(6_999_000_001L), TestContender.deadline());
    }

    private void answerLikeACopy(Script script, List<?> answer) {
        answers.put(script, call -> {
            call.noteSentAgain();
            return answer;
        });
    }

    // Renewals

    private static ScriptCall renewal(Grant held, Duration lease, Duration after) {
        return ((RedisGrant) held).renewal(lease, after(held, after));
    }

    private static long after(Grant held, Duration time) {
        return held.validity().from().nanoTime() + time.toNanos();
    }

    @ParameterizedTest
    @CsvSource({"PT30S, 30M, 1", "PT30S, 30M0.000000001S, 2", "PT60S, 29M30S, 1", "PT60S, 29M30.000000001S, 2"})
    void s3_aRenewalKeepsTheTokenWhenLessThanHalfOfItsTimeWouldBeLeft(Duration lease, String after, int keys)
            throws InterruptedException {
        Grant held = waiting().acquire();

        ScriptCall renewal = renewal(held, lease, Duration.parse("PT" + after));

        assertThat(renewal.script()).isSameAs(Script.RENEW);
        assertThat(renewal.keys()).hasSize(keys);
    }

    @ParameterizedTest
    @CsvSource({"PT30S, 30M, 2", "PT30S, 30M0.000000001S, 3"})
    void s3_aRenewalOfAReaderKeepsTheTokenToo(Duration lease, String after, int keys) throws InterruptedException {
        Grant held = waiting(LockMode.READ).acquire();

        ScriptCall renewal = renewal(held, lease, Duration.parse("PT" + after));

        assertThat(renewal.script()).isSameAs(Script.RENEW_SHARED);
        assertThat(renewal.keys()).hasSize(keys);
    }

    @Test
    void s3_theTimeOfATokenCountsFromTheLastRenewalThatKeptIt() throws InterruptedException {
        RedisGrant held = (RedisGrant) waiting().acquire();
        held.noteRenewed(LEASE, after(held, Duration.ofMinutes(20)));
        assertThat(renewal(held, LEASE, Duration.ofMinutes(31)).keys())
                .as("the first renewal did not keep it")
                .hasSize(2);

        held.noteRenewed(LEASE, after(held, Duration.ofMinutes(31)));

        assertThat(renewal(held, LEASE, Duration.ofMinutes(61)).keys()).hasSize(1);
        assertThat(renewal(held, LEASE, Duration.ofMinutes(62)).keys()).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"lock", "write"})
    void s5_theHoldOfALockOrAWriterIsRenewedByItsValue(String word) throws InterruptedException {
        TestContender contender = waiting(word.equals("lock") ? LockMode.EXCLUSIVE : LockMode.WRITE);
        answer(Script.RENEW, List.of(1L));

        var unused = contender.renew(contender.acquire(), LEASE);

        assertThat(arguments()).containsExactly(contender.value(), "30000", "3630000", "0");
    }

    @Test
    void s15_aHoldWithALockDelayIsRenewedAlone() throws InterruptedException {
        answer(Script.RENEW, List.of(1L));
        List<Grant> held = List.of(
                delayed().acquire(),
                TestContender.delayed(backend, "other", LEASE, DELAY).acquire());

        var unused = TestContender.renewAll(backend, held, LEASE);

        assertThat(requests(Script.RENEW)).isEqualTo(2);
        assertThat(arguments().subList(1, 4)).containsExactly("35000", "3635000", "5000");
    }

    @Test
    void s5_theHoldsOfAReaderAndOfPermitsAreRenewedByTheirRecords() throws InterruptedException {
        TestContender reader = waiting(LockMode.READ);
        TestContender user = TestContender.waiting(backend, "other", PERMITS, LEASE);
        answer(Script.RENEW_SHARED, List.of(1L));

        var unused = TestContender.renewAll(backend, List.of(reader.acquire(), user.acquire()), LEASE);

        assertThat(requests(Script.RENEW_SHARED)).isEqualTo(2);
        assertThat(arguments()).containsExactly(user.record(BASE + 1), "30000", "3630000");
    }

    @Test
    void s6_aHoldHasEndedWhenItsClientHasTakenALaterGrant() throws InterruptedException {
        Grant held = waiting().acquire();
        assertThat(held.hasEnded()).isFalse();

        Grant later = waiting().acquire();

        assertThat(held.hasEnded()).isTrue();
        assertThat(later.hasEnded()).isFalse();
    }

    // Releases

    @Test
    void v3_theReleaseOfALockWithoutWaitersNamesTheLockKeyAlone() throws InterruptedException {
        TestContender contender = waiting();
        Grant held = contender.acquire();
        answer(Script.RELEASE_ALONE, DONE);

        assertThat(release(held)).isEqualTo(Grant.Release.RELEASED);

        assertThat(requests(Script.RELEASE)).isZero();
        assertThat(arguments()).containsExactly(contender.record(BASE));
        assertThat(backend.contention.isLikely(NAME)).isFalse();
    }

    @Test
    void v3_aReleaseThatDoesNotFindItsRecordServesTheQueue() throws InterruptedException {
        TestContender contender = waiting();

        assertThat(release(contender.acquire())).isEqualTo(Grant.Release.RELEASED);

        assertThat(arguments()).containsExactly(contender.value(), "0", "0", "0");
        assertThat(backend.contention.isLikely(NAME)).isTrue();
    }

    @Test
    void v3_theReleaseOfALockThatIsLikelyToHaveAQueueServesIt() throws InterruptedException {
        Grant held = waiting().acquire();
        backend.contention.note(NAME, true);

        var unused = release(held);

        assertThat(requests(Script.RELEASE_ALONE)).isZero();
        assertThat(requests(Script.RELEASE)).isEqualTo(1);
    }

    @Test
    void s7_aContenderWithARequestUnderWayIsReleasedWithATombstone() throws InterruptedException {
        TestContender contender = doubtful();

        var unused = release(contender.acquire());

        assertThat(requests(Script.RELEASE_ALONE)).isZero();
        assertThat(arguments()).containsExactly(contender.value(), "1", "0", "0");
    }

    @Test
    void s15_theReleaseOfAHoldWithALockDelaySaysTheDelay() throws InterruptedException {
        TestContender contender = delayed();

        var unused = release(contender.acquire());

        assertThat(requests(Script.RELEASE_ALONE)).isZero();
        assertThat(arguments()).containsExactly(contender.value(), "0", "0", "5000");
    }

    static Stream<Arguments> modes() {
        return Stream.of(
                Arguments.of(LockMode.READ, LockMode.READ),
                Arguments.of(LockMode.WRITE, LockMode.READ),
                Arguments.of(PERMITS, PERMITS));
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s9_theReleaseOfAWriterAlsoEndsAReaderThatItMayHaveBecome(LockMode mode, LockMode released)
            throws InterruptedException {
        TestContender contender = waiting(mode);

        assertThat(release(contender.acquire())).isEqualTo(Grant.Release.RELEASED);

        assertThat(requests(Script.RELEASE_SHARED)).isEqualTo(1);
        assertThat(arguments()).containsExactly(contender.value(), "0", contender.record(released, BASE), "0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"lock", "write"})
    void v10_aReleaseMayLeaveTheLockToOtherPrograms(String word) throws InterruptedException {
        boolean isLock = word.equals("lock");
        try (RedisBackend yielding = TestContender.started(new RedisBackend(
                given -> redis,
                null,
                "distlock:",
                Duration.ofHours(1),
                false,
                new ForeignTurns(1, Duration.ofMillis(7))))) {
            LockMode mode = isLock ? LockMode.EXCLUSIVE : LockMode.WRITE;

            var unused =
                    release(TestContender.waiting(yielding, NAME, mode, LEASE).acquire());
        }

        assertThat(arguments().get(isLock ? 2 : 3)).isEqualTo("7");
    }

    @Test
    void s8_aReleaseThatFindsNoHoldReportsALoss() throws InterruptedException {
        Grant held = waiting().acquire();
        answer(Script.RELEASE, NOT_FOUND);

        assertThat(release(held)).isEqualTo(Grant.Release.GONE);

        assertThat(release(held)).as("a repeated release").isEqualTo(Grant.Release.RELEASED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"release-alone", "release"})
    void s7_aReleaseOfWhichACopyWasSentMayHaveDoneItsWork(String copied) throws InterruptedException {
        Grant held = waiting().acquire();
        answer(Script.RELEASE, NOT_FOUND);
        answerLikeACopy(copied.equals("release") ? Script.RELEASE : Script.RELEASE_ALONE, NOT_FOUND);

        assertThat(release(held)).isEqualTo(Grant.Release.RELEASED);
    }

    // The next server

    @Test
    void s15_theNextServerLeavesALostHoldToItsLockDelay() throws InterruptedException {
        redis.followsFailovers = true;
        releaseFrom("lost", Duration.ZERO, NOT_FOUND);
        releaseFrom("delayed and lost", DELAY, NOT_FOUND);
        releaseFrom("delayed", DELAY, DONE);
        releaseAlone("without waiters");

        context.get().serverReplaced("server");

        Waiting.await("the last withdrawal", PATIENCE, () -> withdrawn().contains("without waiters"));
        assertThat(withdrawn()).containsExactly("lost", "delayed", "without waiters");
    }

    private void releaseFrom(String name, Duration delay, List<?> answer) throws InterruptedException {
        Grant held = TestContender.delayed(backend, name, LEASE, delay).acquire();
        answer(Script.RELEASE, answer);
        var unused = release(held);
    }

    private void releaseAlone(String name) throws InterruptedException {
        Grant held = TestContender.waiting(backend, name, LEASE).acquire();
        answer(Script.RELEASE_ALONE, DONE);
        var unused = release(held);
    }

    private List<String> withdrawn() {
        return redis.sent.stream()
                .filter(call -> call.script() == Script.WITHDRAW)
                .map(ScriptCall::lockName)
                .toList();
    }

    // Kept locks

    @ParameterizedTest
    @CsvSource({"false, 0", "true, 1"})
    void s13_aKeptLockHasItsTimeRoundedUp(boolean mayArriveLate, String tombstone) throws InterruptedException {
        TestContender contender = mayArriveLate ? doubtful() : waiting();
        answer(Script.KEEP, DONE);

        assertThat(keep(contender.acquire())).isEqualTo(Grant.Release.RELEASED);

        assertThat(arguments()).containsExactly(contender.value(), tombstone, "7000", "0");
    }

    @Test
    void s13_aHoldThatIsNotFoundIsNotKept() throws InterruptedException {
        Grant held = waiting().acquire();
        answer(Script.KEEP, NOT_FOUND);

        assertThat(keep(held)).isEqualTo(Grant.Release.GONE);

        assertThat(keep(held)).as("a repeated request").isEqualTo(Grant.Release.RELEASED);
    }

    @Test
    void s13_aRequestOfWhichACopyWasSentMayHaveKeptTheLock() throws InterruptedException {
        Grant held = waiting().acquire();
        answerLikeACopy(Script.KEEP, NOT_FOUND);

        assertThat(keep(held)).isEqualTo(Grant.Release.RELEASED);
    }

    // Bases for local handoffs

    private static OptionalLong nextBase(Grant held) throws InterruptedException {
        return held.nextBase(TestContender.deadline());
    }

    @Test
    void s3_anotherBaseTakesThePlaceOfTheFirst() throws InterruptedException {
        TestContender contender = waiting();
        Grant held = contender.acquire();
        answer(Script.NEXT_BASE, List.of(BASE + 1));

        assertThat(nextBase(held)).hasValue(BASE + 1);

        assertThat(held.fencingBase()).isEqualTo(BASE + 1);
        assertThat(arguments().subList(0, 2)).containsExactly(contender.record(BASE), contender.value());
        assertThat(argument(4)).as("how long the token is kept").isEqualTo("3630000");
    }

    @Test
    void v3_aServerThatMintsNoBaseChangesNone() throws InterruptedException {
        Grant held = waiting().acquire();
        answer(Script.NEXT_BASE, List.of());

        assertThat(nextBase(held)).isEmpty();

        assertThat(held.fencingBase()).isEqualTo(BASE);
    }

    @Test
    void v3_noBaseIsMintedForALockThatIsLikelyToHaveAQueue() throws InterruptedException {
        Grant held = waiting().acquire();
        backend.contention.note(NAME, true);

        assertThat(nextBase(held)).isEmpty();

        assertThat(requests(Script.NEXT_BASE)).isZero();
    }

    @Test
    void s3_aBaseThatDoesNotExceedALaterGrantOfTheClientIsNotTaken() throws InterruptedException {
        Grant held = waiting().acquire();
        long later = waiting().acquire().fencingBase();
        answer(Script.NEXT_BASE, List.of(later));

        assertThat(nextBase(held)).isEmpty();

        assertThat(held.fencingBase()).isEqualTo(BASE);
    }

    // Requests to release a lock

    private static final LockOwner REQUESTER = LockOwner.of("host", 7, "client", "thread");
    private static final long NOW = 10_000_000;

    private static WireFormat.Request request(String id, long base, long micros) {
        return new WireFormat.Request(base, micros, id, REQUESTER);
    }

    @ParameterizedTest
    @CsvSource({"7, false", "8, true", "9, true"})
    void v12_aRequestFromBeforeTheGrantConcernsAnEarlierHold(long base, boolean concerns) throws InterruptedException {
        RedisGrant held = (RedisGrant) waiting().acquire();
        answer(Script.NEXT_BASE, List.of(BASE + 2));
        var unused = nextBase(held);

        assertThat(held.requested(request("id", base, NOW), NOW, 0).isPresent()).isEqualTo(concerns);
    }

    @ParameterizedTest
    @CsvSource({"8000000, 3000000000", "10000000, 5000000000", "12000000, 5000000000"})
    void v12_aRequestCameAsLongAgoAsTheServerSays(long micros, long cameBy) throws InterruptedException {
        RedisGrant held = (RedisGrant) waiting().acquire();

        assertThat(held.requested(request("id", BASE, micros), NOW, 5_000_000_000L))
                .contains(new RequestedRelease("id", REQUESTER, cameBy));
    }

    @Test
    void v12_aRequestThatIsReadAgainIsTheSame() throws InterruptedException {
        RedisGrant held = (RedisGrant) waiting().acquire();
        var first = held.requested(request("id", BASE, NOW), NOW, 5_000_000_000L);

        assertThat(held.requested(request("id", BASE, NOW), NOW + 500_000, 7_000_000_000L))
                .isEqualTo(first);

        assertThat(held.requested(request("another", BASE, NOW), NOW, 7_000_000_000L))
                .contains(new RequestedRelease("another", REQUESTER, 7_000_000_000L));
    }

    // Downgrades

    @Test
    void s9_aDowngradeMakesAReaderWithANewLease() throws InterruptedException {
        TestContender contender = waiting(LockMode.WRITE);
        RedisGrant writer = (RedisGrant) contender.acquire();
        var request = writer.requested(request("id", BASE, NOW), NOW, 5_000_000_000L);
        answer(Script.DOWNGRADE, List.of(1L));

        RedisGrant reader =
                (RedisGrant) writer.downgrade(TestContender.deadline()).orElseThrow();

        assertThat(arguments()).containsExactly(contender.value(), contender.record(LockMode.READ, BASE), "30000");
        assertThat(reader.hasLockKey()).isFalse();
        assertThat(reader.fencingBase()).isEqualTo(BASE);
        assertThat(reader.validity()).isEqualTo(Validity.of(reader.validity().from(), LEASE));
        assertThat(reader.validity().from().nanoTime()
                        - writer.validity().from().nanoTime())
                .isPositive();
        assertThat(reader.requested(request("id", BASE, NOW), NOW, 7_000_000_000L))
                .isEqualTo(request);
    }

    @Test
    void s9_aWriterThatIsNotFoundBecomesNoReader() throws InterruptedException {
        Grant writer = waiting(LockMode.WRITE).acquire();
        answer(Script.DOWNGRADE, List.of(0L));

        assertThat(writer.downgrade(TestContender.deadline())).isEmpty();
    }
}

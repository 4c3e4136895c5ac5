package io.github.distlock.fencing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNoException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which tokens a guard accepts, and for how long it remembers them. */
@Timeout(60)
class FencingGuardTest {
    private static final Duration KEPT = Duration.ofMinutes(1);

    private final AtomicLong nanoTime = new AtomicLong(7);
    private final FencingGuard guard = new FencingGuard(2, KEPT, nanoTime::get);

    @Test
    void api_aSmallerTokenIsRejected() {
        guard.check("account/7", 34);

        assertThatExceptionOfType(StaleTokenException.class)
                .isThrownBy(() -> guard.check("account/7", 33))
                .withMessage("resource \"account/7\": fencing token 33 is stale, 34 was seen")
                .satisfies(stale -> {
                    assertThat(stale.resource()).isEqualTo("account/7");
                    assertThat(stale.token()).isEqualTo(33);
                    assertThat(stale.highest()).isEqualTo(OptionalLong.of(34));
                });
    }

    /** As a number of JavaScript or Lua, the smaller one would be equal. */
    @Test
    void api_tokensAreComparedToTheirLastDigit() {
        guard.check("account/7", (1L << 53) + 1);

        assertStale("account/7", 1L << 53);
    }

    @Test
    void api_equalAndGreaterTokensPass() {
        assertThatNoException().isThrownBy(() -> {
            guard.check("account/7", 33);
            guard.check("account/7", 33);
            guard.check("account/7", Long.MAX_VALUE);
        });
    }

    @Test
    void api_aRejectedTokenChangesNothing() {
        guard.check("account/7", 34);
        assertStale("account/7", 33);

        assertThatNoException().isThrownBy(() -> guard.check("account/7", 34));
        assertStale("account/7", 33);
    }

    @Test
    void api_keysHaveTheirOwnTokens() {
        guard.check("account/7", 34);

        assertThatNoException().isThrownBy(() -> guard.check("account/9", 33));
    }

    @Test
    void api_aKeyIsKeptUntilItWasIdleForTheTime() {
        guard.check("account/7", 34);

        pass(KEPT.minusNanos(1));
        assertStale("account/7", 33);

        pass(KEPT.minusNanos(1));
        assertStale("account/7", 33);

        pass(KEPT);
        assertThatNoException().isThrownBy(() -> guard.check("account/7", 33));
    }

    @Test
    void api_acceptedChecksKeepAKey() {
        guard.check("account/7", 34);
        pass(KEPT.minusNanos(1));
        guard.check("account/7", 34);
        pass(KEPT.minusNanos(1));

        assertStale("account/7", 33);
    }

    @Test
    void api_aFullGuardRefusesNewKeysAndKeepsTheOthers() {
        guard.check("account/7", 34);
        guard.check("account/9", 34);

        assertThatExceptionOfType(FencingGuardFullException.class)
                .isThrownBy(() -> guard.check("account/11", 34))
                .withMessage("the guard is full: each of its 2 keys was checked within the last PT1M");
        assertStale("account/7", 33);
        assertStale("account/9", 33);
        assertThatNoException().isThrownBy(() -> guard.check("account/9", 35));
    }

    @Test
    void api_aNewKeyTakesThePlaceOfAnIdleOneAlone() {
        guard.check("account/7", 34);
        guard.check("account/9", 34);
        pass(KEPT.minusNanos(1));
        guard.check("account/7", 34);
        pass(Duration.ofNanos(1));

        guard.check("account/11", 34);

        assertStale("account/7", 33);
        assertStale("account/11", 33);
        assertThatExceptionOfType(FencingGuardFullException.class).isThrownBy(() -> guard.check("account/9", 35));
    }

    @Test
    void api_theClockMayOverflow() {
        nanoTime.set(Long.MAX_VALUE - 1);
        guard.check("account/7", 34);
        assertStale("account/7", 33);

        pass(Duration.ofNanos(3));
        assertStale("account/7", 33);

        pass(KEPT);
        assertThatNoException().isThrownBy(() -> guard.check("account/7", 33));
    }

    @Test
    void api_aKeyCanBeKeptForEver() {
        FencingGuard patient = new FencingGuard(1, ChronoUnit.FOREVER.getDuration(), nanoTime::get);
        patient.check("account/7", 34);
        pass(Duration.ofDays(36_499));

        assertThatExceptionOfType(StaleTokenException.class).isThrownBy(() -> patient.check("account/7", 33));
    }

    @Test
    void api_aGuardReadsTheClockOfTheSystem() {
        FencingGuard forgetful = FencingGuard.of(1, Duration.ofNanos(1));
        FencingGuard patient = FencingGuard.of(1, Duration.ofDays(1));
        forgetful.check("account/7", 34);
        patient.check("account/7", 34);
        long begin = System.nanoTime();
        while (System.nanoTime() - begin < 1_000) {
            Thread.onSpinWait();
        }

        assertThatNoException().isThrownBy(() -> forgetful.check("account/7", 33));
        assertThatExceptionOfType(StaleTokenException.class).isThrownBy(() -> patient.check("account/7", 33));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void api_onlyPositiveTokensAreChecked(long token) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> guard.check("account/7", token))
                .withMessage("token must be positive, but was " + token);
    }

    @Test
    void api_badParametersAreNamed() {
        assertThatNullPointerException().isThrownBy(() -> guard.check(null, 1)).withMessage("key");
        assertThatNullPointerException()
                .isThrownBy(() -> FencingGuard.of(1, null))
                .withMessage("keepFor");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FencingGuard.of(0, KEPT))
                .withMessage("mostKeys must be positive, but was 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FencingGuard.of(1, Duration.ZERO))
                .withMessage("keepFor must be positive, but was PT0S");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FencingGuard.of(1, Duration.ofNanos(-1)))
                .withMessage("keepFor must be positive, but was PT-0.000000001S");
    }

    /**
     * Whatever was accepted before a check begins is not greater than what this check accepts. Checks take turns.
     */
    @Test
    void api_concurrentChecksAcceptNoSmallerTokenAfterAGreaterOne() throws Exception {
        int workers = 4;
        int checks = 2_000;
        AtomicInteger readers = new AtomicInteger();
        FencingGuard shared = new FencingGuard(1, KEPT, () -> {
            int others = readers.getAndIncrement();
            LockSupport.parkNanos(1);
            readers.decrementAndGet();
            assertThat(others).as("other checks at the same time").isZero();
            return System.nanoTime();
        });
        AtomicLong next = new AtomicLong();
        AtomicLong accepted = new AtomicLong();
        CyclicBarrier start = new CyclicBarrier(workers);
        ExecutorService threads = Executors.newFixedThreadPool(workers);
        try {
            List<Future<Integer>> rejections = new ArrayList<>();
            for (int worker = 0; worker < workers; worker++) {
                rejections.add(threads.submit(() -> {
                    start.await();
                    int rejected = 0;
                    for (int i = 0; i < checks; i++) {
                        long token = next.incrementAndGet();
                        if (ThreadLocalRandom.current().nextInt(8) == 0) {
                            LockSupport.parkNanos(1);
                        }
                        long before = accepted.get();
                        try {
                            shared.check("account/7", token);
                            assertThat(token).isGreaterThanOrEqualTo(before);
                            accepted.accumulateAndGet(token, Math::max);
                        } catch (StaleTokenException e) {
                            assertThat(e.highest().orElseThrow()).isGreaterThan(token);
                            rejected++;
                        }
                    }
                    return rejected;
                }));
            }

            int rejected = 0;
            for (Future<Integer> each : rejections) {
                rejected += each.get(50, TimeUnit.SECONDS);
            }
            assertThat(rejected).isLessThan(workers * checks);
        } finally {
            threads.shutdownNow();
        }
        assertThatExceptionOfType(StaleTokenException.class)
                .isThrownBy(() -> shared.check("account/7", accepted.get() - 1))
                .satisfies(stale -> assertThat(stale.highest()).hasValue(accepted.get()));
    }

    private void pass(Duration time) {
        nanoTime.addAndGet(time.toNanos());
    }

    private void assertStale(String key, long token) {
        assertThatExceptionOfType(StaleTokenException.class)
                .as("token %d of %s", token, key)
                .isThrownBy(() -> guard.check(key, token));
    }
}

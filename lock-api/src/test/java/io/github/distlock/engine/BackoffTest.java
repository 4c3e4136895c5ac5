package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pauses after failures, which spare a store that is in trouble. */
class BackoffTest {

    @ParameterizedTest
    @CsvSource({"0, 10", "1, 20", "5, 320", "6, 640", "100, 640"})
    void pausesDoubleUpTo640MillisecondsWithUpToHalfOfJitter(int failures, long longestMillis) {
        long longest = Duration.ofMillis(longestMillis).toNanos();

        for (int i = 0; i < 1_000; i++) {
            assertThat(Backoff.afterFailures(failures)).isBetween(longest / 2, longest);
        }
    }
}

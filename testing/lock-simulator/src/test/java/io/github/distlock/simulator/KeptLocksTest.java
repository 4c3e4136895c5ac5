package io.github.distlock.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class KeptLocksTest {
    private static final long SECOND = 1_000_000_000;

    private final KeptLocks kept = new KeptLocks();

    @Test
    void s13_aLockIsKeptForItsMinimumHold() {
        kept.released("lock", 5 * SECOND, SECOND);

        assertThat(kept.missing("lock", 5 * SECOND + SECOND / 2)).isPositive();
        assertThat(kept.missing("lock", 6 * SECOND)).isNotPositive();
        assertThat(kept.missing("other", 5 * SECOND)).isNotPositive();
    }

    @Test
    void s13_aLaterReleaseDoesNotShortenAMinimumHold() {
        kept.released("lock", 5 * SECOND, SECOND);
        kept.released("lock", 5 * SECOND, SECOND / 10);

        assertThat(kept.missing("lock", 5 * SECOND + SECOND / 2)).isPositive();
    }
}

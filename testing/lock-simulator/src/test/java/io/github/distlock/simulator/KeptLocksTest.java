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
    void s15_aLostLockIsKeptForItsDelayAfterItWasLastSeen() {
        kept.held("lock", 1, 5 * SECOND, SECOND);
        kept.held("lock", 1, 6 * SECOND, SECOND);

        assertThat(kept.missingDelay("lock", 6 * SECOND + SECOND / 2)).isPositive();
        assertThat(kept.missingDelay("lock", 7 * SECOND)).isNotPositive();
        assertThat(kept.missingDelay("other", 6 * SECOND)).isNotPositive();
    }

    @Test
    void s15_aReleaseEndsTheDelayOfItsHoldAlone() {
        kept.held("lock", 2, 5 * SECOND, SECOND);

        kept.release("lock", 1);
        assertThat(kept.missingDelay("lock", 5 * SECOND + SECOND / 2)).isPositive();

        kept.release("lock", 2);
        assertThat(kept.missingDelay("lock", 5 * SECOND + SECOND / 2)).isNotPositive();
    }

    @Test
    void s13_aLaterReleaseDoesNotShortenAMinimumHold() {
        kept.released("lock", 5 * SECOND, SECOND);
        kept.released("lock", 5 * SECOND, SECOND / 10);

        assertThat(kept.missing("lock", 5 * SECOND + SECOND / 2)).isPositive();
    }
}

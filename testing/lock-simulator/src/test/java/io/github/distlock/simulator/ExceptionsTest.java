package io.github.distlock.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.tests.history.HistoryRule;
import io.github.distlock.tests.history.Violation;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ExceptionsTest {
    private static final HistoryRule MAY_BREAK = HistoryRule.HOLDS_DO_NOT_OVERLAP;
    private static final long VALIDITY = 100;

    private final Exceptions exceptions = new Exceptions(VALIDITY);

    private static Violation violation(HistoryRule rule, long from, long until) {
        return new Violation(rule, "planted", from, until);
    }

    private void struck(long from, long until) {
        exceptions.struck(Map.of(MAY_BREAK, Duration.ofNanos(10)), from, until);
    }

    @Test
    void nothingIsExceptedWithoutAFault() {
        assertThat(exceptions.cover(violation(MAY_BREAK, 5, 6))).isFalse();
    }

    @Test
    void aRuleMayBreakWhileHoldsOfTheTimeOfTheFaultAreValid() {
        struck(1_000, 1_050);

        assertThat(exceptions.cover(violation(MAY_BREAK, 1_000, 1_160))).isTrue();
        assertThat(exceptions.cover(violation(MAY_BREAK, 1_000, 1_161))).isFalse();
        assertThat(exceptions.cover(violation(MAY_BREAK, 999, 1_010))).isFalse();
    }

    @Test
    void anotherRuleMayNotBreak() {
        struck(1_000, 1_050);

        assertThat(exceptions.cover(violation(HistoryRule.TOKENS_RISE, 1_010, 1_010)))
                .isFalse();
    }

    @Test
    void aViolationWithoutATimeIsNotExcepted() {
        struck(1_000, 1_050);

        assertThat(exceptions.cover(new Violation(MAY_BREAK, "planted"))).isFalse();
    }

    @Test
    void clocksThatDriftBreakExclusionAlone() {
        exceptions.clocksDrift();

        assertThat(exceptions.cover(violation(MAY_BREAK, 5, 6))).isTrue();
        assertThat(exceptions.cover(violation(HistoryRule.TOKENS_RISE, 5, 6))).isFalse();
    }
}

package io.github.distlock.simulator;

import io.github.distlock.tests.history.HistoryRule;
import io.github.distlock.tests.history.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a run may break: after a fault beyond the stated bounds, the rules that the guarantees except, and each only as
 * long as they say. A violation is excepted if all of its time is.
 */
final class Exceptions {
    private final List<Excepted> all = new ArrayList<>();
    private final long validity;

    private record Excepted(Set<HistoryRule> rules, long from, long until) {
        boolean covers(Violation violation) {
            return rules.contains(violation.rule()) && from <= violation.from() && violation.until() <= until;
        }
    }

    /**
     * Begins without an exception.
     *
     * @param validity for how long a hold is valid at most, in nanoseconds of true time
     */
    Exceptions(long validity) {
        this.validity = validity;
    }

    /** Clocks drift by more than the bound during the whole run, so a hold may outlast its lease at the store. */
    void clocksDrift() {
        all.add(new Excepted(SimulatedStore.EXCLUSION, 0, Long.MAX_VALUE));
    }

    /**
     * A fault has struck.
     *
     * @param rules the rules that it may break, and for how long beyond the validity of a hold
     * @param from when it began
     * @param until when it ends
     */
    void struck(Map<HistoryRule, Duration> rules, long from, long until) {
        rules.forEach((rule, length) -> all.add(new Excepted(Set.of(rule), from, until + validity + length.toNanos())));
    }

    boolean cover(Violation violation) {
        return all.stream().anyMatch(excepted -> excepted.covers(violation));
    }
}

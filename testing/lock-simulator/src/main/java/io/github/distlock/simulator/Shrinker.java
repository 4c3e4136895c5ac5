package io.github.distlock.simulator;

import io.github.distlock.tests.history.HistoryRule;
import io.github.distlock.tests.history.Violation;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * Makes a failing plan smaller as long as the same rule breaks: it drops faults, users and processes, shortens the run,
 * and disturbs no thread. A smaller plan has another schedule, so each is tried with several.
 */
final class Shrinker {
    private static final int SCHEDULES = 8;
    private static final long PATIENCE = 40_000_000_000L;

    private final HistoryRule rule;
    private final long begun = System.nanoTime();
    private Plan best;

    private Shrinker(Plan failing, HistoryRule rule) {
        best = failing;
        this.rule = rule;
    }

    /** Returns the smallest plan that was found. */
    static Plan shrink(Plan failing, HistoryRule rule) {
        Shrinker shrinker = new Shrinker(failing, rule);
        shrinker.shrink();
        return shrinker.best;
    }

    private void shrink() {
        Plan before;
        do {
            before = best;
            if (best.only().isEmpty()) {
                boolean unused = best.lockNames().stream().map(best::withOnly).anyMatch(this::improves);
            }
            shorten();
            drop(Plan::faults, Plan::withFaults);
            drop(Plan::users, Plan::withUsers);
            improves(best.withInterference(Simulation.Interference.NONE));
        } while (!best.equals(before) && !isOver());
    }

    private boolean isOver() {
        return System.nanoTime() - begun > PATIENCE;
    }

    private void shorten() {
        long step = best.duration() / 2;
        while (step > 100_000_000L && !isOver()) {
            if (!improves(best.withDuration(best.duration() - step))) {
                step /= 2;
            }
            step = Math.min(step, best.duration() / 2);
        }
    }

    /** Drops elements: first many at once, then single ones. */
    private <T> void drop(Function<Plan, List<T>> elements, BiFunction<Plan, List<T>, Plan> with) {
        int size = Math.max(1, elements.apply(best).size() / 2);
        for (; size > 0; size /= 2) {
            int from = 0;
            while (from < elements.apply(best).size() && !isOver()) {
                List<T> fewer = new ArrayList<>(elements.apply(best));
                fewer.subList(from, Math.min(fewer.size(), from + size)).clear();
                if (!improves(with.apply(best, fewer))) {
                    from += size;
                }
            }
        }
    }

    private boolean improves(Plan smaller) {
        if (smaller.equals(best) || smaller.users().isEmpty()) {
            return false;
        }
        for (int i = 0; i < SCHEDULES && !isOver(); i++) {
            Plan candidate = smaller.withSchedule(best.schedule() + i);
            if (breaks(candidate)) {
                best = candidate;
                return true;
            }
        }
        return false;
    }

    private boolean breaks(Plan plan) {
        return SimulatedRun.run(plan, null).violations().stream()
                .map(Violation::rule)
                .anyMatch(rule::equals);
    }
}

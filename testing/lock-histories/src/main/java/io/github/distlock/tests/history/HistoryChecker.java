package io.github.distlock.tests.history;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * Decides whether what the processes saw can be.
 *
 * <p>Nothing is searched: each hold carries its token and the moments at which it certainly was held, so that sorting decides,
 * and time grows with the number of events (but for the logarithm of the sorting). What is checked under-approximates: a hold
 * counts from the moment at which the acquire had returned to the last one at which {@code isHeld()} was still asked and
 * true. So there is no false alarm, however busy the machine is; only those rules that bound a time add a slack for it.
 *
 * <p>Let <em>g</em> be the moment of a grant's return and <em>h</em> the last moment seen held. Of two holds of one lock with
 * tokens <em>a</em> &lt; <em>b</em>, the first was over when the second was granted, which was before <em>g(b)</em>: hence
 * <em>h(a) &lt; g(b)</em>, and as <em>g(a) ≤ h(a)</em> this also is the order of tokens. It suffices to compare
 * <em>h(a)</em> with the least <em>g</em> of all greater tokens, which one pass from the greatest token downwards keeps. The
 * same least <em>g</em> tells whether a hold claimed to last longer (unless its release had begun), and whether an acquire
 * that was called later got the smaller token.
 */
final class HistoryChecker {
    private static final long NOTICED = Duration.ofSeconds(1).toNanos();
    private static final long RETURNED = Duration.ofMillis(250).toNanos();

    private final History history;
    private final long slack;
    private final long settling;
    private final List<Violation> violations = new ArrayList<>();
    private long ordered;

    /**
     * A checker.
     *
     * @param history what is checked
     * @param slack what a busy machine may add to a bound
     * @param settling how long after a fault a place in the queue may still be lost by it
     */
    HistoryChecker(History history, Duration slack, Duration settling) {
        this.history = history;
        this.slack = slack.toNanos();
        this.settling = settling.toNanos();
    }

    List<Violation> check() {
        history.processes().forEach(process -> process.defects.forEach(defect -> found(HistoryRule.COMPLETE, defect)));
        history.byLock().values().forEach(operations -> {
            List<Operation> holds = sorted(operations, operation -> operation.token);
            holds.removeIf(operation -> !operation.isGranted());
            tokensAreUnique(holds);
            holdsEndBeforeTheNext(holds);
            holdsAreDisjoint(holds);
            waitersAreServedInOrder(operations);
        });
        history.operations().forEach(this::callsReturn);
        history.operations().forEach(this::lossIsTold);
        return List.copyOf(violations);
    }

    /** How many grants of fair locks were compared with those that were queued before. */
    long ordered() {
        return ordered;
    }

    private void found(HistoryRule rule, String what) {
        violations.add(new Violation(rule, what));
    }

    private static List<Operation> sorted(List<Operation> operations, ToLongFunction<Operation> by) {
        List<Operation> sorted = new ArrayList<>(operations);
        sorted.sort(Comparator.comparingLong(by));
        return sorted;
    }

    private void tokensAreUnique(List<Operation> holds) {
        for (int i = 1; i < holds.size(); i++) {
            Operation first = holds.get(i - 1);
            Operation second = holds.get(i);
            if (first.token == second.token) {
                found(HistoryRule.TOKENS_RISE, first + " has the token of " + second);
            }
        }
    }

    private void holdsEndBeforeTheNext(List<Operation> holds) {
        Operation next = null;
        for (int i = holds.size() - 1; i >= 0; i--) {
            Operation hold = holds.get(i);
            if (next != null && next.token > hold.token) {
                compare(hold, next);
            }
            if (next == null || hold.grantedAt < next.grantedAt) {
                next = hold;
            }
        }
    }

    /** With the hold of a greater token that was granted first of all these. */
    private void compare(Operation hold, Operation next) {
        if (next.grantedAt < hold.invokedAt) {
            found(HistoryRule.TOKENS_RISE, hold + " was called after " + next + " had come back");
        } else if (hold.wasSeenHeld() && hold.heldAt >= next.grantedAt) {
            found(HistoryRule.HOLDS_DO_NOT_OVERLAP, hold + " was held when there already was " + next);
        } else if (next.grantedAt < Math.min(hold.claimedUntil, hold.releaseInvokedAt)) {
            found(HistoryRule.CLAIMS_END_BEFORE_THE_NEXT_GRANT, hold + " claimed to outlast " + next);
        }
    }

    /** Also when tokens say nothing. */
    private void holdsAreDisjoint(List<Operation> holds) {
        Operation longest = null;
        for (Operation hold : sorted(holds, operation -> operation.grantedAt)) {
            if (!hold.wasSeenHeld()) {
                continue;
            }
            if (longest != null && hold.grantedAt <= longest.heldAt) {
                found(HistoryRule.HOLDS_DO_NOT_OVERLAP, hold + " began while there was " + longest);
            }
            if (longest == null || hold.heldAt > longest.heldAt) {
                longest = hold;
            }
        }
    }

    /** Who was called when another one was queued already is served after it, if nothing was done to either. */
    private void waitersAreServedInOrder(List<Operation> operations) {
        List<Operation> undisturbed = sorted(operations, operation -> operation.invokedAt);
        undisturbed.removeIf(operation -> !operation.how.contains(Workload.FAIR)
                || !operation.isGranted()
                || history.losesPlaces(
                        operation.process, operation.lock, operation.invokedAt - settling, operation.grantedAt));
        List<Operation> byPlace = sorted(undisturbed, operation -> operation.queuedAt);
        Operation greatest = null;
        int queued = 0;
        for (Operation later : undisturbed) {
            while (queued < byPlace.size() && byPlace.get(queued).queuedAt < later.invokedAt) {
                Operation earlier = byPlace.get(queued++);
                if (greatest == null || earlier.token > greatest.token) {
                    greatest = earlier;
                }
            }
            if (greatest != null) {
                ordered++;
                if (greatest.token > later.token) {
                    found(HistoryRule.FAIR_LOCKS_SERVE_IN_ORDER, later + " was served before " + greatest);
                }
            }
        }
    }

    private void callsReturn(Operation operation) {
        long returned = operation.returnedAt();
        if (returned == Operation.NEVER) {
            if (operation.process.hasEnded()) {
                found(HistoryRule.CALLS_RETURN_IN_TIME, operation + " never came back");
            }
            return;
        }
        if (operation.limit != Operation.NEVER) {
            long late = returned - operation.limit - RETURNED - slack;
            if (late > 0 && late > history.stopped(operation.process, operation.invokedAt, returned)) {
                found(HistoryRule.CALLS_RETURN_IN_TIME, operation + " came back too late by " + late + " ns");
            }
        }
    }

    private void lossIsTold(Operation hold) {
        boolean lost = hold.outcome.equals("LOST");
        if (lost && hold.lostAt == Operation.NEVER && hold.process.hasEnded()) {
            found(HistoryRule.LOSS_IS_TOLD, hold + " was told nothing");
        }
        // What was released in time is not held any more; that its loss comes out later concerns nobody.
        long end = Math.max(hold.grantedAt, hold.claimedUntil);
        if (hold.lostAt != Operation.NEVER && hold.releaseInvokedAt > end + NOTICED) {
            long late = hold.lostAt - end - NOTICED - slack;
            if (late > 0 && late > history.stopped(hold.process, end, hold.lostAt)) {
                found(HistoryRule.LOSS_IS_TOLD, hold + " was told too late by " + late + " ns");
            }
        }
    }
}

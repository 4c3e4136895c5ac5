package io.github.distlock.tests.history;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * Decides whether a history obeys the rules.
 *
 * <p>The checker does not search for an order of events: each hold has its token and the times at which the holder
 * certainly held the lock. Sorting suffices, so the time is O(n log n) in the number of events. The checker counts a
 * hold from the return of its acquire to the last call of {@code isHeld()} that returned true. The real hold is never
 * shorter, so a busy machine causes no false alarm. Only rules that bound a time add a slack.
 *
 * <p>Let <em>g</em> be the time at which an acquire returned its grant, and <em>h</em> the last time at which the
 * holder saw that it held the lock. Take two holds of one lock with tokens <em>a</em> &lt; <em>b</em>. The first had
 * ended when the store granted the second, which was before <em>g(b)</em>. Hence <em>h(a) &lt; g(b)</em>, and because
 * <em>g(a) ≤ h(a)</em> this is also the order of tokens. It suffices to compare <em>h(a)</em> with the least <em>g</em>
 * of all greater tokens. One pass from the greatest token down keeps that <em>g</em>. The same <em>g</em> decides
 * whether a hold claimed validity beyond the next grant without having begun its release, and whether a later acquire
 * got a smaller token.
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
     * Creates a checker.
     *
     * @param history the history to check
     * @param slack how much a busy machine may add to a bound
     * @param settling for how long after a fault a queue entry may still be lost by it
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
        history.operations().forEach(this::lossIsReported);
        return List.copyOf(violations);
    }

    /** Returns how many grants of fair locks were compared with grants to earlier queue entries. */
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

    /** Compares the hold with the earliest grant among all greater tokens. */
    private void compare(Operation hold, Operation next) {
        if (next.grantedAt < hold.invokedAt) {
            found(HistoryRule.TOKENS_RISE, hold + " was called after " + next + " had returned");
        } else if (hold.wasSeenHeld() && hold.heldAt >= next.grantedAt) {
            found(HistoryRule.HOLDS_DO_NOT_OVERLAP, hold + " was held after the grant of " + next);
        } else if (next.grantedAt < Math.min(hold.claimedUntil, hold.releaseInvokedAt)) {
            found(HistoryRule.CLAIMS_END_BEFORE_THE_NEXT_GRANT, hold + " claimed validity beyond the grant of " + next);
        }
    }

    /** Compares times only, so it also finds overlaps of holds whose tokens are in order. */
    private void holdsAreDisjoint(List<Operation> holds) {
        Operation longest = null;
        for (Operation hold : sorted(holds, operation -> operation.grantedAt)) {
            if (!hold.wasSeenHeld()) {
                continue;
            }
            if (longest != null && hold.grantedAt <= longest.heldAt) {
                found(HistoryRule.HOLDS_DO_NOT_OVERLAP, hold + " began during " + longest);
            }
            if (longest == null || hold.heldAt > longest.heldAt) {
                longest = hold;
            }
        }
    }

    /**
     * Checks that an acquire called after another had its queue entry is granted later, unless a fault concerned one.
     */
    private void waitersAreServedInOrder(List<Operation> operations) {
        List<Operation> undisturbed = sorted(operations, operation -> operation.invokedAt);
        undisturbed.removeIf(operation -> !operation.how.contains(Workload.FAIR)
                || !operation.isGranted()
                || history.mayLoseQueueEntry(
                        operation.process, operation.lock, operation.invokedAt - settling, operation.grantedAt));
        List<Operation> byQueueEntry = sorted(undisturbed, operation -> operation.queuedAt);
        Operation greatest = null;
        int queued = 0;
        for (Operation later : undisturbed) {
            while (queued < byQueueEntry.size() && byQueueEntry.get(queued).queuedAt < later.invokedAt) {
                Operation earlier = byQueueEntry.get(queued++);
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
                found(HistoryRule.CALLS_RETURN_IN_TIME, operation + " never returned");
            }
            return;
        }
        if (operation.limit != Operation.NEVER) {
            long late = returned - operation.limit - RETURNED - slack;
            if (late > 0 && late > history.stopped(operation.process, operation.invokedAt, returned)) {
                found(HistoryRule.CALLS_RETURN_IN_TIME, operation + " returned too late by " + late + " ns");
            }
        }
    }

    private void lossIsReported(Operation hold) {
        boolean lost = hold.outcome.equals("LOST");
        if (lost && hold.lostAt == Operation.NEVER && hold.process.hasEnded()) {
            found(HistoryRule.LOSS_IS_REPORTED, hold + " was not notified");
        }
        // If the holder released in time, a later notification has no bound.
        long end = Math.max(hold.grantedAt, hold.claimedUntil);
        if (hold.lostAt != Operation.NEVER && hold.releaseInvokedAt > end + NOTICED) {
            long late = hold.lostAt - end - NOTICED - slack;
            if (late > 0 && late > history.stopped(hold.process, end, hold.lostAt)) {
                found(HistoryRule.LOSS_IS_REPORTED, hold + " was notified too late by " + late + " ns");
            }
        }
    }
}

package io.github.distlock.tests.history;

import io.github.distlock.spi.LockKind;
import io.github.distlock.spi.LockMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a history obeys the rules.
 *
 * <p>The checker does not search for an order of events: each hold has its token and the times at which the holder
 * certainly held the lock. Sorting suffices, so the time is O(n log n) in the number of events. The checker counts a
 * hold from the return of its acquire to the last call of {@code isHeld()} that returned true. The real hold is never
 * shorter, so a busy machine causes no false alarm. Only rules that bound a time add a slack.
 *
 * <p>Let <em>g</em> be the time at which an acquire returned its grant, and <em>h</em> the last time at which the
 * holder saw that it held the lock. Take two holds of one lock with tokens <em>a</em> &lt; <em>b</em>, of which at
 * least one excludes the other. The first had ended when the store granted the second, which was before <em>g(b)</em>.
 * Hence <em>h(a) &lt; g(b)</em>, and because <em>g(a) ≤ h(a)</em> this is also the order of tokens. It suffices to
 * compare <em>h(a)</em> with the least <em>g</em> of all greater tokens: for a reader, of those of writers. One pass
 * from the greatest token down keeps these two times. The same <em>g</em> decides whether a hold claimed validity
 * beyond the next grant, unless its release had begun or it was known as lost, and whether a later acquire got a
 * smaller token.
 *
 * <p>Tokens of permits have no order. A second pass goes through all holds by <em>g</em>, and keeps those that have not
 * ended. The last of them to be granted was granted while all others were in use. So their permits fit the greatest of
 * their limits.
 *
 * <p>Holders that exclude each other show by their times which of them was first, if both were seen to hold the lock.
 * So this decides whether a fair lock was granted in the order of its queue.
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
        history.processes()
                .forEach(process ->
                        process.defects.forEach(defect -> violations.add(new Violation(HistoryRule.COMPLETE, defect))));
        history.byLock().values().forEach(operations -> {
            List<Operation> holds = sorted(operations, operation -> operation.token);
            holds.removeIf(operation -> !operation.isGranted());
            tokensAreUnique(holds);
            downgradesKeepTheirTokens(holds);
            holdsEndBeforeTheNext(holds);
            holdsFit(holds);
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

    private void found(HistoryRule rule, String what, long at) {
        found(rule, what, at, at);
    }

    private void found(HistoryRule rule, String what, long from, long until) {
        violations.add(new Violation(rule, what, from, until));
    }

    private static List<Operation> sorted(List<Operation> operations, ToLongFunction<Operation> by) {
        List<Operation> sorted = new ArrayList<>(operations);
        sorted.sort(Comparator.comparingLong(by));
        return sorted;
    }

    private void tokensAreUnique(List<Operation> holds) {
        forEachToken(holds, equal -> {
            List<Operation> before = new ArrayList<>();
            for (Operation hold : sorted(equal, operation -> operation.grantedAt)) {
                before.stream()
                        .filter(other -> !mayShareToken(other, hold))
                        .findFirst()
                        .ifPresent(other ->
                                found(HistoryRule.TOKENS_RISE, hold + " has the token of " + other, hold.grantedAt));
                before.add(hold);
            }
        });
    }

    /** A grant of readers is shared within a process, and a downgraded hold has the token of the writer. */
    private static boolean mayShareToken(Operation one, Operation other) {
        return one.process == other.process
                && one.mode.lockKind() == LockKind.READ_WRITE_LOCK
                && other.mode.lockKind() == LockKind.READ_WRITE_LOCK
                && !(Mode.isAlone(one.mode) && Mode.isAlone(other.mode));
    }

    private static void forEachToken(List<Operation> holds, Consumer<List<Operation>> check) {
        for (int end = holds.size(); end > 0; ) {
            int begin = end - 1;
            while (begin > 0 && holds.get(begin - 1).token == holds.get(end - 1).token) {
                begin--;
            }
            check.accept(holds.subList(begin, end));
            end = begin;
        }
    }

    private void downgradesKeepTheirTokens(List<Operation> holds) {
        holds.forEach(hold -> {
            if (hold.tokenBefore != 0 && hold.token != hold.tokenBefore) {
                found(HistoryRule.WRITERS_TOKENS_RISE, hold + " had the token " + hold.tokenBefore, hold.grantedAt);
            }
        });
    }

    private void holdsEndBeforeTheNext(List<Operation> holds) {
        List<Operation> ordered = new ArrayList<>(holds);
        ordered.removeIf(hold -> hold.mode.lockKind() == LockKind.SEMAPHORE);
        Next any = new Next(ordered);
        Next alone = new Next(ordered);
        forEachToken(ordered, equal -> {
            equal.forEach(hold -> (Mode.isAlone(hold.mode) ? any : alone).compare(hold));
            equal.forEach(any::add);
            equal.stream().filter(hold -> Mode.isAlone(hold.mode)).forEach(alone::add);
        });
    }

    /** The earliest grant among holds with greater tokens. */
    private final class Next {
        private final List<Operation> holds;
        private @Nullable Operation next;

        private Next(List<Operation> holds) {
            this.holds = holds;
        }

        private void add(Operation hold) {
            if (next == null || hold.grantedAt < next.grantedAt) {
                next = hold;
            }
        }

        private void compare(Operation hold) {
            Operation after = next;
            if (after == null) {
                return;
            }
            if (after.grantedAt < hold.invokedAt) {
                found(
                        orderOfTokens(hold, holds),
                        hold + " was called after " + after + " had returned",
                        hold.grantedAt);
            } else if (hold.wasSeenHeld() && hold.heldAt >= after.grantedAt) {
                found(
                        overlap(hold, after),
                        hold + " was held after the grant of " + after,
                        Math.max(hold.grantedAt, after.grantedAt),
                        hold.heldAt);
            } else if (after.grantedAt < Math.min(hold.claimedUntil, hold.endedAt())) {
                found(
                        HistoryRule.CLAIMS_END_BEFORE_THE_NEXT_GRANT,
                        hold + " claimed validity beyond the grant of " + after,
                        Math.max(hold.grantedAt, after.grantedAt),
                        Math.min(hold.claimedUntil, hold.endedAt()));
            }
        }
    }

    /** Returns the rule that a hold breaks if its token is too small. */
    private static HistoryRule orderOfTokens(Operation hold, List<Operation> holds) {
        List<Operation> ofGrant = holds.stream().filter(hold::sharesGrant).toList();
        if (ofGrant.stream().allMatch(other -> other.process == hold.process)
                && ofGrant.stream().anyMatch(other -> other.token < hold.token)) {
            return HistoryRule.LOCAL_TOKENS_RISE;
        }
        return hold.mode.lockKind() == LockKind.LOCK ? HistoryRule.TOKENS_RISE : HistoryRule.WRITERS_TOKENS_RISE;
    }

    /** Returns the rule that two holds break if they overlap. */
    private static HistoryRule overlap(Operation one, Operation other) {
        if (one.mode.lockKind() != other.mode.lockKind()) {
            return HistoryRule.NAMES_HAVE_ONE_KIND;
        }
        return switch (one.mode.lockKind()) {
            case LOCK -> HistoryRule.HOLDS_DO_NOT_OVERLAP;
            case READ_WRITE_LOCK -> HistoryRule.WRITERS_EXCLUDE_OTHERS;
            case SEMAPHORE -> HistoryRule.PERMITS_FIT;
        };
    }

    /** Compares times only, so it also finds overlaps of holds whose tokens are in order. */
    private void holdsFit(List<Operation> holds) {
        Queue<Operation> present = new PriorityQueue<>(Comparator.comparingLong(HistoryChecker::end));
        for (Operation hold : sorted(holds, operation -> operation.grantedAt)) {
            if (!hold.wasSeenHeld()) {
                continue;
            }
            while (!present.isEmpty() && end(present.element()) < hold.grantedAt) {
                present.remove();
            }
            Optional<Operation> excluded = present.stream()
                    .filter(other -> !Mode.fit(other.mode, hold.mode))
                    .findFirst();
            excluded.ifPresentOrElse(
                    other -> found(
                            overlap(hold, other),
                            hold + " began during " + other,
                            hold.grantedAt,
                            Math.min(end(hold), end(other))),
                    () -> permitsFit(hold, present));
            present.add(hold);
        }
    }

    private static long end(Operation hold) {
        return hold.mode.lockKind() == LockKind.SEMAPHORE ? hold.believedUntil() : hold.heldAt;
    }

    private void permitsFit(Operation hold, Collection<Operation> present) {
        int inUse = hold.mode.count()
                + present.stream().mapToInt(other -> other.mode.count()).sum();
        int limit = Math.max(
                hold.mode.limit(),
                present.stream().mapToInt(other -> other.mode.limit()).max().orElse(0));
        if (inUse > limit) {
            found(
                    HistoryRule.PERMITS_FIT,
                    hold + " began while permits were in use by " + present,
                    hold.grantedAt,
                    Math.min(
                            end(hold),
                            present.stream()
                                    .mapToLong(HistoryChecker::end)
                                    .min()
                                    .orElse(hold.grantedAt)));
        }
    }

    /**
     * Checks that an acquire called after another had its queue entry is granted later, if the two exclude each other,
     * unless a fault concerned one.
     */
    private void waitersAreServedInOrder(List<Operation> operations) {
        List<Operation> undisturbed = sorted(operations, operation -> operation.invokedAt);
        undisturbed.removeIf(operation -> !operation.how.contains(AcquireKind.FAIR.word())
                || !operation.wasSeenHeld()
                || history.mayLoseQueueEntry(
                        operation.process, operation.lock, operation.invokedAt - settling, operation.grantedAt));
        List<Operation> byQueueEntry = sorted(undisturbed, operation -> operation.queuedAt);
        Map<LockMode, Operation> lastGrants = new HashMap<>();
        int queued = 0;
        for (Operation later : undisturbed) {
            while (queued < byQueueEntry.size() && byQueueEntry.get(queued).queuedAt < later.invokedAt) {
                Operation earlier = byQueueEntry.get(queued++);
                lastGrants.merge(earlier.mode, earlier, (one, other) -> one.grantedAt > other.grantedAt ? one : other);
            }
            lastGrants.values().stream()
                    .filter(earlier -> !Mode.fit(earlier.mode, later.mode))
                    .max(Comparator.comparingLong(earlier -> earlier.grantedAt))
                    .ifPresent(earlier -> {
                        ordered++;
                        if (earlier.grantedAt > later.grantedAt) {
                            found(
                                    HistoryRule.FAIR_LOCKS_SERVE_IN_ORDER,
                                    later + " was served before " + earlier,
                                    later.grantedAt);
                        }
                    });
        }
    }

    private void callsReturn(Operation operation) {
        long returned = operation.returnedAt();
        if (returned == Operation.NEVER) {
            if (operation.process.hasEnded()) {
                found(HistoryRule.CALLS_RETURN_IN_TIME, operation + " never returned", operation.invokedAt, returned);
            }
            return;
        }
        if (operation.limit != Operation.NEVER) {
            long late = returned - operation.limit - RETURNED - slack;
            if (late > 0 && late > history.stopped(operation.process, operation.invokedAt, returned)) {
                found(HistoryRule.CALLS_RETURN_IN_TIME, operation + " returned too late by " + late + " ns", returned);
            }
        }
    }

    private void lossIsReported(Operation hold) {
        boolean lost = hold.outcome.equals("LOST");
        if (lost && hold.lostAt == Operation.NEVER && hold.process.hasEnded()) {
            found(HistoryRule.LOSS_IS_REPORTED, hold + " was not notified", hold.grantedAt, Operation.NEVER);
        }
        // If the holder released in time, a later notification has no bound.
        long end = Math.max(hold.grantedAt, hold.claimedUntil);
        if (hold.lostAt != Operation.NEVER && hold.releaseInvokedAt > end + NOTICED) {
            long late = hold.lostAt - end - NOTICED - slack;
            if (late > 0 && late > history.stopped(hold.process, end, hold.lostAt)) {
                found(HistoryRule.LOSS_IS_REPORTED, hold + " was notified too late by " + late + " ns", hold.lostAt);
            }
        }
    }
}

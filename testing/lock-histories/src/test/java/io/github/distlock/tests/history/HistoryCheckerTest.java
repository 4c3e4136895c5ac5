package io.github.distlock.tests.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The checker finds all violations of the rules, and nothing else. */
class HistoryCheckerTest {
    private static List<Violation> check(History history) {
        return new HistoryChecker(history, Duration.ofMillis(10), Duration.ofMillis(100)).check();
    }

    private static void finds(HistoryRule rule, Script script) {
        Set<HistoryRule> found =
                check(script.history()).stream().map(Violation::rule).collect(Collectors.toSet());
        assertEquals(Set.of(rule), found);
    }

    private static void findsNothing(Script script) {
        assertEquals(List.of(), check(script.history()));
    }

    @Test
    void consecutiveHoldsAreAllowed() {
        findsNothing(new Script().hold(1, 1, 0, 10, 5).hold(2, 1, 6, 11, 1).end(1, 100));
    }

    @Test
    void overlappingHoldsAreFound() {
        finds(
                HistoryRule.HOLDS_DO_NOT_OVERLAP,
                new Script().hold(1, 1, 0, 10, 5).hold(2, 1, 1, 11, 1));
    }

    @Test
    void aHoldThatBeginsDuringAnotherIsFoundWhateverTheTokens() {
        Script script = new Script().acquire(2, 1, 0).hold(1, 1, 0, 10, 5);
        finds(
                HistoryRule.HOLDS_DO_NOT_OVERLAP,
                script.granted(2, 1, 2, 9).held(2, 1, 3, 100).released(2, 1, 4, "RELEASED"));
    }

    @Test
    void aHoldThatIsLostBeforeTheNextGrantIsAllowed() {
        findsNothing(new Script()
                .acquire(1, 1, 0)
                .granted(1, 1, 1, 10)
                .held(1, 1, 50, 60)
                .stopped(1, 51, 200)
                .hold(2, 1, 100, 11, 5)
                .lost(1, 1, 201)
                .released(1, 1, 202, "LOST"));
    }

    @Test
    void aClaimBeyondTheNextGrantIsFound() {
        finds(
                HistoryRule.CLAIMS_END_BEFORE_THE_NEXT_GRANT,
                new Script()
                        .acquire(1, 1, 0)
                        .granted(1, 1, 1, 10)
                        .held(1, 1, 50, 150)
                        .stopped(1, 51, 200)
                        .hold(2, 1, 100, 11, 5)
                        .lost(1, 1, 201)
                        .released(1, 1, 202, "LOST"));
    }

    @Test
    void aClaimBeyondTheNextGrantIsAllowedAfterTheRelease() {
        findsNothing(new Script()
                .acquire(1, 1, 0)
                .granted(1, 1, 1, 10)
                .held(1, 1, 50, 150)
                .released(1, 1, 51, "RELEASED")
                .hold(2, 1, 100, 11, 5));
    }

    @Test
    void aSmallerTokenForALaterAcquireIsFound() {
        finds(HistoryRule.TOKENS_RISE, new Script().hold(1, 1, 0, 10, 5).hold(2, 1, 6, 9, 1));
    }

    @Test
    void aRepeatedTokenIsFound() {
        finds(HistoryRule.TOKENS_RISE, new Script().hold(1, 1, 0, 10, 5).hold(2, 1, 6, 10, 1));
    }

    @Test
    void aTimedCallThatReturnsLateIsFound() {
        finds(
                HistoryRule.CALLS_RETURN_IN_TIME,
                new Script().acquireUntil(1, 1, 0, 100).refused(1, 1, 361));
    }

    @Test
    void aTimedCallMayReturnLateIfItsProcessWasStopped() {
        findsNothing(new Script().acquireUntil(1, 1, 0, 100).stopped(1, 10, 360).refused(1, 1, 400));
    }

    @Test
    void aCallThatNeverReturnsIsFoundUnlessItsProcessWasKilled() {
        finds(HistoryRule.CALLS_RETURN_IN_TIME, new Script().acquire(1, 1, 0).end(1, 1_000));
        findsNothing(new Script().acquire(1, 1, 0));
    }

    @Test
    void aLossThatIsReportedLateIsFound() {
        finds(
                HistoryRule.LOSS_IS_REPORTED,
                new Script()
                        .acquire(1, 1, 0)
                        .granted(1, 1, 1, 10)
                        .held(1, 1, 50, 100)
                        .lost(1, 1, 1_111)
                        .released(1, 1, 1_112, "LOST"));
    }

    @Test
    void aLossThatIsNotReportedIsFound() {
        finds(
                HistoryRule.LOSS_IS_REPORTED,
                new Script()
                        .acquire(1, 1, 0)
                        .granted(1, 1, 1, 10)
                        .held(1, 1, 50, 100)
                        .released(1, 1, 900, "LOST")
                        .end(1, 1_000));
    }

    @Test
    void aGrantOutOfTheOrderOfTheQueueIsFound() {
        Script script = new Script().acquireFair(1, 1, 0, 1).acquireFair(2, 1, 2, 3);
        finds(
                HistoryRule.FAIR_LOCKS_SERVE_IN_ORDER,
                script.granted(2, 1, 10, 10).released(2, 1, 11, "RELEASED").granted(1, 1, 20, 11));
    }

    @Test
    void aGrantOutOfTheOrderOfTheQueueIsAllowedIfTheFirstWasStopped() {
        Script script = new Script().acquireFair(1, 1, 0, 1).acquireFair(2, 1, 2, 3);
        findsNothing(script.granted(2, 1, 10, 10)
                .released(2, 1, 11, "RELEASED")
                .stopped(1, 5, 8)
                .granted(1, 1, 20, 11));
    }

    @Test
    void anAcquireCalledBeforeTheOtherWasQueuedMayBeGrantedFirst() {
        Script script = new Script().acquireFair(1, 1, 0, 5).acquireFair(2, 1, 2, 3);
        findsNothing(script.granted(2, 1, 10, 10).released(2, 1, 11, "RELEASED").granted(1, 1, 20, 11));
    }

    // A correct history, and the same history with damage

    /** Creates a history of three processes that take turns, with 0.2 ms from each release to the next grant. */
    private static Script busy() {
        Script script = new Script();
        for (int i = 0; i < 3_000; i++) {
            script.hold(1 + i % 3, 1 + i / 3, i, 1_000 + i, 0.5);
        }
        return script.end(1, 4_000).end(2, 4_000).end(3, 4_000);
    }

    private static Set<HistoryRule> rulesBroken(Script script) {
        return check(script.history()).stream().map(Violation::rule).collect(Collectors.toCollection(TreeSet::new));
    }

    private static void change(Script script, long process, UnaryOperator<Event> change) {
        script.events().get(process).replaceAll(change);
    }

    private static Event with(Event event, long at, long token, long until) {
        return new Event(
                event.sequence(), at, event.kind(), event.operation(), event.lock(), token, until, event.note());
    }

    @Test
    void aBusyHistoryIsAllowed() {
        findsNothing(busy());
    }

    @Test
    void missingEventsAreFound() {
        Script script = busy();
        Random random = new Random(1);
        script.events().values().forEach(events -> events.removeIf(event -> random.nextInt(100) == 0));
        assertTrue(rulesBroken(script).contains(HistoryRule.COMPLETE));
    }

    @Test
    void swappedTokensAreFound() {
        Script script = busy();
        change(script, 1, event -> event.token() == 1_300 ? with(event, event.at(), 1_301, 0) : event);
        change(script, 2, event -> event.token() == 1_301 ? with(event, event.at(), 1_300, 0) : event);
        assertEquals(Set.of(HistoryRule.TOKENS_RISE), rulesBroken(script));
    }

    @Test
    void aShiftedClockIsFound() {
        Script script = busy();
        long shift = Duration.ofMillis(5).toNanos();
        change(
                script,
                3,
                event ->
                        with(event, event.at() + shift, event.token(), event.until() == 0 ? 0 : event.until() + shift));
        assertTrue(rulesBroken(script).contains(HistoryRule.TOKENS_RISE));
    }

    @Test
    void aLongHistoryDoesNotTakeQuadraticTime() {
        Script script = new Script();
        for (int i = 0; i < 100_000; i++) {
            script.hold(1, 1 + i, i, 1_000 + i, 0.5);
        }
        // A comparison of all pairs would take 10 000 000 000 steps.
        findsNothing(script);
    }

    private static HistoryReport report(Script script) {
        History history = script.history();
        return HistoryReport.of(history, new HistoryChecker(history, Duration.ZERO, Duration.ZERO), List.of());
    }

    private static long strikes(Script script) {
        return report(script).coverage().aimedFaults();
    }

    @Test
    void aFaultDuringAHoldStrikesTheHolder() {
        assertEquals(1, strikes(new Script().hold(1, 1, 0, 10, 5).stopped(1, 3, 4)));
        assertEquals(0, strikes(new Script().hold(1, 1, 0, 10, 5).stopped(1, 7, 8)));
        assertEquals(
                0,
                strikes(new Script().hold(1, 1, 0, 10, 5).hold(2, 1, 6, 11, 5).stopped(1, 7, 8)));
    }

    @Test
    void aFaultAfterALossDoesNotStrikeTheHolder() {
        Script script = new Script().acquire(1, 1, 0).granted(1, 1, 1, 10).lost(1, 1, 5);
        assertEquals(0, strikes(script.stopped(1, 6, 7).released(1, 1, 8, "LOST")));
    }

    @Test
    void killingAHolderStrikesTheHolder() {
        Script script = new Script().acquire(1, 1, 0).granted(1, 1, 1, 10).held(1, 1, 2, 100);
        assertEquals(1, strikes(script.fault(InjectedFault.Kind.PROCESS_KILLED, InjectedFault.Aim.HOLDER, 1, 3, 4)));
    }

    @Test
    void killingAWaiterStrikesTheWaiter() {
        Script script = new Script().acquire(1, 1, 0);
        assertEquals(
                1, strikes(script.fault(InjectedFault.Kind.PROCESS_KILLED, InjectedFault.Aim.FIRST_WAITER, 1, 3, 4)));
    }

    @Test
    void aHistoryThatContainsTooLittleIsInvalid() {
        HistoryReport report = report(busy());
        assertEquals(new Coverage(3_000, 0, 0, 0), report.coverage());
        report.verify(new Coverage(3_000, 0, 0, 0));
        for (Coverage more : List.of(
                new Coverage(3_001, 0, 0, 0),
                new Coverage(3_000, 1, 0, 0),
                new Coverage(3_000, 0, 1, 0),
                new Coverage(3_000, 0, 0, 1))) {
            AssertionError error = assertThrows(AssertionError.class, () -> report.verify(more));
            assertTrue(error.getMessage().contains("invalid"), error.getMessage());
        }
    }
}

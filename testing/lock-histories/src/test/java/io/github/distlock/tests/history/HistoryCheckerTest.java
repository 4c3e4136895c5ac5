package io.github.distlock.tests.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.spi.LockMode;
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
    private static final LockMode ONE = LockMode.permits(1, 3);
    private static final LockMode TWO = LockMode.permits(2, 3);
    private static final LockMode ALL = LockMode.permits(3, 3);

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
    void anOverlapHasItsTime() {
        Script script = new Script().hold(1, 1, 0, 10, 5).hold(2, 1, 1, 11, 1);

        Violation overlap = check(script.history()).get(0);

        assertEquals(1_100_000, overlap.from());
        assertEquals(5_100_000, overlap.until());
    }

    @Test
    void aSmallerTokenOfALocalHandoffIsFoundAsSuch() {
        Script script = new Script().hold(1, 1, 0, 512, 1).hold(2, 1, 2, 768, 1).hold(1, 2, 4, 513, 1);

        finds(HistoryRule.LOCAL_TOKENS_RISE, script);
    }

    @Test
    void aSmallerTokenOfAnotherGrantIsNoLocalHandoff() {
        Script script =
                new Script().hold(1, 1, 0, 512, 1).hold(2, 1, 2, 1024, 1).hold(1, 2, 4, 768, 1);

        finds(HistoryRule.TOKENS_RISE, script);
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
    void aRepeatedTokenIsFoundWhenItsSecondHoldBegins() {
        Script script = downgraded(10).hold(2, 1, 40, 10, 5);

        Violation repeated = check(script.history()).get(0);

        assertEquals(HistoryRule.TOKENS_RISE, repeated.rule());
        assertEquals(40_100_000, repeated.from());
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
                script.granted(2, 1, 10, 10)
                        .held(2, 1, 10.5, 100)
                        .released(2, 1, 11, "RELEASED")
                        .granted(1, 1, 20, 11)
                        .held(1, 1, 20.5, 100));
    }

    @Test
    void aGrantOutOfTheOrderOfTheQueueIsAllowedIfTheFirstWasStopped() {
        Script script = new Script().acquireFair(1, 1, 0, 1).acquireFair(2, 1, 2, 3);
        findsNothing(script.granted(2, 1, 10, 10)
                .held(2, 1, 10.5, 100)
                .released(2, 1, 11, "RELEASED")
                .stopped(1, 5, 8)
                .granted(1, 1, 20, 11)
                .held(1, 1, 20.5, 100));
    }

    @Test
    void anAcquireCalledBeforeTheOtherWasQueuedMayBeGrantedFirst() {
        Script script = new Script().acquireFair(1, 1, 0, 5).acquireFair(2, 1, 2, 3);
        findsNothing(script.granted(2, 1, 10, 10)
                .held(2, 1, 10.5, 100)
                .released(2, 1, 11, "RELEASED")
                .granted(1, 1, 20, 11)
                .held(1, 1, 20.5, 100));
    }

    // Readers, writers and permits

    @Test
    void readersMayOverlapInAnyOrderOfTokens() {
        findsNothing(new Script()
                .as(LockMode.READ)
                .hold(1, 1, 0, 11, 5)
                .hold(2, 1, 1, 10, 5)
                .as(LockMode.WRITE)
                .hold(3, 1, 7, 12, 1));
    }

    @Test
    void readersOfOneProcessMayShareAToken() {
        Script script = new Script().as(LockMode.READ).hold(1, 1, 0, 10, 5).hold(1, 2, 1, 10, 5);
        findsNothing(script);
        finds(HistoryRule.TOKENS_RISE, script.hold(2, 1, 2, 10, 5));
    }

    @Test
    void aWriterBesideAReaderIsFound() {
        finds(
                HistoryRule.WRITERS_EXCLUDE_OTHERS,
                new Script()
                        .as(LockMode.READ)
                        .hold(1, 1, 0, 10, 5)
                        .hold(3, 1, 0, 11, 9)
                        .as(LockMode.WRITE)
                        .hold(2, 1, 6, 12, 5));
    }

    @Test
    void aReaderBesideAWriterIsFound() {
        finds(
                HistoryRule.WRITERS_EXCLUDE_OTHERS,
                new Script()
                        .as(LockMode.WRITE)
                        .hold(1, 1, 0, 10, 5)
                        .as(LockMode.READ)
                        .hold(2, 1, 1, 11, 1));
    }

    @Test
    void twoWritersAreFound() {
        finds(
                HistoryRule.WRITERS_EXCLUDE_OTHERS,
                new Script().as(LockMode.WRITE).hold(1, 1, 0, 10, 5).hold(2, 1, 1, 11, 1));
    }

    @Test
    void aReadersClaimBeyondTheNextWriterIsFound() {
        Script script = new Script()
                .as(LockMode.READ)
                .acquire(1, 1, 0)
                .granted(1, 1, 1, 10)
                .held(1, 1, 50, 150);
        finds(
                HistoryRule.CLAIMS_END_BEFORE_THE_NEXT_GRANT,
                script.stopped(1, 51, 200)
                        .as(LockMode.WRITE)
                        .hold(2, 1, 100, 11, 5)
                        .lost(1, 1, 201)
                        .released(1, 1, 202, "LOST"));
    }

    @Test
    void aWritersTokenThatIsSmallerThanThatOfAnEarlierReaderIsFound() {
        finds(
                HistoryRule.WRITERS_TOKENS_RISE,
                new Script()
                        .as(LockMode.READ)
                        .hold(1, 1, 0, 10, 5)
                        .as(LockMode.WRITE)
                        .hold(2, 1, 6, 9, 1));
    }

    /** A write hold, and what a downgrade of it returns. */
    private static Script downgraded(long token) {
        return new Script()
                .as(LockMode.WRITE)
                .hold(1, 1, 0, 10, 5)
                .downgrade(1, 2, 5.2, 10)
                .granted(1, 2, 6, token)
                .held(1, 2, 20, 30)
                .released(1, 2, 20, "RELEASED");
    }

    @Test
    void aDowngradedHoldBesideReadersIsAllowed() {
        findsNothing(downgraded(10).as(LockMode.READ).hold(2, 1, 7, 11, 20));
    }

    @Test
    void anotherTokenOfADowngradedHoldIsFound() {
        finds(HistoryRule.WRITERS_TOKENS_RISE, downgraded(11));
    }

    @Test
    void aWriterBesideADowngradedHoldIsFound() {
        finds(HistoryRule.WRITERS_EXCLUDE_OTHERS, downgraded(10).hold(2, 1, 7, 11, 1));
    }

    @Test
    void permitsUpToTheLimitAreAllowedInAnyOrderOfTokens() {
        findsNothing(new Script()
                .as(ONE)
                .hold(1, 1, 0, 12, 5)
                .as(TWO)
                .hold(2, 1, 1, 10, 5)
                .as(ALL)
                .hold(3, 1, 7, 11, 1));
    }

    @Test
    void permitsBeyondTheLimitAreFound() {
        Script script = new Script().as(ONE).hold(1, 1, 0, 10, 9).hold(2, 1, 1, 11, 9);
        findsNothing(script);
        finds(HistoryRule.PERMITS_FIT, script.as(TWO).hold(3, 1, 2, 12, 5));
    }

    @Test
    void permitsThatAreClaimedBeyondTheLimitAreFound() {
        Script script =
                new Script().as(TWO).acquire(1, 1, 0).granted(1, 1, 1, 10).held(1, 1, 50, 150);
        finds(
                HistoryRule.PERMITS_FIT,
                script.stopped(1, 51, 200)
                        .hold(2, 1, 100, 11, 5)
                        .lost(1, 1, 201)
                        .released(1, 1, 202, "LOST"));
    }

    @Test
    void aGreaterLimitMayBeUsedUp() {
        findsNothing(new Script()
                .as(TWO)
                .hold(1, 1, 0, 10, 9)
                .as(LockMode.permits(2, 4))
                .hold(2, 1, 1, 11, 5));
    }

    @Test
    void twoKindsOfOneNameAtATimeAreFound() {
        finds(
                HistoryRule.NAMES_HAVE_ONE_KIND,
                new Script().hold(1, 1, 0, 10, 5).as(ONE).hold(2, 1, 1, 11, 1));
        finds(
                HistoryRule.NAMES_HAVE_ONE_KIND,
                new Script().as(LockMode.READ).hold(1, 1, 0, 10, 5).as(ONE).hold(2, 1, 1, 11, 1));
    }

    @Test
    void twoKindsOfOneNameOneAfterTheOtherAreAllowed() {
        findsNothing(new Script().hold(1, 1, 0, 10, 5).as(ONE).hold(2, 1, 6, 11, 1));
    }

    /** The first of two fair acquires is granted after the other has released. */
    private static Script overtaken(LockMode first, LockMode second) {
        return new Script()
                .as(first)
                .acquireFair(1, 1, 0, 1)
                .as(second)
                .acquireFair(2, 1, 2, 3)
                .granted(2, 1, 10, 10)
                .held(2, 1, 10.5, 100)
                .released(2, 1, 11, "RELEASED")
                .granted(1, 1, 20, 11)
                .held(1, 1, 20.5, 100);
    }

    @Test
    void aReaderThatOvertakesAWriterIsFound() {
        finds(HistoryRule.FAIR_LOCKS_SERVE_IN_ORDER, overtaken(LockMode.WRITE, LockMode.READ));
    }

    @Test
    void aWriterThatOvertakesAReaderIsFound() {
        finds(HistoryRule.FAIR_LOCKS_SERVE_IN_ORDER, overtaken(LockMode.READ, LockMode.WRITE));
    }

    @Test
    void aSmallRequestThatOvertakesALargeOneIsFound() {
        finds(HistoryRule.FAIR_LOCKS_SERVE_IN_ORDER, overtaken(ALL, ONE));
    }

    @Test
    void holdersThatFitTogetherMayBeSeenInAnyOrder() {
        findsNothing(overtaken(LockMode.READ, LockMode.READ));
        findsNothing(overtaken(ONE, TWO));
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
        return HistoryReport.of(
                history,
                new HistoryChecker(history, Duration.ZERO, Duration.ZERO),
                List.of(),
                List.of(LockMode.Kind.EXCLUSIVE));
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
        assertEquals(new Coverage(3_000, 0, 0, 0, 3_000), report.coverage());
        report.verify(new Coverage(3_000, 0, 0, 0, 3_000));
        for (Coverage more : List.of(
                new Coverage(3_001, 0, 0, 0, 0),
                new Coverage(3_000, 1, 0, 0, 0),
                new Coverage(3_000, 0, 1, 0, 0),
                new Coverage(3_000, 0, 0, 1, 0),
                new Coverage(3_000, 0, 0, 0, 3_001))) {
            AssertionError error = assertThrows(AssertionError.class, () -> report.verify(more));
            assertTrue(error.getMessage().contains("invalid"), error.getMessage());
        }
    }

    @Test
    void aHistoryWithoutAModeThatTheStoreHasIsInvalid() {
        History history = busy().history();
        HistoryReport report = HistoryReport.of(
                history,
                new HistoryChecker(history, Duration.ZERO, Duration.ZERO),
                List.of(),
                List.of(LockMode.Kind.EXCLUSIVE, LockMode.Kind.READ));
        assertEquals(new Coverage(3_000, 0, 0, 0, 0), report.coverage());
        assertThrows(AssertionError.class, () -> report.verify(new Coverage(3_000, 0, 0, 0)));
    }
}

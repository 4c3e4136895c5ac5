package io.github.distlock.tests.waiting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.github.distlock.tests.servers.ChildProgram;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** Runs the extension in a child JVM, which the tests suspend. It is here because its module has no child processes. */
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StarvationExtensionTest {
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final Duration STALL = Duration.ofSeconds(1);

    @Test
    void aTestThatFailsInAStallIsCheckedAgain() {
        try (ChildProgram tests = ChildProgram.start(Tests.class, "1", "stalled")) {
            standStill(tests);

            String report = tests.awaitLine("Failing: fails()", PATIENCE);
            assertTrue(report.contains("checked again: this JVM stood still for "), report);
            assertTrue(report.contains("broken, reports the test"), report);
            assertEquals("ended: SUCCESSFUL, checks: 2", tests.awaitLine("ended: ", PATIENCE));
        }
    }

    @Test
    void theLastCheckCounts() {
        try (ChildProgram tests = ChildProgram.start(Tests.class, "4", "stalled")) {
            standStill(tests);
            standStill(tests);
            standStill(tests);

            assertEquals("ended: FAILED, checks: 3", tests.awaitLine("ended: ", PATIENCE));
        }
    }

    @Test
    void aTestThatFailsWithoutAStallIsCheckedOnce() {
        try (ChildProgram tests = ChildProgram.start(Tests.class, "1", "awake")) {
            assertEquals("ended: FAILED, checks: 1", tests.awaitLine("ended: ", PATIENCE));
        }
    }

    private static void standStill(ChildProgram tests) {
        tests.awaitLine("stands still", PATIENCE);
        tests.suspend();
        Waiting.letPass(STALL);
        tests.resume();
    }

    /**
     * Runs {@link Failing}, and repeats it twice while it fails, as Surefire does. Arguments: how often it fails, and
     * {@code stalled} if it waits for a stall before it fails.
     */
    static final class Tests {
        public static void main(String[] arguments) {
            Failing.left.set(Integer.parseInt(arguments[0]));
            Failing.stalled = arguments[1].equals("stalled");
            boolean passed = passes();
            for (int repeats = 0; repeats < 2 && !passed; repeats++) {
                passed = passes();
            }
            System.out.println("ended: " + (passed ? "SUCCESSFUL" : "FAILED") + ", checks: " + Failing.checks);
        }

        private static boolean passes() {
            SummaryGeneratingListener summary = new SummaryGeneratingListener();
            var request = LauncherDiscoveryRequestBuilder.request()
                    .selectors(selectClass(Failing.class))
                    .build();
            LauncherFactory.create().execute(request, summary);
            return summary.getSummary().getTotalFailureCount() == 0;
        }
    }

    @ExtendWith(StarvationExtension.class)
    static class Failing {
        private static final AtomicInteger left = new AtomicInteger();
        private static final AtomicInteger checks = new AtomicInteger();
        private static volatile boolean stalled;

        @Test
        void fails() {
            checks.incrementAndGet();
            Starvation starvation = Starvation.fromNow();
            if (left.getAndDecrement() > 0) {
                if (stalled) {
                    System.out.println("stands still");
                    Waiting.await("a stall", PATIENCE, () -> starvation.seen().isPresent());
                }
                fail("broken, reports the test");
            }
        }
    }
}

package io.github.distlock.tests.servers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs the extension in a child JVM, which the tests suspend. */
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StarvationExtensionTest {
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final Duration STALL = Duration.ofSeconds(1);

    @Test
    void aTestThatFailsInAStallIsCheckedAgain() {
        try (JvmProcess tests = JvmProcess.start(Tests.class, "1", "stalled")) {
            standStill(tests);

            String report = tests.awaitLine("Failing: fails()", PATIENCE);
            assertTrue(report.contains("checked again: this JVM stood still for "), report);
            assertTrue(report.contains("broken, reports the test"), report);
            assertEquals("ended: SUCCESSFUL, checks: 2", tests.awaitLine("ended: ", PATIENCE));
        }
    }

    @Test
    void theThirdCheckCounts() {
        try (JvmProcess tests = JvmProcess.start(Tests.class, "4", "stalled")) {
            standStill(tests);
            standStill(tests);
            standStill(tests);

            assertEquals("ended: FAILED, checks: 3", tests.awaitLine("ended: ", PATIENCE));
        }
    }

    @Test
    void aTestThatFailsWithoutAStallIsCheckedOnce() {
        try (JvmProcess tests = JvmProcess.start(Tests.class, "1", "awake")) {
            assertEquals("ended: FAILED, checks: 1", tests.awaitLine("ended: ", PATIENCE));
        }
    }

    private static void standStill(JvmProcess tests) {
        tests.awaitLine("stands still", PATIENCE);
        tests.suspend();
        Waiting.letPass(STALL);
        tests.resume();
    }

    /**
     * Runs {@link Failing}. Arguments: how often it fails, and {@code stalled} if it waits for a stall before it fails.
     */
    static final class Tests {
        public static void main(String[] arguments) {
            Failing.left.set(Integer.parseInt(arguments[0]));
            Failing.stalled = arguments[1].equals("stalled");
            var request = LauncherDiscoveryRequestBuilder.request()
                    .selectors(selectClass(Failing.class))
                    .build();
            LauncherFactory.create().execute(request, new TestExecutionListener() {
                @Override
                public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                    if (test.isTest()) {
                        System.out.println("ended: " + result.getStatus() + ", checks: " + Failing.checks);
                    }
                }
            });
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

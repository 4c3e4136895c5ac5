package io.github.distlock.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.servers.JvmProcess;
import io.github.distlock.tests.servers.Waiting;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/** A rule that is broken while its JVM stands still is checked again, on a JVM that does stand still. */
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StalledChecksTest {
    private static final String RULE = "API.32";
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final Duration SLACK = Duration.ofMillis(500);

    @Test
    void aRuleThatIsBrokenInAStallIsCheckedAgain() {
        try (JvmProcess contract = contract(1, SLACK)) {
            standStill(contract);
            String report = contract.awaitLine(RULE, PATIENCE);
            assertTrue(report.contains("checked again: this JVM stood still for "), report);
            assertTrue(report.contains("the store is on fire"), report);
            assertEquals("ended: SUCCESSFUL", contract.awaitLine("ended: ", PATIENCE));
        }
    }

    @Test
    void itsThirdCheckCounts() {
        try (JvmProcess contract = contract(3, SLACK)) {
            standStill(contract);
            standStill(contract);
            standStill(contract);
            assertEquals("ended: FAILED", contract.awaitLine("ended: ", PATIENCE));
        }
    }

    @Test
    void aStallThatTheFixtureAllowsForIsNone() {
        try (JvmProcess contract = contract(1, Duration.ofMinutes(1))) {
            standStill(contract);
            assertEquals("ended: FAILED", contract.awaitLine("ended: ", PATIENCE));
        }
    }

    private static JvmProcess contract(int broken, Duration slack) {
        return JvmProcess.start(StalledContract.class, String.valueOf(broken), String.valueOf(slack.toMillis()));
    }

    private static void standStill(JvmProcess contract) {
        contract.awaitLine("stands still", PATIENCE);
        contract.suspend();
        Waiting.letPass(SLACK.multipliedBy(2));
        contract.resume();
    }

    /** Is broken as often as it is told, each time once its JVM has stood still. */
    static class StalledContract extends LockContract {
        private static final AtomicInteger LEFT = new AtomicInteger();
        private static Duration slack = SLACK;

        public static void main(String[] args) {
            LEFT.set(Integer.parseInt(args[0]));
            slack = Duration.ofMillis(Long.parseLong(args[1]));
            ContractRun.execute(StalledContract.class, RULE::equals, Map.of(), new TestExecutionListener() {
                @Override
                public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                    ContractRun.rule(test).ifPresent(rule -> System.out.println("ended: " + result.getStatus()));
                }
            });
        }

        @Override
        protected BackendFixture newFixture() {
            return LEFT.getAndDecrement() > 0 ? new StalledFixture() : new InMemoryFixture();
        }
    }

    private static final class StalledFixture extends InMemoryFixture {
        @Override
        public Duration slack() {
            return StalledContract.slack;
        }

        /** Its clients are never silenced. */
        @Override
        public void restore(LockBackend backend) {}

        @Override
        public LockBackend newBackend() {
            return new WrappedBackend(super.newBackend()) {
                @Override
                protected Attempt attempt(Place place, Deadline deadline) {
                    Stalls stalls = Stalls.fromNow();
                    System.out.println("stands still");
                    Waiting.await("a stall", PATIENCE, () -> stalls.longest().compareTo(SLACK) > 0);
                    throw new IllegalStateException("the store is on fire");
                }
            };
        }
    }
}

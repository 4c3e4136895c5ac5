package io.github.distlock.tests;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockBackend;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.platform.engine.TestExecutionResult;

/** However a rule fails, the author of the backend reads the rule, what was seen, and what to look at. */
class FailureReportTest {
    private static final String RULE = "API.32";

    @Test
    @Timeout(120)
    void anExceptionThatNoRuleExpectsSaysTheRule() {
        Map<String, TestExecutionResult> results = ContractRun.execute(FailingContract.class, RULE::equals, Map.of());

        String message = Optional.ofNullable(results.get(RULE))
                .flatMap(TestExecutionResult::getThrowable)
                .orElseThrow()
                .getMessage();
        ContractRule rule = ContractRule.all().get(RULE);
        assertNotNull(rule);
        assertTrue(message.startsWith(RULE + ":"), message);
        assertTrue(message.contains("the store is on fire"), message);
        assertTrue(message.contains(rule.rule()), message);
        assertTrue(message.contains(rule.lookAt()), message);
    }

    static class FailingContract extends LockContract {
        @Override
        protected BackendFixture newFixture() {
            return new InMemoryFixture() {
                @Override
                public LockBackend newBackend() {
                    return new WrappedBackend(super.newBackend()) {
                        @Override
                        protected Attempt attempt(WrappedContender contender, Deadline deadline) {
                            throw new IllegalStateException("the store is on fire");
                        }
                    };
                }
            };
        }
    }
}

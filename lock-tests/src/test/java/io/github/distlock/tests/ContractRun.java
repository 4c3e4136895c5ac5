package io.github.distlock.tests;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.github.distlock.tests.waiting.StarvationExtension;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs some of a contract's rules inside a test. */
final class ContractRun {
    private ContractRun() {}

    /** Runs the rules whose numbers are wanted, one after the other; returns by number how they ended. */
    static Map<String, TestExecutionResult> execute(
            Class<? extends LockContract> contract,
            Predicate<String> wanted,
            Map<String, String> parameters,
            TestExecutionListener... listeners) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClass(contract))
                .filters((PostDiscoveryFilter) test -> FilterResult.includedIf(
                        rule(test.getSource()).map(wanted::test).orElse(true)))
                .configurationParameters(parameters)
                // The test around it is checked again.
                .configurationParameter(StarvationExtension.PARAMETER, "false")
                // Inside a test that itself is on one of JUnit's threads.
                .configurationParameter("junit.jupiter.execution.parallel.enabled", "false")
                .build();
        Results results = new Results();
        Launcher launcher = LauncherFactory.create();
        launcher.registerTestExecutionListeners(results);
        launcher.execute(request, listeners);
        return results.byRule;
    }

    private static Optional<String> rule(Optional<TestSource> source) {
        return source.filter(MethodSource.class::isInstance)
                .map(method -> PromiseNames.code(((MethodSource) method).getMethodName()));
    }

    /** A rule with several invocations has failed if one of them has. */
    private static final class Results implements TestExecutionListener {
        private final Map<String, TestExecutionResult> byRule = new TreeMap<>();

        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            if (test.isTest()) {
                rule(test.getSource())
                        .ifPresent(rule -> byRule.merge(
                                rule, result, (one, next) -> one.getThrowable().isPresent() ? one : next));
            }
        }
    }
}

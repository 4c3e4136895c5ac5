package io.github.distlock.tests;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.github.distlock.tests.servers.StarvationExtension;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs some of a contract's rules inside a test, and hears what comes out. */
final class ContractRun {
    private ContractRun() {}

    /** Runs the rules whose numbers are wanted, one after the other. */
    static void execute(
            Class<? extends LockContract> contract,
            Predicate<String> wanted,
            Map<String, String> parameters,
            TestExecutionListener listener) {
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
        LauncherFactory.create().execute(request, listener);
    }

    /** The number of a test's rule. */
    static Optional<String> rule(TestIdentifier test) {
        return rule(test.getSource());
    }

    private static Optional<String> rule(Optional<TestSource> source) {
        return source.filter(MethodSource.class::isInstance)
                .map(method -> PromiseNames.code(((MethodSource) method).getMethodName()));
    }
}

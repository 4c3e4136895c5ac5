package io.github.distlock.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.LockBackend;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** The contract catches what it is there for: each broken backend fails the rules named beside it. */
class BrokenBackendsTest {

    @ParameterizedTest
    @EnumSource(BrokenBackend.class)
    @Timeout(120)
    void aBrokenBackendFailsItsRules(BrokenBackend broken) {
        Map<String, TestExecutionResult> results =
                run(() -> new BrokenFixture(broken::over, Duration.ofMillis(1_500)), broken.rules());
        assertEquals(broken.rules().size(), results.size(), "rules that were run: " + results.keySet());
        results.forEach((rule, result) -> {
            Throwable failure = result.getThrowable().orElse(null);
            AssertionError error = assertInstanceOf(AssertionError.class, failure, rule + " must be broken");
            String name = PromiseNames.readable(rule);
            assertTrue(error.getMessage().startsWith(name), name + " must be named: " + error.getMessage());
        });
    }

    @Test
    @Timeout(120)
    void aWrappedBackendWithoutABugKeepsThoseRules() {
        Set<String> rules = new HashSet<>();
        for (BrokenBackend broken : BrokenBackend.values()) {
            rules.addAll(broken.rules());
        }
        Map<String, TestExecutionResult> results = run(
                () -> new BrokenFixture(store -> new WrappedBackend(store.connect()), Duration.ofSeconds(10)), rules);
        assertEquals(rules, results.keySet());
        results.forEach((rule, result) ->
                assertEquals(TestExecutionResult.Status.SUCCESSFUL, result.getStatus(), rule + ": " + result));
    }

    private static Map<String, TestExecutionResult> run(Supplier<BackendFixture> fixture, Collection<String> rules) {
        TriedContract.fixture = fixture;
        Map<String, TestExecutionResult> results = new ConcurrentHashMap<>();
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClass(TriedContract.class))
                .filters((PostDiscoveryFilter) test -> FilterResult.includedIf(
                        rule(test.getSource()).map(rules::contains).orElse(true)))
                // Inside a test that itself is on one of JUnit's threads.
                .configurationParameter("junit.jupiter.execution.parallel.enabled", "false")
                .build();
        LauncherFactory.create().execute(request, new TestExecutionListener() {
            @Override
            public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                rule(test.getSource()).ifPresent(rule -> results.put(rule, result));
            }
        });
        return results;
    }

    private static Optional<String> rule(Optional<?> source) {
        return source.filter(MethodSource.class::isInstance).map(method -> ((MethodSource) method).getMethodName());
    }

    /** The contract, bound to what is tried. */
    static class TriedContract extends LockContract {
        private static volatile Supplier<BackendFixture> fixture = InMemoryFixture::new;

        @Override
        protected BackendFixture newFixture() {
            return fixture.get();
        }
    }

    /** Its patience is short where tests are to fail. */
    private static final class BrokenFixture extends InMemoryFixture {
        private final Function<InMemoryStore, LockBackend> backends;
        private final Duration patience;

        private BrokenFixture(Function<InMemoryStore, LockBackend> backends, Duration patience) {
            this.backends = backends;
            this.patience = patience;
        }

        @Override
        public LockBackend newBackend() {
            return backends.apply(store);
        }

        @Override
        public void silence(LockBackend backend) {
            super.silence(((WrappedBackend) backend).inner);
        }

        @Override
        public void restore(LockBackend backend) {
            super.restore(((WrappedBackend) backend).inner);
        }

        @Override
        public Duration patience() {
            return patience;
        }
    }
}

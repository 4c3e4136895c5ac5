package io.github.distlock.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.LockBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/**
 * The contract catches what it is there for: each broken backend fails the rules named beside it. With
 * {@code -Dlock.broken=all} each is run against the whole contract, which takes half an hour, and what it fails is written to
 * {@code target/broken-backends.txt}.
 */
@Tag("broken-backends")
@Execution(ExecutionMode.CONCURRENT)
class BrokenBackendsTest {
    private static final String BUG = "lock.bug";
    private static final boolean WHOLE_CONTRACT = "all".equals(System.getProperty("lock.broken"));
    private static final Path FAILURES = Path.of("target", "broken-backends.txt");

    @ParameterizedTest
    @MethodSource("io.github.distlock.tests.BrokenBackend#all")
    @Timeout(600)
    void aBrokenBackendFailsItsRules(BrokenBackend broken) throws IOException {
        Map<String, TestExecutionResult> results =
                run(broken.bug(), WHOLE_CONTRACT ? any -> true : broken.rules()::contains);
        if (WHOLE_CONTRACT) {
            note(broken, results);
        }
        for (String rule : broken.rules()) {
            TestExecutionResult result = Optional.ofNullable(results.get(rule)).orElseThrow();
            Throwable failure = result.getThrowable().orElse(null);
            AssertionError error = assertInstanceOf(AssertionError.class, failure, rule + " must be broken");
            assertTrue(error.getMessage().startsWith(rule + ":"), rule + " must be named: " + error.getMessage());
        }
    }

    @Test
    @Timeout(600)
    void aWrappedBackendWithoutABugKeepsThoseRules() {
        Collection<String> rules = BrokenBackend.all()
                .flatMap(broken -> broken.rules().stream())
                .collect(Collectors.toCollection(TreeSet::new));
        Map<String, TestExecutionResult> results = run("", rules::contains);
        assertEquals(rules, results.keySet());
        results.forEach((rule, result) ->
                assertEquals(TestExecutionResult.Status.SUCCESSFUL, result.getStatus(), rule + ": " + result));
    }

    /** What a bug breaks, the rules that say so by an assertion apart from those that fail in another way. */
    private static synchronized void note(BrokenBackend broken, Map<String, TestExecutionResult> results)
            throws IOException {
        Map<Boolean, String> failed = results.entrySet().stream()
                .filter(result -> result.getValue().getThrowable().isPresent())
                .collect(Collectors.partitioningBy(
                        result -> result.getValue().getThrowable().orElseThrow() instanceof AssertionError,
                        Collectors.mapping(Map.Entry::getKey, Collectors.joining(" "))));
        String before = Files.exists(FAILURES) ? Files.readString(FAILURES) : "";
        Files.writeString(
                FAILURES,
                before + broken.bug() + "\n  declared: " + broken.numbers() + "\n  by assertion: " + failed.get(true)
                        + "\n  in another way: " + failed.get(false) + "\n");
    }

    private static Map<String, TestExecutionResult> run(String bug, Predicate<String> rules) {
        Map<String, TestExecutionResult> results = new TreeMap<>();
        ContractRun.execute(TriedContract.class, rules, Map.of(BUG, bug), new TestExecutionListener() {
            @Override
            public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                ContractRun.rule(test).ifPresent(rule -> results.put(rule, result));
            }
        });
        return results;
    }

    /** The contract, bound to what is tried. */
    @ExtendWith(FixtureOfBug.class)
    static class TriedContract extends LockContract {
        private final BackendFixtureFactory fixtures;

        TriedContract(BackendFixtureFactory fixtures) {
            this.fixtures = fixtures;
        }

        @Override
        protected BackendFixture newFixture() {
            return fixtures.newFixture();
        }
    }

    private interface BackendFixtureFactory {
        BackendFixture newFixture();
    }

    private static final class FixtureOfBug implements ParameterResolver {
        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext test) {
            return parameter.getParameter().getType() == BackendFixtureFactory.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext test) {
            String bug = test.getConfigurationParameter(BUG).orElseThrow();
            Optional<BrokenBackend> planted = BrokenBackend.all()
                    .filter(broken -> broken.bug().equals(bug))
                    .findFirst();
            BackendFixtureFactory factory =
                    () -> planted.map(broken -> new BrokenFixture(broken.over(), Duration.ofMillis(1_500)))
                            .orElseGet(() -> new BrokenFixture(
                                    store -> new WrappedBackend(store.connect()), Duration.ofSeconds(10)));
            return factory;
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

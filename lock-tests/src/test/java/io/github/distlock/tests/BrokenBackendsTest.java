package io.github.distlock.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.spi.LockBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.support.TypeBasedParameterResolver;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.platform.engine.TestExecutionResult;

/**
 * Each broken backend fails the rules named beside it. With {@code -Dlock.broken=all} each is run against the whole
 * contract, and the test writes what it fails to {@code target/broken-backends.txt}.
 */
@Tag("broken-backends")
@Execution(ExecutionMode.CONCURRENT)
class BrokenBackendsTest {
    private static final String BUG = "lock.bug";
    private static final PlantedBug NONE = new PlantedBug("none", "", it -> {});
    private static final boolean WHOLE_CONTRACT = "all".equals(System.getProperty("lock.broken"));
    private static final Path FAILURES = Path.of("target", "broken-backends.txt");

    @ParameterizedTest
    @MethodSource("io.github.distlock.tests.PlantedBug#all")
    @Timeout(600)
    void aBrokenBackendFailsItsRules(PlantedBug planted) throws IOException {
        Map<String, TestExecutionResult> results =
                run(planted, WHOLE_CONTRACT ? any -> true : planted.rules()::contains);

        if (WHOLE_CONTRACT) {
            note(planted, results);
        }
        for (String rule : planted.rules()) {
            TestExecutionResult result = Optional.ofNullable(results.get(rule)).orElseThrow();
            Throwable failure = result.getThrowable().orElse(null);
            AssertionError error = assertInstanceOf(AssertionError.class, failure, rule + " must be broken");
            assertTrue(error.getMessage().startsWith(rule + ":"), rule + " must be named: " + error.getMessage());
        }
    }

    @Test
    @Timeout(600)
    void aWrappedBackendWithoutABugKeepsThoseRules() {
        Set<String> rules = PlantedBug.all()
                .flatMap(planted -> planted.rules().stream())
                .collect(Collectors.toCollection(TreeSet::new));

        Map<String, TestExecutionResult> results = run(NONE, rules::contains);

        assertEquals(rules, results.keySet());
        results.forEach((rule, result) ->
                assertEquals(TestExecutionResult.Status.SUCCESSFUL, result.getStatus(), rule + ": " + result));
    }

    private static Map<String, TestExecutionResult> run(PlantedBug planted, Predicate<String> rules) {
        return ContractRun.execute(TriedContract.class, rules, Map.of(BUG, planted.bug()));
    }

    /** Writes down the rules that fail: those that fail by an assertion apart from the others. */
    private static synchronized void note(PlantedBug planted, Map<String, TestExecutionResult> results)
            throws IOException {
        Map<Boolean, String> failed = results.entrySet().stream()
                .filter(result -> result.getValue().getThrowable().isPresent())
                .collect(Collectors.partitioningBy(
                        result -> result.getValue().getThrowable().orElseThrow() instanceof AssertionError,
                        Collectors.mapping(Map.Entry::getKey, Collectors.joining(" "))));
        String before = Files.exists(FAILURES) ? Files.readString(FAILURES) : "";
        Files.writeString(
                FAILURES,
                before + planted.bug() + "\n  declared: " + planted.numbers() + "\n  by assertion: " + failed.get(true)
                        + "\n  in another way: " + failed.get(false) + "\n");
    }

    /** The contract of a backend with a bug. */
    @ExtendWith(Planted.class)
    static class TriedContract extends LockContract {
        private final PlantedBug planted;

        TriedContract(PlantedBug planted) {
            this.planted = planted;
        }

        @Override
        protected BackendFixture newFixture() {
            return new BrokenFixture(planted);
        }
    }

    private static final class Planted extends TypeBasedParameterResolver<PlantedBug> {
        @Override
        public PlantedBug resolveParameter(ParameterContext parameter, ExtensionContext test) {
            String bug = test.getConfigurationParameter(BUG).orElseThrow();
            return PlantedBug.all()
                    .filter(planted -> planted.bug().equals(bug))
                    .findFirst()
                    .orElse(NONE);
        }
    }

    private static final class BrokenFixture extends InMemoryFixture {
        private final PlantedBug planted;

        private BrokenFixture(PlantedBug planted) {
            this.planted = planted;
        }

        @Override
        public LockBackend newBackend() {
            return planted.over(store);
        }

        /** Short where tests are to fail. */
        @Override
        public Duration patience() {
            return planted.equals(NONE) ? Duration.ofSeconds(10) : Duration.ofMillis(1_500);
        }
    }
}

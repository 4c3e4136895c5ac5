package io.github.distlock.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/** What a fixture cannot cause is reported by name, and its rule is checked as far as it goes: nothing is skipped. */
class FaultReportTest {
    private final List<String> reports = new CopyOnWriteArrayList<>();

    private final TestExecutionListener listener = new TestExecutionListener() {
        @Override
        public void reportingEntryPublished(TestIdentifier test, ReportEntry entry) {
            reports.addAll(entry.getKeyValuePairs().values());
        }
    };

    @Test
    @Timeout(120)
    void whatAStoreInMemoryCannotCauseIsReportedByName() {
        Map<String, TestExecutionResult> results = ContractRun.execute(
                InMemoryContractTest.class, rule -> rule.matches("F\\d\\..*|S1\\.9"), Map.of(), listener);

        results.forEach((rule, result) ->
                assertEquals(TestExecutionResult.Status.SUCCESSFUL, result.getStatus(), rule + ": " + result));
        Map<String, String> expected = new TreeMap<>(Map.of(
                "SERVER_PAUSED", "F1.1 F1.2 F1.3",
                "SERVER_KILLED", "F1.4 F1.5 F1.6 F1.8",
                "SERVER_WIPED", "F1.7",
                "CONNECTION_CUT", "F2.13 F2.16 F2.17 F2.18",
                "REQUEST_DELAYED", "F2.12",
                "CLIENT_STOPPED", "F3.1",
                "CLIENT_KILLED", "F3.2 F3.3 F3.4 F3.5 S1.9"));
        assertEquals(expected, reported());
        reports.forEach(report -> assertTrue(report.contains("InMemoryFixture: not caused: "), report));
    }

    /** Fault to numbers of rules. */
    private Map<String, String> reported() {
        Map<String, TreeSet<String>> rules = new TreeMap<>();
        for (StoreFault fault : StoreFault.values()) {
            TreeSet<String> numbers = reports.stream()
                    .filter(report -> report.contains(fault + " (" + fault.description() + ")"))
                    .map(report -> report.substring(0, report.indexOf(':')))
                    .collect(Collectors.toCollection(TreeSet::new));
            if (!numbers.isEmpty()) {
                rules.put(fault.name(), numbers);
            }
        }
        return rules.entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, rule -> String.join(" ", rule.getValue()), (a, b) -> a, TreeMap::new));
    }
}

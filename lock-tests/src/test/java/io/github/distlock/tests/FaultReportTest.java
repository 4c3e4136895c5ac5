package io.github.distlock.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/** A rule reports by name what its fixture cannot cause, and is checked as far as it goes: nothing is skipped. */
@Tag("contract-runs")
class FaultReportTest {
    /** Fault to numbers of rules. */
    private final Map<String, TreeSet<String>> reported = new TreeMap<>();

    private final TestExecutionListener listener = new TestExecutionListener() {
        @Override
        public void reportingEntryPublished(TestIdentifier test, ReportEntry entry) {
            String report = entry.getKeyValuePairs().getOrDefault("not caused", "");
            if (!report.isEmpty()) {
                String fault = report.replaceAll(".* -- InMemoryFixture: not caused: (\\w+) .*", "$1");
                reported.computeIfAbsent(fault, any -> new TreeSet<>()).add(report.substring(0, report.indexOf(':')));
            }
        }
    };

    @Test
    @Timeout(600)
    void whatAStoreInMemoryCannotCauseIsReportedByName() {
        Map<String, TestExecutionResult> results = ContractRun.execute(
                InMemoryContractTest.class, rule -> rule.matches("F\\d\\..*|S1\\.9"), Map.of(), listener);

        results.forEach((rule, result) ->
                assertEquals(TestExecutionResult.Status.SUCCESSFUL, result.getStatus(), rule + ": " + result));
        assertEquals(
                "{CLIENT_KILLED=[F3.2, F3.3, F3.4, F3.5, F3.6, F3.7, S1.9], CLIENT_STOPPED=[F3.1], "
                        + "CONNECTION_CUT=[F2.13, F2.16, F2.17, F2.18, F2.21, F2.7], "
                        + "SERVER_KILLED=[F1.4, F1.5, F1.6, F1.8, F1.9], "
                        + "SERVER_PAUSED=[F1.1, F1.10, F1.2, F1.3], SERVER_WIPED=[F1.7]}",
                reported.toString());
    }
}

package io.github.distlock.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.github.distlock.AcquireOutcome;
import io.github.distlock.HandoffKind;
import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle;
import io.github.distlock.LossReason;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The dashboard and the alerts use the metrics that Prometheus gets, and no others. */
class MonitoringTest {
    private static final Path FOLDER = Path.of("..", "..", "docs", "monitoring");
    private static final Pattern SERIES = Pattern.compile("(distlock_\\w+)(?:\\{([^}]*)})?");
    private static final Pattern LABEL = Pattern.compile("(\\w+)=~?\"");
    private static final Pattern BY = Pattern.compile("by \\(([^)]*)\\)");

    /** The labels of each metric, by its name. */
    private final Map<String, Set<String>> metrics = scraped();

    private static Map<String, Set<String>> scraped() {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        ClientMeters meters = LockMetrics.builder(registry).build().meters(() -> "orders");
        LockEvent event = new LockEvent("orders/42", 1, Duration.ofMillis(1));
        meters.acquired(event);
        meters.notAcquired(event, AcquireOutcome.BUSY);
        meters.handedOff(event, HandoffKind.LOCAL);
        meters.renewed(event);
        meters.lost(event, LossReason.GONE);
        meters.released(event, LockHandle.Release.RELEASED);
        Map<String, Set<String>> metrics = new TreeMap<>();
        SERIES.matcher(registry.scrape())
                .results()
                .filter(series -> series.group(2) != null)
                .forEach(series -> metrics.put(series.group(1), labels(series.group(2))));
        return metrics;
    }

    private static Set<String> labels(String text) {
        Set<String> labels = new TreeSet<>();
        LABEL.matcher(text).results().forEach(label -> labels.add(label.group(1)));
        return labels;
    }

    private void expectKnown(String expression) {
        Set<String> offered = new TreeSet<>();
        SERIES.matcher(expression).results().forEach(series -> {
            assertThat(metrics).as(expression).containsKey(series.group(1));
            offered.addAll(metrics.get(series.group(1)));
            if (series.group(2) != null) {
                assertThat(metrics.get(series.group(1))).as(expression).containsAll(labels(series.group(2)));
            }
        });
        BY.matcher(expression)
                .results()
                .forEach(by ->
                        assertThat(offered).as(expression).contains(by.group(1).split(", ")));
    }

    static List<String> expressionsOfTheDashboard() throws IOException {
        List<String> expressions = new ArrayList<>();
        try (JsonParser dashboard =
                new JsonFactory().createParser(FOLDER.resolve("dashboard.json").toFile())) {
            for (JsonToken token = dashboard.nextToken(); token != null; token = dashboard.nextToken()) {
                if (token == JsonToken.VALUE_STRING && "expr".equals(dashboard.currentName())) {
                    expressions.add(dashboard.getText());
                }
            }
        }
        return expressions;
    }

    @Test
    void api_theDashboardShowsEachMeter() throws IOException {
        List<String> expressions = expressionsOfTheDashboard();

        expressions.forEach(this::expectKnown);
        String shown = String.join("\n", expressions);
        assertThat(metrics.keySet())
                .allSatisfy(name -> assertThat(shown).contains(name.replaceFirst("_(count|sum|max)$", "")));
    }

    @Test
    void api_theAlertsUseMetricsThatExist() throws IOException {
        String rules = Files.readString(FOLDER.resolve("alerts.yml"));

        List<String> expressions = new ArrayList<>(List.of(rules.split("expr: ")));
        expressions.remove(0);
        assertThat(expressions).hasSizeGreaterThan(5);
        expressions.stream()
                .map(rule -> rule.substring(0, rule.indexOf("annotations:")))
                .forEach(this::expectKnown);
    }
}

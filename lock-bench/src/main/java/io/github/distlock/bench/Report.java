package io.github.distlock.bench;

import io.github.distlock.bench.Peer.Deployment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Makes tables and charts of measurements. In a page, it replaces what is between {@code <!-- begin NAME -->} and
 * {@code <!-- end -->} by the table of that name, such as {@code S1 STANDALONE}, or {@code S1 STANDALONE 200} with a
 * delay of 200 microseconds each way. {@link Overview} makes tables of several scenarios: {@code S8 STANDALONE},
 * {@code S8 ZOOKEEPER} and {@code S9}.
 *
 * <p>Figures are medians of the rounds. A ratio is the median of the ratios of all rounds. If a round was measured more
 * than once, the last time counts.
 */
public final class Report {
    private static final String BEGIN = "<!-- begin ";
    private static final String END = "<!-- end -->";

    private final Map<String, Table> tables = new LinkedHashMap<>();

    Report(List<Measurement> measurements) {
        for (Measurement each : measurements) {
            tables.computeIfAbsent(name(each), any -> new Table(Scenario.valueOf(each.scenario())))
                    .add(each);
        }
    }

    private static String name(Measurement measurement) {
        String delay = measurement.oneWayMicros() == 0 ? "" : " " + measurement.oneWayMicros();
        return measurement.scenario() + " " + measurement.deployment() + delay;
    }

    /**
     * Prints the tables, or writes them into a page and charts into a directory.
     *
     * @param args files of measurements; or a page, a directory for charts, and such files
     * @throws IOException if a file cannot be read or written
     */
    public static void main(String[] args) throws IOException {
        boolean intoPage = args.length > 0 && args[0].endsWith(".md");
        List<Measurement> measurements = new ArrayList<>();
        for (String file : List.of(args).subList(intoPage ? 2 : 0, args.length)) {
            measurements.addAll(Measurement.read(Path.of(file)));
        }
        Report report = new Report(measurements);
        if (intoPage) {
            report.writeInto(Path.of(args[0]));
            report.draw(Files.readString(Path.of(args[0])), Path.of(args[1]));
        } else {
            System.out.print(report.text());
            Overview.of(report.tables).forEach((name, table) -> System.out.printf("%n%s%n%n%s", name, table));
        }
    }

    /** Returns all tables, each with its name. */
    String text() {
        StringBuilder text = new StringBuilder();
        tables.forEach((name, table) -> text.append('\n')
                .append(name)
                .append(": ")
                .append(title(name))
                .append("\n\n")
                .append(table.markdown()));
        return text.toString();
    }

    private static String title(String name) {
        String[] words = name.split(" ", -1);
        String delay = words.length > 2 ? ", " + words[2] + " us each way" : "";
        return Scenario.valueOf(words[0]).title() + ", "
                + Deployment.valueOf(words[1]).title() + delay;
    }

    private void writeInto(Path page) throws IOException {
        Map<String, String> written = new LinkedHashMap<>();
        tables.forEach((name, table) -> written.put(name, table.markdown()));
        written.putAll(Overview.of(tables));
        replace(page, written);
    }

    /** Replaces the tables of these names in a page. */
    static void replace(Path page, Map<String, String> tables) throws IOException {
        StringBuilder written = new StringBuilder();
        boolean replacing = false;
        for (String line : Files.readAllLines(page)) {
            replacing &= !line.equals(END);
            if (!replacing) {
                written.append(line).append('\n');
            }
            String table = line.startsWith(BEGIN)
                    ? tables.get(line.substring(BEGIN.length()).replace(" -->", ""))
                    : null;
            if (table != null) {
                written.append('\n').append(table).append('\n');
                replacing = true;
            }
        }
        Files.writeString(page, written);
    }

    /** Draws the charts that the page shows. */
    private void draw(String page, Path directory) throws IOException {
        Files.createDirectories(directory);
        for (Map.Entry<String, Table> each : tables.entrySet()) {
            List<Table.Bar> bars = each.getValue().bars();
            String file = each.getKey().toLowerCase(Locale.ROOT).replace(' ', '-') + ".svg";
            if (!bars.isEmpty() && page.contains(file)) {
                Chart.write(directory.resolve(file), each.getValue().floorTitle(), bars);
            }
        }
    }
}

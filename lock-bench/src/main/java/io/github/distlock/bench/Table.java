package io.github.distlock.bench;

import io.github.distlock.bench.Scenario.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The peers of one scenario and deployment, as a table of Markdown or as bars. Not thread-safe. */
final class Table {
    private static final List<String> WAITS_AND_COSTS =
            List.of("p50", "p99", "longest", "requests", "commands", "serverCpu", "clientCpu", "jain");
    private static final String WAITS_AND_COSTS_TITLES =
            " | p50, us | p99, us | longest, us | requests | commands | server CPU, us | client CPU, us | Jain";
    private static final List<String> IDLE = List.of(
            "requestsPerSecond",
            "commandsPerSecond",
            "serverCpuPercent",
            "clientCpuPerMinute",
            "threads",
            "heapMebibytes");
    private static final String IDLE_TITLES =
            " | | requests/s | commands/s | server CPU, % | client CPU, s/min | threads | heap, MiB";

    private final Scenario scenario;
    private final Map<Place, Row> rows =
            new TreeMap<>(Comparator.comparingInt(Place::size).thenComparing(Place::peer));

    Table(Scenario scenario) {
        this.scenario = scenario;
    }

    private record Place(int size, Peer peer) {}

    /** The ratio of a peer to the floor. */
    record Bar(String name, double ratio, boolean distlock) {}

    void add(Measurement measurement) {
        Place place = new Place(measurement.size(), Peer.valueOf(measurement.peer()));
        rows.computeIfAbsent(place, any -> new Row(measurement)).add(measurement);
    }

    private Optional<Row> floor() {
        return rows.values().stream()
                .filter(row -> scenario.floor(row.peer.deployment()).equals(Optional.of(row.peer)))
                .findFirst();
    }

    Stream<Row> rows() {
        return rows.values().stream();
    }

    Set<Peer> peers() {
        return rows().map(row -> row.peer).collect(Collectors.toSet());
    }

    /** Returns the ratio of a row to the floor, with its spread. */
    String ratioToFloor(Row row) {
        return floor().map(other -> spread(row.ratios(other))).orElse("");
    }

    /** Returns what the ratios are multiples of. */
    String floorTitle() {
        return floor().map(row -> row.peer.title().split(",", -1)[0]).orElse("floor");
    }

    /** Returns the ratios of all peers, or nothing if there are none. */
    List<Bar> bars() {
        boolean hasRates = scenario.kind() == Kind.RATE || scenario.kind() == Kind.HANDOFF;
        return floor().filter(any -> hasRates)
                .map(floor -> rows.values().stream()
                        .map(row -> new Bar(row.peer.title(), Row.median(row.ratios(floor)), row.peer.isDistlock()))
                        .toList())
                .orElse(List.of());
    }

    String markdown() {
        return switch (scenario.kind()) {
            case RATE, HANDOFF -> rates();
            case CLIENTS -> table("clients | | per second" + WAITS_AND_COSTS_TITLES + " | overlaps", Table::clients);
            case FAULTS -> table("| per second | longest, us | overlaps | losses", Table::faults);
            case HOLDS ->
                table(
                        "holds" + IDLE_TITLES + " | acquired in, ms | released in, ms",
                        row -> idle(row, "acquireAllMillis", "closeMillis"));
            case WAITERS -> table("waiters" + IDLE_TITLES + " | failed", row -> idle(row, "ended"));
        };
    }

    private String table(String titles, Function<Row, Stream<String>> cells) {
        int columns = titles.split("\\|", -1).length;
        StringBuilder table = new StringBuilder("| " + titles + " |\n" + "|---".repeat(columns) + "|\n");
        for (Row row : rows.values()) {
            table.append("| ")
                    .append(String.join(" | ", cells.apply(row).toList()))
                    .append(" |\n");
        }
        return table.toString();
    }

    private String rates() {
        Optional<Row> distlock =
                rows.values().stream().filter(row -> row.peer.isDistlock()).findFirst();
        String titles = "| per second | x " + floorTitle() + " (spread) | distlock / it" + WAITS_AND_COSTS_TITLES
                + " | cold, per second | overlaps";
        return table(titles, row -> {
            List<String> cells = new ArrayList<>(List.of(row.peer.title(), number(row.figure("perSecond"))));
            cells.add(ratioToFloor(row));
            cells.add(
                    distlock.map(other -> number(Row.median(other.ratios(row)))).orElse(""));
            cells.addAll(figures(row, WAITS_AND_COSTS));
            cells.add(number(row.coldRate()));
            cells.add(number(row.sum("overlaps")));
            return cells.stream();
        });
    }

    private static Stream<String> clients(Row row) {
        List<String> cells =
                new ArrayList<>(List.of(number(row.size), row.peer.title(), number(row.figure("perSecond"))));
        cells.addAll(figures(row, WAITS_AND_COSTS));
        cells.add(number(row.sum("overlaps")));
        return cells.stream();
    }

    private static Stream<String> faults(Row row) {
        return Stream.of(
                row.peer.title(),
                number(row.figure("perSecond")),
                number(row.figure("longest")),
                number(row.sum("overlaps")),
                number(row.sum("losses")));
    }

    private static Stream<String> idle(Row row, String... more) {
        List<String> cells = new ArrayList<>(List.of(number(row.size), row.peer.title()));
        cells.addAll(figures(row, IDLE));
        cells.addAll(figures(row, List.of(more)));
        return cells.stream();
    }

    private static List<String> figures(Row row, Collection<String> names) {
        return names.stream().map(name -> number(row.figure(name))).toList();
    }

    static String spread(double[] sorted) {
        return sorted.length == 0
                ? ""
                : number(Row.median(sorted)) + " (" + number(sorted[0]) + "–" + number(sorted[sorted.length - 1]) + ")";
    }

    /** Returns a number with about three digits. */
    static String number(double value) {
        if (Double.isNaN(value)) {
            return "";
        }
        int digits = (int) Math.floor(Math.log10(Math.max(Math.abs(value), 0.01))) + 1;
        int decimals = value == Math.rint(value) ? 0 : Math.max(0, Math.min(3, 3 - digits));
        return String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }
}

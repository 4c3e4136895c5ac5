package io.github.distlock.bench;

import io.github.distlock.bench.Peer.Deployment;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Tables of several scenarios: readers and permits (S8), and other deployments (S9). */
final class Overview {
    private static final List<Scenario> LOCKS = List.of(Scenario.S1, Scenario.S2, Scenario.S3, Scenario.S4);

    private Overview() {}

    /** Returns tables by name, for those deployments and scenarios that were measured without a delay. */
    static Map<String, String> of(Map<String, Table> tables) {
        Map<String, String> made = new LinkedHashMap<>();
        for (Deployment deployment : Deployment.values()) {
            List<Table> shared = Arrays.stream(Scenario.values())
                    .filter(scenario -> scenario.name().startsWith("S8_"))
                    .flatMap(scenario -> Stream.ofNullable(tables.get(name(scenario, deployment))))
                    .toList();
            if (!shared.isEmpty()) {
                made.put("S8 " + deployment, shared(shared));
            }
        }
        String ratios = ratios(tables);
        if (!ratios.isEmpty()) {
            made.put(
                    "S9",
                    row(Stream.concat(Stream.of(""), LOCKS.stream().map(Scenario::title)))
                            + "|---".repeat(LOCKS.size() + 1) + "|\n" + ratios);
        }
        return made;
    }

    private static String name(Scenario scenario, Deployment deployment) {
        return scenario + " " + deployment;
    }

    /** Compares this library with the others, in each scenario. */
    private static String shared(List<Table> tables) {
        Set<Peer> others = new TreeSet<>();
        tables.forEach(table -> others.addAll(table.peers()));
        others.removeIf(Peer::isDistlock);
        Stream<String> titles = others.stream().flatMap(peer -> Stream.of("/ " + peer.title(), "its commands"));
        StringBuilder rows = new StringBuilder(
                row(Stream.concat(Stream.of("", "distlock, per second", "commands", "overlaps"), titles))
                        + "|---".repeat(4 + 2 * others.size()) + "|\n");
        for (Table table : tables) {
            table.rows().filter(each -> each.peer.isDistlock()).forEach(distlock -> {
                Stream<String> own = Stream.of(
                        distlock.scenario.title(),
                        Table.number(distlock.figure("perSecond")),
                        Table.number(distlock.figure("commands")),
                        Table.number(distlock.sum("overlaps")));
                Stream<String> compared = others.stream()
                        .flatMap(peer -> table.rows()
                                .filter(each -> each.peer == peer)
                                .findAny()
                                .map(other -> Stream.of(
                                        Table.spread(distlock.ratios(other)), Table.number(other.figure("commands"))))
                                .orElse(Stream.of("", "")));
                rows.append(row(Stream.concat(own, compared)));
            });
        }
        return rows.toString();
    }

    /** Returns the ratios to the floor on servers other than a single one, a row for each peer. */
    private static String ratios(Map<String, Table> tables) {
        StringBuilder rows = new StringBuilder();
        for (Deployment deployment : Deployment.values()) {
            if (deployment == Deployment.STANDALONE || deployment == Deployment.ZOOKEEPER) {
                continue;
            }
            Map<Peer, Map<Scenario, String>> found = new EnumMap<>(Peer.class);
            for (Scenario scenario : LOCKS) {
                Table table = tables.get(name(scenario, deployment));
                if (table != null) {
                    table.rows()
                            .forEach(row -> found.computeIfAbsent(row.peer, any -> new EnumMap<>(Scenario.class))
                                    .put(scenario, table.ratioToFloor(row)));
                }
            }
            found.forEach((peer, ratios) -> rows.append(row(Stream.concat(
                    Stream.of(deployment.title() + ": " + peer.title()),
                    LOCKS.stream().map(scenario -> ratios.getOrDefault(scenario, ""))))));
        }
        return rows.toString();
    }

    private static String row(Stream<String> cells) {
        return cells.collect(Collectors.joining(" | ", "| ", " |\n"));
    }
}

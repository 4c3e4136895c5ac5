package io.github.distlock.bench;

import static io.github.distlock.bench.SimulatedStore.REDIS;
import static io.github.distlock.bench.SimulatedStore.ZOOKEEPER;

import io.github.distlock.bench.Lines.Line;
import io.github.distlock.bench.Simulation.Result;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Simulates how cost grows beyond one machine. Clients and servers have machines of their own, 0.2 ms away from each
 * other. {@link SimulationCheck} compares the same model with measurements.
 *
 * <p>Arguments: none to print the tables; or a page and a directory for charts, to write tables and charts into.
 */
public final class Growth {
    private static final int MOST_CLIENTS = 10_000;
    private static final double ONE_WAY = 200;
    private static final int ENSEMBLE = 3;
    /** The disk of a usual server, instead of the one that was measured. */
    private static final double FLUSH = 1_000;

    private static final String BUSY =
            head("load | clients | acquires/s | requests | server, % of a core | p50, ms | p99, ms | longest, ms");
    private static final String IDLE = head("load | clients | requests/s | server, % of a core");

    private final Map<String, String> tables = new LinkedHashMap<>();
    private final List<Line> shares = new ArrayList<>();
    private final List<Line> rates = new ArrayList<>();

    private Growth() {}

    /**
     * Runs the simulations.
     *
     * @param args see the class comment
     * @throws IOException if a file cannot be read or written
     */
    public static void main(String[] args) throws IOException {
        Growth growth = new Growth();
        growth.tables.put("SIMULATION CHECK", SimulationCheck.markdown());
        growth.tables.put("GROWTH REDIS", growth.acquire(REDIS, "Redis", 1, 10_000, 20_000, 30_000, 40_000));
        growth.tables.put("GROWTH REDIS IDLE", growth.idle(REDIS, "Redis", 1));
        SimulatedStore ensemble = ZOOKEEPER.withFlush(FLUSH);
        growth.tables.put("GROWTH ZOOKEEPER", growth.acquire(ensemble, "ZooKeeper", ENSEMBLE, 1_000, 5_000, 10_000));
        growth.tables.put("GROWTH ZOOKEEPER IDLE", growth.idle(ensemble, "ZooKeeper", ENSEMBLE));
        if (args.length == 2) {
            Report.replace(Path.of(args[0]), growth.tables);
            growth.draw(Path.of(args[1]));
        } else {
            growth.tables.forEach((name, table) -> System.out.printf("%n%s%n%n%s", name, table));
        }
    }

    private void draw(Path charts) throws IOException {
        Lines.write(charts.resolve("growth-rates.svg"), "clients that want one lock", "acquires per second", rates);
        Lines.write(charts.resolve("growth-idle.svg"), "holds or waiters", "busiest server, % of a core", shares);
    }

    /** Simulates free locks that are wanted at some rates, and one lock that many clients want. */
    private String acquire(SimulatedStore store, String name, int servers, int... freePerSecond) {
        StringBuilder rows = new StringBuilder(BUSY);
        for (int perSecond : freePerSecond) {
            Result result =
                    network(store, servers).cycle(MOST_CLIENTS, perSecond).run(2, 10);
            rows.append(busy("free locks", MOST_CLIENTS, result));
        }
        Line shared = new Line(name);
        Line fair = new Line(name + ", fair");
        for (int clients : new int[] {1, 10, 100, 1_000, MOST_CLIENTS}) {
            // Each thread has held the lock once by then.
            double round = 1 + clients / (store.isRedis() ? 700.0 : 250.0);
            Result passed = network(store, servers).contend(clients, 4, false).run(round, round);
            rows.append(busy("one lock, 4 threads each", clients, passed));
            shared.add(clients, passed.perSecond());
            Result turns = network(store, servers).contend(clients, 4, true).run(3 * round, 3 * round);
            rows.append(busy("the same, fair", clients, turns));
            fair.add(clients, turns.perSecond());
        }
        rates.addAll(List.of(shared, fair));
        return rows.toString();
    }

    /** Simulates holds and waiters, of few clients and of many. */
    private String idle(SimulatedStore store, String name, int servers) {
        StringBuilder rows = new StringBuilder(IDLE);
        for (Load load : Load.values()) {
            Line line = new Line(name + ", " + load.title);
            for (int number = 1_000; number <= load.most(store); number *= 10) {
                for (int clients : new int[] {100, Math.min(number, MOST_CLIENTS)}) {
                    Result result =
                            load.on(network(store, servers), clients, number).run(27, 30);
                    rows.append(row(
                            Table.number(number) + " " + load.title,
                            clients,
                            Stream.of(result.upkeep(), result.serverPercent())));
                    if (clients > 100) {
                        line.add(number, result.serverPercent());
                    }
                }
            }
            shares.add(line);
        }
        return rows.toString();
    }

    private enum Load {
        HOLDS("holds"),
        WAITERS("fair waiters of one name"),
        NAMES("names with a waiter each");

        private final String title;

        Load(String title) {
            this.title = title;
        }

        int most(SimulatedStore store) {
            return switch (this) {
                case HOLDS -> 1_000_000;
                // More nodes of ZooKeeper do not fit into a reply of the default size.
                case WAITERS -> store.isRedis() ? 1_000_000 : 10_000;
                case NAMES -> 100_000;
            };
        }

        Simulation on(Simulation simulation, int clients, int number) {
            return switch (this) {
                case HOLDS -> simulation.hold(clients, number / clients);
                case WAITERS -> simulation.await(clients, number / clients, 1);
                case NAMES -> simulation.await(clients, number / clients, number);
            };
        }
    }

    private static String head(String titles) {
        return "| " + titles + " |\n" + "|---".repeat(titles.split("\\|", -1).length) + "|\n";
    }

    private static Simulation network(SimulatedStore store, int servers) {
        return Simulation.onNetwork(store, servers, ONE_WAY);
    }

    private static String busy(String load, int clients, Result result) {
        Stream<Double> figures = Stream.of(
                result.perSecond(),
                result.requests(),
                result.serverPercent(),
                result.p50() / 1_000,
                result.p99() / 1_000,
                result.waits().micros(1) / 1_000);
        return row(load, clients, figures);
    }

    private static String row(String load, int clients, Stream<Double> figures) {
        return figures.map(Table::number).reduce("| " + load + " | " + Table.number(clients), (a, b) -> a + " | " + b)
                + " |\n";
    }
}

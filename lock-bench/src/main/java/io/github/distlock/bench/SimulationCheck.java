package io.github.distlock.bench;

import static io.github.distlock.bench.SimulatedStore.REDIS;
import static io.github.distlock.bench.SimulatedStore.ZOOKEEPER;

import io.github.distlock.bench.Simulation.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Compares the {@link Simulation} with the measured figures of {@code docs/performance.md}. The exit code is 1 if a
 * difference is greater than the one that is known. A simulation always gives the same figures, so this shows a change
 * of the model or of its parameters.
 */
public final class SimulationCheck {
    private final List<Comparison> comparisons = new ArrayList<>();

    /**
     * A simulated figure beside the measured one.
     *
     * @param known the greatest difference, in percent of the measured figure
     */
    private record Comparison(String what, double measured, double simulated, double known) {
        double percent() {
            return (simulated / measured - 1) * 100;
        }

        boolean isKnown() {
            return Math.abs(percent()) <= known;
        }

        String row() {
            return "| " + what + " | " + Table.number(measured) + " | " + Table.number(simulated) + " | "
                    + String.format("%+.0f %%", percent()) + " |\n";
        }
    }

    private SimulationCheck() {
        redis();
        redisUpkeep();
        zooKeeper();
    }

    /**
     * Prints the comparison.
     *
     * @param args none
     */
    public static void main(String[] args) {
        System.out.print(markdown());
        List<Comparison> unknown = new SimulationCheck()
                .comparisons.stream().filter(each -> !each.isKnown()).toList();
        unknown.forEach(each -> System.err.println("more than " + each.known + " %: " + each.row()));
        System.exit(unknown.isEmpty() ? 0 : 1);
    }

    static String markdown() {
        StringBuilder table = new StringBuilder("| | measured | simulated | difference |\n|---|---|---|---|\n");
        new SimulationCheck().comparisons.forEach(each -> table.append(each.row()));
        return table.toString();
    }

    private void redis() {
        Result alone = second(loopback(REDIS).cycle(1));
        add("Redis, S1: per second", 8_520, alone, Result::perSecond, 5);
        Result many = second(loopback(REDIS).cycle(16));
        add("S2: per second", 37_890, many, Result::perSecond, 5);
        add("S2: p50, us", 205, many, Result::p50, 5);
        Result jvm = second(loopback(REDIS).contend(1, 16, false));
        add("S3: per second", 79_446, jvm, Result::perSecond, 5);
        add("S3: requests", 0.034, jvm, Result::requests, 10);
        add("S3: p50, us", 164, jvm, Result::p50, 15);
        add("S3: server CPU, us", 0.816, jvm, Result::serverMicros, 30);
        Result fair = second(loopback(REDIS).contend(1, 16, true));
        add("S3, fair: per second", 9_395, fair, Result::perSecond, 5);
        add("S3, fair: p50, us", 1_507, fair, Result::p50, 10);
        add("S3, fair: server CPU, us", 62.8, fair, Result::serverMicros, 5);
        Result jvms = second(loopback(REDIS.withSlowerClients(2)).contend(4, 4, false));
        add("S4: per second", 72_023, jvms, Result::perSecond, 20);
        add("S4: requests", 0.033, jvms, Result::requests, 10);
        add("S4: p99, us", 2_884, jvms, Result::p99, 25);
        Result fairJvms = second(loopback(REDIS.withSlowerClients(2)).contend(4, 4, true));
        add("S4, fair: per second", 6_224, fairJvms, Result::perSecond, 20);
        add("S4, fair: server CPU, us", 69.2, fairJvms, Result::serverMicros, 15);
        add("S5: p50, us", 623, second(loopback(REDIS).handOff(10_000)), Result::p50, 10);
        add("S1, 0.2 ms each way: per second", 940, second(delayed(REDIS, 200).cycle(1)), Result::perSecond, 20);
        add("S1, 1 ms each way: per second", 221, second(delayed(REDIS, 1_000).cycle(1)), Result::perSecond, 10);
        add("S5, 0.2 ms each way: p50, us", 1_507, second(delayed(REDIS, 200).handOff(10_000)), Result::p50, 40);
        add("S5, 1 ms each way: p50, us", 2_884, second(delayed(REDIS, 1_000).handOff(10_000)), Result::p50, 20);
    }

    /** The measured figures are those of docs/redis.md. They count scripts as requests. */
    private void redisUpkeep() {
        Result few = loopback(REDIS).hold(1, 5_000).run(10, 50);
        add("Redis, 5,000 holds: requests per second", 1.3, few, Result::upkeep, 25);
        add("the same: server CPU, %", 0.25, few, Result::serverPercent, 15);
        Result many = loopback(REDIS).hold(1, 100_000).run(10, 50);
        add("100,000 holds: requests per second", 21, many, Result::upkeep, 10);
        add("the same: server CPU, %", 3.0, many, Result::serverPercent, 5);
        Result queue = loopback(REDIS).await(1, 10_000, 1).run(30, 54);
        add("10,000 fair waiters for one name: requests per second", 8, queue, Result::upkeep, 15);
        add("the same: server CPU, %", 0.35, queue, Result::serverPercent, 10);
        Result queues = loopback(REDIS).await(1, 10_000, 1_000).run(10, 54);
        add("10 fair waiters for each of 1,000 names: requests per second", 1_250, queues, Result::upkeep, 25);
        add("the same: server CPU, %", 5.5, queues, Result::serverPercent, 10);
    }

    private void zooKeeper() {
        add("ZooKeeper, S1: per second", 1_477, second(loopback(ZOOKEEPER).cycle(1)), Result::perSecond, 5);
        Result jvm = second(loopback(ZOOKEEPER).contend(1, 16, false));
        add("S3: per second", 46_309, jvm, Result::perSecond, 30);
        Result fair = second(loopback(ZOOKEEPER).contend(1, 16, true));
        add("S3, fair: per second", 2_222, fair, Result::perSecond, 20);
        add("S3, fair: server CPU, us", 411, fair, Result::serverMicros, 10);
        Result jvms = second(loopback(ZOOKEEPER.withSlowerClients(4)).contend(4, 4, false));
        add("S4: per second", 28_675, jvms, Result::perSecond, 15);
        add("S4: requests", 0.088, jvms, Result::requests, 20);
        Result fairJvms = second(loopback(ZOOKEEPER.withSlowerClients(4)).contend(4, 4, true));
        add("S4, fair: per second", 937, fairJvms, Result::perSecond, 30);
        add(
                "S1, 0.2 ms each way: per second",
                531,
                second(delayed(ZOOKEEPER, 200).cycle(1)),
                Result::perSecond,
                30);
        add(
                "S1, 1 ms each way: per second",
                172,
                second(delayed(ZOOKEEPER, 1_000).cycle(1)),
                Result::perSecond,
                15);
        Result holds = loopback(ZOOKEEPER).hold(1, 1_000).run(30, 60);
        add("1,000 holds: requests per second", 50, holds, Result::upkeep, 40);
    }

    private void add(String what, double measured, Result result, ToDoubleFunction<Result> figure, double known) {
        comparisons.add(new Comparison(what, measured, figure.applyAsDouble(result), known));
    }

    private static Simulation loopback(SimulatedStore store) {
        return delayed(store, 0);
    }

    private static Simulation delayed(SimulatedStore store, double oneWay) {
        return Simulation.onOneMachine(store, oneWay);
    }

    private static Result second(Simulation simulation) {
        return simulation.run(0.1, 1);
    }
}

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
        add("Redis, S1: per second", 8_973, alone, Result::perSecond, 5);
        Result many = second(loopback(REDIS).cycle(16));
        add("S2: per second", 31_709, many, Result::perSecond, 5);
        add("S2: p50, us", 229, many, Result::p50, 5);
        Result jvm = second(loopback(REDIS).contend(1, 16, false));
        add("S3: per second", 87_938, jvm, Result::perSecond, 10);
        add("S3: requests", 0.022, jvm, Result::requests, 45);
        add("S3: p50, us", 156, jvm, Result::p50, 15);
        add("S3: server CPU, us", 0.586, jvm, Result::serverMicros, 70);
        Result fair = second(loopback(REDIS).contend(1, 16, true));
        add("S3, fair: per second", 10_309, fair, Result::perSecond, 5);
        add("S3, fair: p50, us", 1_376, fair, Result::p50, 10);
        add("S3, fair: server CPU, us", 62.1, fair, Result::serverMicros, 5);
        Result jvms = second(loopback(REDIS.withSlowerClients(1.5)).contend(4, 4, false));
        add("S4: per second", 68_519, jvms, Result::perSecond, 20);
        add("S4: requests", 0.033, jvms, Result::requests, 10);
        add("S4: p99, us", 3_277, jvms, Result::p99, 25);
        Result fairJvms = second(loopback(REDIS.withSlowerClients(1.5)).contend(4, 4, true));
        add("S4, fair: per second", 8_453, fairJvms, Result::perSecond, 20);
        add("S4, fair: server CPU, us", 65.4, fairJvms, Result::serverMicros, 15);
        add("S5: p50, us", 180, second(loopback(REDIS).handOff(10_000)), Result::p50, 10);
        add("S1, 0.2 ms each way: per second", 860, second(delayed(REDIS, 200).cycle(1)), Result::perSecond, 30);
        add("S1, 1 ms each way: per second", 223, second(delayed(REDIS, 1_000).cycle(1)), Result::perSecond, 10);
        add("S5, 0.2 ms each way: p50, us", 623, second(delayed(REDIS, 200).handOff(10_000)), Result::p50, 15);
        add("S5, 1 ms each way: p50, us", 2_359, second(delayed(REDIS, 1_000).handOff(10_000)), Result::p50, 15);
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
        add("ZooKeeper, S1: per second", 1_589, second(loopback(ZOOKEEPER).cycle(1)), Result::perSecond, 5);
        Result jvm = second(loopback(ZOOKEEPER).contend(1, 16, false));
        add("S3: per second", 90_866, jvm, Result::perSecond, 35);
        Result fair = second(loopback(ZOOKEEPER).contend(1, 16, true));
        add("S3, fair: per second", 2_259, fair, Result::perSecond, 30);
        add("S3, fair: server CPU, us", 405, fair, Result::serverMicros, 10);
        Result jvms = second(loopback(ZOOKEEPER.withSlowerClients(3)).contend(4, 4, false));
        add("S4: per second", 40_112, jvms, Result::perSecond, 15);
        add("S4: requests", 0.084, jvms, Result::requests, 20);
        Result fairJvms = second(loopback(ZOOKEEPER.withSlowerClients(3)).contend(4, 4, true));
        add("S4, fair: per second", 1_274, fairJvms, Result::perSecond, 30);
        add(
                "S1, 0.2 ms each way: per second",
                569,
                second(delayed(ZOOKEEPER, 200).cycle(1)),
                Result::perSecond,
                30);
        add(
                "S1, 1 ms each way: per second",
                184,
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

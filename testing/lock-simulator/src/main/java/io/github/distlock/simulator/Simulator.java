package io.github.distlock.simulator;

import io.github.distlock.tests.history.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Runs seeds, and prints what they break. {@code .ci/simulate} starts it with the options of the JVM that it needs.
 *
 * <pre>
 * --store NAME      the store, by default memory
 * --seed N          the first seed, by default 1
 * --seeds COUNT     how many seeds, by default 1
 * --seconds S       as many seeds as fit into this time, instead
 * --trace           prints each step
 * --twice           runs each seed twice, and fails if the two runs differ
 * --find            does not stop at failures, and prints how many seeds fail
 * --no-shrink       prints a failing seed as it is
 * --schedule N, --users A.B,…, --faults N,…, --duration NANOS, --only LOCK, --calm
 *                   make the plan of a seed smaller, as the shrinker prints it
 * </pre>
 */
public final class Simulator {
    private static final List<String> FLAGS = List.of("--trace", "--twice", "--find", "--no-shrink", "--calm");
    private static final List<String> OPTIONS = List.of(
            "--store", "--seed", "--seeds", "--seconds", "--schedule", "--users", "--faults", "--duration", "--only");
    private static final int SHOWN = 120;

    private final Map<String, String> options = new HashMap<>();
    private final String store;
    private final List<String> faults;
    private long done;
    private long failed;
    private long firstFailed;
    private long grants;
    private long losses;
    private long steps;
    private long nanos;
    private long heldNanos;

    private Simulator(String[] arguments) {
        for (int i = 0; i < arguments.length; i++) {
            if (!FLAGS.contains(arguments[i]) && !OPTIONS.contains(arguments[i])) {
                throw new IllegalArgumentException("no option " + arguments[i]);
            }
            options.put(arguments[i], FLAGS.contains(arguments[i]) ? "" : arguments[++i]);
        }
        store = options.getOrDefault("--store", Stores.MEMORY);
        faults = Stores.faults(store);
    }

    /**
     * Runs the simulator. Exits with 1 if a seed breaks a rule, or with {@code --find}, if none does.
     *
     * @param arguments see the class
     */
    public static void main(String[] arguments) {
        if (!SimulatorAgent.isActive()) {
            throw new IllegalStateException("start it with -javaagent, as .ci/simulate does");
        }
        System.exit(new Simulator(arguments).run() ? 0 : 1);
    }

    private boolean has(String flag) {
        return options.containsKey(flag);
    }

    private long number(String option, long byDefault) {
        return Long.parseLong(options.getOrDefault(option, Long.toString(byDefault)));
    }

    private boolean run() {
        long first = number("--seed", 1);
        long begun = System.nanoTime();
        long limit = has("--seconds") ? number("--seconds", 0) * 1_000_000_000L : Long.MAX_VALUE;
        long count = has("--seconds") && !has("--seeds") ? Long.MAX_VALUE : number("--seeds", 1);
        while (done < count && System.nanoTime() - begun < limit && (failed == 0 || has("--find"))) {
            run(reduced(Plan.of(first + done, store, faults)));
            done++;
        }
        double seconds = (System.nanoTime() - begun) / 1e9;
        System.out.printf(
                "%s: %d seeds, %d failed, in %.1f s and %.1f s of CPU: %d grants, %d losses, %.1f simulated hours,"
                        + " %.1f lock-hours, %d steps%n",
                store, done, failed, seconds, cpuSeconds(), grants, losses, nanos / 3.6e12, heldNanos / 3.6e12, steps);
        if (has("--find")) {
            System.out.println(failed == 0 ? "not found" : found());
        }
        return (failed == 0) != has("--find");
    }

    private static double cpuSeconds() {
        return ProcessHandle.current()
                        .info()
                        .totalCpuDuration()
                        .orElse(Duration.ZERO)
                        .toMillis()
                / 1e3;
    }

    private String found() {
        double share = (double) failed / done;
        long median = share == 1 ? 1 : (long) Math.ceil(Math.log(0.5) / Math.log(1 - share));
        return "found by " + failed + " of " + done + " seeds, first by seed " + firstFailed + ", median " + median;
    }

    /** Returns the plan without what the options leave out. */
    private Plan reduced(Plan whole) {
        Plan plan = whole.withSchedule(number("--schedule", whole.schedule()))
                .withOnly(options.getOrDefault("--only", whole.only()))
                .withDuration(number("--duration", whole.duration()));
        plan = plan.withUsers(only("--users", plan.users(), Plan.User::toString));
        plan = plan.withFaults(only("--faults", plan.faults(), fault -> Integer.toString(fault.number())));
        return has("--calm") ? plan.withInterference(Simulation.Interference.NONE) : plan;
    }

    private <T> List<T> only(String option, List<T> all, Function<T, String> name) {
        String chosen = options.get(option);
        if (chosen == null) {
            return all;
        }
        List<String> names = Arrays.asList(chosen.split(",", -1));
        return all.stream()
                .filter(element -> names.contains(name.apply(element)))
                .toList();
    }

    private void run(Plan plan) {
        SimulatedRun.Result result = SimulatedRun.run(plan, has("--trace") ? System.out::println : null);
        grants += result.grants();
        losses += result.losses();
        steps += result.steps();
        nanos += result.nanos();
        heldNanos += result.heldNanos();
        boolean differs = has("--twice") && SimulatedRun.run(plan, null).hash() != result.hash();
        if (differs || !result.violations().isEmpty()) {
            if (failed++ == 0) {
                firstFailed = plan.seed();
            }
            if (!has("--find")) {
                print(plan, result.violations(), differs);
            }
        }
    }

    private void print(Plan plan, List<Violation> violations, boolean differs) {
        System.out.println("FAILED: .ci/simulate " + plan.options(plan));
        if (differs) {
            System.out.println("  a second run of the seed does not repeat the first one");
        }
        violations.stream().limit(3).forEach(violation -> System.out.println("  " + violation));
        if (violations.isEmpty() || has("--no-shrink")) {
            return;
        }
        Plan shrunk = Shrinker.shrink(plan, violations.get(0).rule());
        List<String> lines = new ArrayList<>();
        SimulatedRun.Result result = SimulatedRun.run(shrunk, lines::add);
        System.out.println("A smaller run breaks the same rule: .ci/simulate " + shrunk.options(plan) + " --trace");
        int hidden = Math.max(0, lines.size() - SHOWN);
        if (hidden > 0) {
            System.out.println(hidden + " earlier lines are not shown");
        }
        lines.stream().skip(hidden).forEach(System.out::println);
        result.violations().stream().limit(3).forEach(violation -> System.out.println("  " + violation));
    }
}

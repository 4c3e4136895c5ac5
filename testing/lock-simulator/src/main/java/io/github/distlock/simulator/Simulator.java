package io.github.distlock.simulator;

import io.github.distlock.tests.history.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Runs seeds, and prints what they break. {@code .ci/simulate} starts it with the options of the JVM that it needs.
 *
 * <pre>
 * --store NAME      the store, by default memory
 * --seed N          the first seed, by default 1
 * --seeds COUNT     how many seeds, by default 1
 * --seconds S       as many seeds as fit into this time, instead
 * --trace           prints each step
 * --twice COUNT     runs the first seeds twice, and fails if two runs differ in a step or in what users see
 * --excluded        also lets a fault beyond the stated bounds strike, another one in each seed
 * --must-be-seen    fails unless each such fault has broken a rule that it may break, and runs up to five times as
 *                   many seeds until then
 * --find            does not stop at failures, and prints how many seeds fail
 * --no-shrink       prints a failing seed as it is
 * --schedule N, --users A.B,…, --faults N,…, --duration NANOS, --only LOCK, --calm
 *                   make the plan of a seed smaller, as the shrinker prints it
 * </pre>
 */
public final class Simulator {
    private static final List<String> FLAGS =
            List.of("--trace", "--excluded", "--must-be-seen", "--find", "--no-shrink", "--calm");
    private static final List<String> OPTIONS = List.of(
            "--store",
            "--seed",
            "--seeds",
            "--seconds",
            "--twice",
            "--schedule",
            "--users",
            "--faults",
            "--duration",
            "--only");
    private static final List<String> NONE = List.of("none");
    private static final int SHOWN = 120;
    private static final int MOST_TIMES = 5;

    private final Map<String, String> options = new HashMap<>();
    private final String store;
    private final List<String> faults;
    private final List<String> excluded;
    private final Map<String, Seen> seen = new LinkedHashMap<>();
    private long done;
    private long failed;
    private long firstFailed;
    private long grants;
    private long losses;
    private long steps;
    private long nanos;
    private long heldNanos;

    /** The seeds with a fault beyond the stated bounds, and those of them that have broken each promise by it. */
    private static final class Seen {
        private final Map<String, Integer> seeds = new TreeMap<>();
        private int all;

        void add(SimulatedRun.Result result) {
            all++;
            result.excepted().stream()
                    .map(violation -> violation.rule().promises())
                    .distinct()
                    .forEach(promise -> seeds.merge(promise, 1, Integer::sum));
        }

        @Override
        public String toString() {
            return all + " seeds, of which as documented "
                    + (seeds.isEmpty()
                            ? "none broke a promise"
                            : seeds.entrySet().stream()
                                    .map(each -> each.getValue() + " broke " + each.getKey())
                                    .collect(Collectors.joining(", ")));
        }
    }

    Simulator(String... arguments) {
        for (int i = 0; i < arguments.length; i++) {
            if (!FLAGS.contains(arguments[i]) && !OPTIONS.contains(arguments[i])) {
                throw new IllegalArgumentException("no option " + arguments[i]);
            }
            if (OPTIONS.contains(arguments[i]) && i + 1 == arguments.length) {
                throw new IllegalArgumentException("no value of " + arguments[i]);
            }
            options.put(arguments[i], FLAGS.contains(arguments[i]) ? "" : arguments[++i]);
        }
        store = options.getOrDefault("--store", Stores.MEMORY);
        faults = Stores.faults(store);
        excluded = has("--excluded") ? Stores.excludedFaults(store) : List.of();
        if (has("--excluded") && excluded.isEmpty()) {
            throw new IllegalArgumentException("no fault of " + store + " is beyond the stated bounds");
        }
        excluded.forEach(fault -> seen.put(fault, new Seen()));
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
        try {
            System.exit(new Simulator(arguments).run() ? 0 : 1);
        } catch (IllegalArgumentException e) {
            System.err.println("simulator: " + e.getMessage());
            System.exit(2);
        }
    }

    private boolean has(String flag) {
        return options.containsKey(flag);
    }

    private long number(String option, long byDefault) {
        return Long.parseLong(options.getOrDefault(option, Long.toString(byDefault)));
    }

    boolean run() {
        long first = number("--seed", 1);
        long begun = System.nanoTime();
        long limit = has("--seconds") ? number("--seconds", 0) * 1_000_000_000L : Long.MAX_VALUE;
        long count = has("--seconds") && !has("--seeds") ? Long.MAX_VALUE : number("--seeds", 1);
        while (isNeeded(count) && System.nanoTime() - begun < limit && (failed == 0 || has("--find"))) {
            run(reduced(Plan.of(first + done, store, faults, excluded(first + done))));
            done++;
        }
        double seconds = (System.nanoTime() - begun) / 1e9;
        System.out.printf(
                "%s: %d seeds, %d failed, in %.1f s and %.1f s of CPU: %d grants, %d losses, %.1f simulated hours,"
                        + " %.1f lock-hours, %d steps%n",
                store, done, failed, seconds, cpuSeconds(), grants, losses, nanos / 3.6e12, heldNanos / 3.6e12, steps);
        seen.forEach((fault, what) -> System.out.println("  " + fault + ": " + what));
        if (has("--find")) {
            System.out.println(failed == 0 ? "not found" : found());
        }
        boolean unseen = isUnseen();
        if (unseen) {
            System.out.println("FAILED: a fault beyond the stated bounds has broken no promise");
        }
        return (failed == 0) != has("--find") && !unseen;
    }

    /** Returns whether to run one more seed. How often a fault breaks a promise changes with the code. */
    private boolean isNeeded(long count) {
        return done < count || (done / MOST_TIMES < count && isUnseen());
    }

    private boolean isUnseen() {
        return has("--must-be-seen") && seen.values().stream().anyMatch(what -> what.seeds.isEmpty());
    }

    /** Returns the fault beyond the stated bounds that strikes in a seed, or an empty name. */
    private String excluded(long seed) {
        return excluded.isEmpty() ? "" : excluded.get((int) Math.floorMod(seed, (long) excluded.size()));
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
                .withOnly(only(whole))
                .withDuration(number("--duration", whole.duration()));
        plan = plan.withUsers(only("--users", plan.users(), Plan.User::toString));
        plan = plan.withFaults(only("--faults", plan.faults(), fault -> Integer.toString(fault.number())));
        return has("--calm") ? plan.withInterference(Simulation.Interference.NONE) : plan;
    }

    private String only(Plan plan) {
        String lock = options.getOrDefault("--only", plan.only());
        if (has("--only") && !plan.lockNames().contains(lock)) {
            throw new IllegalArgumentException("no lock " + lock + ", only " + plan.lockNames());
        }
        return lock;
    }

    private <T> List<T> only(String option, List<T> all, Function<T, String> name) {
        String chosen = options.get(option);
        if (chosen == null) {
            return all;
        }
        List<String> names = Arrays.asList(chosen.split(",", -1));
        List<String> known = all.stream().map(name).toList();
        if (!names.equals(NONE) && !known.containsAll(names)) {
            throw new IllegalArgumentException("not all of " + option + " " + chosen + " are among " + known);
        }
        return all.stream()
                .filter(element -> names.contains(name.apply(element)))
                .toList();
    }

    private void run(Plan plan) {
        try {
            runAndCount(plan);
        } catch (Throwable e) {
            System.out.println("FAILED: .ci/simulate " + plan.options(plan) + ", which ended by " + e);
            throw e;
        }
    }

    private void runAndCount(Plan plan) {
        Consumer<String> trace = has("--trace") ? System.out::println : null;
        boolean differs = false;
        SimulatedRun.Result result;
        if (done < number("--twice", 0)) {
            Repetition repetition = Repetition.of(plan, trace);
            result = repetition.result();
            differs = repetition.differs();
        } else {
            result = SimulatedRun.run(plan, trace);
        }
        Seen ofFault = seen.get(plan.excluded());
        if (ofFault != null) {
            ofFault.add(result);
        }
        grants += result.grants();
        losses += result.losses();
        steps += result.steps();
        nanos += result.nanos();
        heldNanos += result.heldNanos();
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
        System.out.println("FAILED: .ci/simulate " + plan.options(plan) + (differs ? " --twice 1" : ""));
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

package io.github.distlock.bench;

import io.github.distlock.bench.Peer.Deployment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What {@link Benchmark} measures, and for how long. A new instance is {@code --full}. */
final class BenchmarkOptions {
    static final String USAGE = String.join(
            "\n",
            "Usage: Benchmark [--smoke | --quick | --full] [OPTION VALUE]...",
            "  --smoke        floors and distlock: S1, S3, S4 and readers, in less than a minute",
            "  --quick        the main peers, in less than five minutes",
            "  --full         everything, in less than 90 minutes (the default)",
            "  --scenarios    names or their beginnings, with commas: " + names(Scenario.values()),
            "  --deployments  names, with commas: " + names(Deployment.values()),
            "  --peers        names, with commas: " + names(Peer.values()),
            "  --rounds       how often each peer is measured",
            "  --warm-ups     how often it is measured before, at most",
            "  --millis       the time of one measurement",
            "  --most         the greatest number of holds, waiters or clients",
            "  --idle         for how many milliseconds holds and waiters are measured",
            "  --settle       after how many milliseconds that begins",
            "  --one-way      delays each way in microseconds, with commas; 0 for none",
            "  --out          the file to which measurements are appended, as lines of JSON");

    private static final Set<Peer> MAIN = EnumSet.of(
            Peer.SOCKET,
            Peer.BATON,
            Peer.PLAIN,
            Peer.DISTLOCK,
            Peer.DISTLOCK_FAIR,
            Peer.DISTLOCK_SUPPLIED,
            Peer.REDISSON,
            Peer.SPRING,
            Peer.NODE,
            Peer.CHAIN,
            Peer.ZOOKEEPER_DISTLOCK,
            Peer.ZOOKEEPER_DISTLOCK_FAIR,
            Peer.CURATOR_OWN);

    private Set<Scenario> scenarios = EnumSet.allOf(Scenario.class);
    private Set<Deployment> deployments = EnumSet.allOf(Deployment.class);
    private Set<Peer> peers = EnumSet.allOf(Peer.class);
    /** The peers that are measured with a delay, and those that hold or wait. */
    private Set<Peer> main = MAIN;

    private int rounds = 7;
    private int warmUps = 15;
    private long millis = 500;
    private int most = 100_000;
    private long idleMillis = 15_000;
    private long settleMillis = 20_000;
    private List<Long> oneWayMicros = List.of(0L, 200L, 1_000L);
    private Path out = Path.of("lock-bench", "target", "measurements.jsonl");

    /**
     * Reads the arguments of {@link Benchmark}.
     *
     * @throws IllegalArgumentException with a message for the user
     */
    static BenchmarkOptions parse(String... args) {
        BenchmarkOptions options = new BenchmarkOptions();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--full" -> {}
                case "--quick" -> options.beQuick();
                case "--smoke" -> options.beSmoke();
                default -> {
                    if (i + 1 == args.length) {
                        throw new IllegalArgumentException(args[i] + " is not an option, or its value is missing");
                    }
                    options.set(args[i], args[++i]);
                }
            }
        }
        return options;
    }

    private void beQuick() {
        scenarios = named("S1,S2,S3,S4,S4_FAULTS,S5,S6,S8_WRITERS", BenchmarkOptions::scenarios);
        deployments = EnumSet.of(Deployment.STANDALONE, Deployment.ZOOKEEPER);
        peers = EnumSet.of(
                Peer.SOCKET,
                Peer.BATON,
                Peer.PLAIN,
                Peer.DISTLOCK,
                Peer.DISTLOCK_FAIR,
                Peer.REDISSON,
                Peer.NODE,
                Peer.CHAIN,
                Peer.ZOOKEEPER_DISTLOCK,
                Peer.CURATOR_OWN);
        main = EnumSet.of(Peer.DISTLOCK, Peer.ZOOKEEPER_DISTLOCK);
        rounds = 3;
        warmUps = 2;
        millis = 300;
        most = 1_000;
        idleMillis = 10_000;
        settleMillis = 2_000;
        oneWayMicros = List.of(0L);
    }

    private void beSmoke() {
        beQuick();
        scenarios = EnumSet.of(Scenario.S1, Scenario.S3, Scenario.S4, Scenario.S8_WRITERS_4);
        peers = EnumSet.of(
                Peer.PLAIN,
                Peer.BATON,
                Peer.DISTLOCK,
                Peer.DISTLOCK_FAIR,
                Peer.NODE,
                Peer.CHAIN,
                Peer.ZOOKEEPER_DISTLOCK);
        rounds = 1;
        warmUps = 0;
    }

    private void set(String option, String value) {
        switch (option) {
            case "--scenarios" -> scenarios = named(value, BenchmarkOptions::scenarios);
            case "--deployments" -> deployments = named(value, name -> equalTo(name, Deployment.values()));
            case "--peers" -> {
                peers = named(value, name -> equalTo(name, Peer.values()));
                main = peers;
            }
            case "--rounds" -> rounds = (int) number(option, value, 1);
            case "--warm-ups" -> warmUps = (int) number(option, value, 0);
            case "--millis" -> millis = number(option, value, 1);
            case "--most" -> most = (int) number(option, value, 1);
            case "--idle" -> idleMillis = number(option, value, 1);
            case "--settle" -> settleMillis = number(option, value, 0);
            case "--one-way" ->
                oneWayMicros = Stream.of(value.split(",", -1))
                        .map(each -> number(option, each, 0))
                        .toList();
            case "--out" -> out = Path.of(value);
            default -> throw new IllegalArgumentException(option + " is not an option");
        }
    }

    private static long number(String option, String value, long least) {
        try {
            long number = Long.parseLong(value);
            if (number >= least && number <= Integer.MAX_VALUE) {
                return number;
            }
        } catch (NumberFormatException e) {
            // The message below contains the value.
        }
        throw new IllegalArgumentException(option + " must be a number, and at least " + least + ": " + value);
    }

    private static <E> Set<E> named(String value, Function<String, List<E>> lookUp) {
        return Stream.of(value.split(",", -1))
                .flatMap(name -> lookUp.apply(name).stream())
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /** Returns the scenario with this name. If there is none, returns all whose names begin with it. */
    private static List<Scenario> scenarios(String name) {
        boolean exists =
                Arrays.stream(Scenario.values()).anyMatch(each -> each.name().equals(name));
        return found(
                name,
                Scenario.values(),
                each -> each.name().equals(name) || (!exists && each.name().startsWith(name + "_")));
    }

    private static <E extends Enum<E>> List<E> equalTo(String name, E[] values) {
        return found(name, values, each -> each.name().equals(name));
    }

    private static <E extends Enum<E>> List<E> found(String name, E[] values, Predicate<E> matches) {
        List<E> found = Arrays.stream(values).filter(matches).toList();
        if (found.isEmpty()) {
            throw new IllegalArgumentException(name + " is not one of " + names(values));
        }
        return found;
    }

    private static String names(Enum<?>... values) {
        return Arrays.stream(values).map(Enum::name).collect(Collectors.joining(" "));
    }

    /** Returns the scenarios: with a delay, those of locks that are acquired all the time. */
    List<Scenario> scenarios(long oneWay) {
        return scenarios.stream()
                .filter(each -> oneWay == 0 || each.isMeasuredWithDelay())
                .sorted()
                .toList();
    }

    /** Returns the deployments: with a delay, those of one server. */
    Set<Deployment> deployments(long oneWay) {
        Set<Deployment> delayed = EnumSet.of(Deployment.STANDALONE, Deployment.ZOOKEEPER);
        return deployments.stream()
                .filter(each -> oneWay == 0 || delayed.contains(each))
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Deployment.class)));
    }

    List<Peer> peers(Scenario scenario, Deployment deployment, long oneWay) {
        return (oneWay > 0 || scenario.isIdle() ? main : peers)
                .stream()
                        .filter(peer -> peer.deployment() == deployment && scenario.suits(peer))
                        .sorted()
                        .toList();
    }

    int rounds() {
        return rounds;
    }

    int warmUps() {
        return warmUps;
    }

    long millis() {
        return millis;
    }

    int most() {
        return most;
    }

    /** Returns for how long holds or waiters are measured. */
    long idleMillis() {
        return idleMillis;
    }

    /** Returns the time after which waiters send no fewer requests than later. */
    long settleMillis() {
        return settleMillis;
    }

    List<Long> oneWayMicros() {
        return oneWayMicros;
    }

    Path out() {
        return out;
    }
}

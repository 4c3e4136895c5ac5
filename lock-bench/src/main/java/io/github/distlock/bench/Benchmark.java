package io.github.distlock.bench;

import io.github.distlock.bench.Peer.Deployment;
import io.github.distlock.bench.Peer.Servers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;

/**
 * Measures this library beside others and beside floors: each {@link Scenario} for each {@link Deployment}. Critical
 * sections are empty, and are checked to exclude each other.
 *
 * <p>Each peer has JVMs of its own. They warm up until their rate stops rising. Then the peers take turns, in an order
 * that changes with each round, so that noise affects all of them. The program appends each measurement to a file, as a
 * line of JSON, and prints the tables that {@link Report} makes of them. The options are in {@link BenchmarkOptions}.
 *
 * <p>A wait is the time of one acquire; that of a handoff begins with the call of the release. Commands are those of
 * Redis's {@code INFO commandstats}, including those in scripts, of all servers that keep data, or the packets that
 * ZooKeeper received. Requests are the reads of a server from its connections.
 *
 * <p>If a measurement fails, the program goes on with the next scenario, deployment or size. The exit code is 1 then,
 * and if two holds of this library overlap, or one was lost without a fault. It is 2 if the arguments are wrong. The
 * servers must be processes: {@code -Dlock.servers=processes}.
 */
public final class Benchmark {
    /** The lease while clients fail. The least session timeout of ZooKeeper with its default tick. */
    private static final Duration SHORT_LEASE = Duration.ofSeconds(4);

    /** Longer than the work that an acquire leaves behind takes. */
    private static final long HOLDS_SETTLE_MILLIS = 5_000;

    private static final int WAITING_CLIENTS = 10;
    /** For libraries that need a thread for each waiter. More threads would measure the machine. */
    private static final int MOST_WAITING_THREADS = 1_000;

    private final BenchmarkOptions options;
    private final TestServers servers;
    private final long oneWayMicros;
    private final Path flag;
    private final List<Measurement> made = new ArrayList<>();
    private int failures;

    private Benchmark(BenchmarkOptions options, TestServers servers, long oneWayMicros, Path flag) {
        this.options = options;
        this.servers = servers;
        this.oneWayMicros = oneWayMicros;
        this.flag = flag;
    }

    /**
     * Runs the benchmark.
     *
     * @param args see {@link BenchmarkOptions}
     * @throws Exception if a server or a peer fails
     */
    public static void main(String[] args) throws Exception {
        BenchmarkOptions options;
        try {
            options = BenchmarkOptions.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage() + "\n" + BenchmarkOptions.USAGE);
            System.exit(2);
            return;
        }
        List<Measurement> all = new ArrayList<>();
        int failures = 0;
        Path flag = Files.write(Files.createTempFile("held", null), new byte[CriticalSection.JVMS * Integer.BYTES]);
        for (long oneWay : options.oneWayMicros()) {
            try (TestServers servers = new TestServers(options.deployments(oneWay), oneWay)) {
                Benchmark benchmark = new Benchmark(options, servers, oneWay, flag);
                benchmark.run();
                all.addAll(benchmark.made);
                failures += benchmark.failures;
            }
        }
        Files.delete(flag);
        long wrong = all.stream().filter(Benchmark::isWrong).count();
        System.out.printf(
                "%n%d measurements in %s, %d with violations, %d failures%n",
                all.size(), options.out(), wrong, failures);
        System.exit(wrong + failures == 0 ? 0 : 1);
    }

    private static boolean isWrong(Measurement measurement) {
        Map<String, Double> figures = measurement.figures();
        boolean overlaps = figures.getOrDefault("overlaps", 0.0) > 0;
        boolean faults = Scenario.valueOf(measurement.scenario()).kind() == Scenario.Kind.FAULTS;
        boolean losses = !faults && figures.getOrDefault("losses", 0.0) > 0;
        return Peer.valueOf(measurement.peer()).isDistlock() && (overlaps || losses);
    }

    private void run() {
        for (Scenario scenario : options.scenarios(oneWayMicros)) {
            for (Deployment deployment : options.deployments(oneWayMicros)) {
                int before = made.size();
                for (int size : scenario.sizes(options.most())) {
                    try {
                        run(scenario, deployment, size);
                    } catch (RuntimeException e) {
                        failures++;
                        System.out.println(scenario + " " + deployment + " " + size + " failed: " + e);
                    }
                    servers.clear(deployment);
                }
                if (made.size() > before) {
                    System.out.println(new Report(made.subList(before, made.size())).text());
                }
            }
        }
    }

    private void run(Scenario scenario, Deployment deployment, int size) {
        switch (scenario.kind()) {
            case RATE, HANDOFF, CLIENTS -> runRounds(scenario, deployment, size);
            case FAULTS ->
                runOnce(scenario, deployment, size, 1, contender -> {
                    return contender.acquireDuringFaults(scenario, SHORT_LEASE);
                });
            case HOLDS ->
                runOnce(scenario, deployment, size, 1, contender -> {
                    return contender.hold(
                            size, Math.min(HOLDS_SETTLE_MILLIS, options.settleMillis()), options.idleMillis());
                });
            case WAITERS ->
                runOnce(scenario, deployment, size, Math.min(size, WAITING_CLIENTS), contender -> {
                    return contender.await(size, options.settleMillis(), options.idleMillis());
                });
        }
    }

    private void runRounds(Scenario scenario, Deployment deployment, int size) {
        int jvms = size == 0 ? scenario.jvms() : Math.min(size, scenario.jvms());
        int clients = Math.max(1, size / jvms);
        int threads = clients * scenario.threads();
        List<Contender> contenders = new ArrayList<>();
        try {
            for (Peer peer : options.peers(scenario, deployment, oneWayMicros)) {
                Contender contender = new Contender(peer, jvms, clients, servers, servers.addresses(), flag);
                contenders.add(contender);
                Map<String, Double> cold = contender.warmUp(scenario, threads, options.millis(), options.warmUps());
                add(scenario, size, peer, Measurement.COLD, cold);
            }
            for (int round = 0; round < options.rounds(); round++) {
                Collections.shuffle(contenders, new Random(round));
                for (Contender each : contenders) {
                    add(scenario, size, each.peer(), round, each.measure(scenario, threads, options.millis()));
                }
            }
        } finally {
            contenders.forEach(Contender::close);
        }
    }

    /** Measures one peer after the other: small costs are visible only if nothing else runs. */
    private void runOnce(
            Scenario scenario,
            Deployment deployment,
            int size,
            int clients,
            Function<Contender, Map<String, Double>> measurement) {
        boolean faults = scenario.kind() == Scenario.Kind.FAULTS;
        Servers addresses = faults ? servers.addresses().withLease(SHORT_LEASE) : servers.addresses();
        for (Peer peer : options.peers(scenario, deployment, oneWayMicros)) {
            boolean waiting = scenario.kind() == Scenario.Kind.WAITERS;
            if (waiting && size > MOST_WAITING_THREADS && !peer.isDistlock()) {
                continue;
            }
            try (Contender contender = new Contender(peer, scenario.jvms(), clients, servers, addresses, flag)) {
                add(scenario, size, peer, 0, measurement.apply(contender));
            }
            servers.clear(deployment);
        }
    }

    private void add(Scenario scenario, int size, Peer peer, int round, Map<String, Double> figures) {
        // Costs for an acquire, if there was none.
        figures.values().removeIf(figure -> !Double.isFinite(figure));
        Measurement measurement = new Measurement(
                scenario.name(),
                peer.deployment().name(),
                oneWayMicros,
                size,
                peer.name(),
                round,
                options.millis(),
                figures,
                Environment.read(servers.version(peer.deployment())));
        made.add(measurement);
        measurement.append(options.out());
    }
}

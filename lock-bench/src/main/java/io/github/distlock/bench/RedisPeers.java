package io.github.distlock.bench;

import io.github.distlock.bench.RedisLoad.Reading;
import io.github.distlock.bench.RedisPeer.Deployment;
import io.github.distlock.bench.RedisPeer.Servers;
import io.github.distlock.bench.RedisPeerProgram.Result;
import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.RedisCluster;
import io.github.distlock.tests.servers.RedisSentinels;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.RedisServers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * Measures exclusive locks on Redis beside those of other libraries and beside floors, for each deployment: a free lock
 * of one thread, 16 threads with a lock each, 16 threads of one JVM with one lock, and four JVMs of four threads with
 * one lock. Critical sections are empty, and are checked to exclude each other.
 *
 * <p>Each peer has JVMs of its own. They warm up until their rate has stopped to rise, and then the peers alternate in
 * an order that changes with each round, so that noise affects all of them. The program prints medians of the rounds.
 * The ratio is that to the floor of the deployment, the median of the ratios of each round, with the least and the
 * greatest of them. A wait is the time of one acquire. Commands are those of {@code INFO commandstats}, the ones in
 * scripts included, of all servers that keep data. Costs are per acquire with its release, in microseconds of CPU time.
 * The index is Jain's, of how many acquires each thread had: 1 if all had as many.
 *
 * <p>The servers must be processes: {@code -Dlock.servers=processes}. Arguments: rounds (7), milliseconds per figure
 * (1000), a part of the names of the scenarios (all), deployments ({@code STANDALONE,SENTINEL,CLUSTER,THREE,FIVE}).
 */
public final class RedisPeers implements AutoCloseable {
    private static final List<String> JVM_OPTIONS = List.of("-XX:TieredStopAtLevel=4", "-Xmx512m");
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final double STILL_RISING = 1.03;
    private static final int MOST_WARM_UPS = 15;

    private final RedisServer single = RedisServer.start();
    private final RedisSentinels sentinels = RedisSentinels.start(1, 3, Duration.ofSeconds(5));
    private final RedisCluster cluster = RedisCluster.start(3, 0, Duration.ofSeconds(5));
    private final RedisServers independent = RedisServers.start(5);
    private final Path flag;
    private final int rounds;
    private final long millis;

    private RedisPeers(int rounds, long millis) throws IOException {
        this.rounds = rounds;
        this.millis = millis;
        this.flag = Files.write(Files.createTempFile("held", null), new byte[Integer.BYTES]);
    }

    private List<RedisServer> serversOf(Deployment deployment) {
        return switch (deployment) {
            case STANDALONE -> List.of(single);
            case SENTINEL -> sentinels.servers();
            case CLUSTER -> cluster.members();
            case THREE -> independent.members().subList(0, 3);
            case FIVE -> independent.members();
        };
    }

    private enum Scenario {
        ONE_THREAD("one thread, a free lock", true, 1, 1),
        OWN_LOCKS("16 threads, a free lock each", true, 1, 16),
        ONE_JVM("16 threads of one JVM, one lock", false, 1, 16),
        FOUR_JVMS("4 JVMs of 4 threads, one lock", false, 4, 4);

        private final String title;
        private final boolean own;
        private final int jvms;
        private final int threads;

        Scenario(String title, boolean own, int jvms, int threads) {
            this.title = title;
            this.own = own;
            this.jvms = jvms;
            this.threads = threads;
        }

        private boolean suits(RedisPeer peer) {
            return peer != (own ? RedisPeer.BATON : RedisPeer.SOCKET);
        }
    }

    /** A figure of one round. Times are in microseconds. */
    private record Cost(
            double perSecond,
            double usualWait,
            double longWait,
            double longestWait,
            double commands,
            double serverCpu,
            double clientCpu,
            double index,
            long overlaps) {}

    /** The JVMs of one peer. */
    private final class Contender implements AutoCloseable {
        private final RedisPeer peer;
        private final Scenario scenario;
        private final RedisLoad load;
        private final List<ChildProgram> programs = new ArrayList<>();
        private final List<Cost> costs = new ArrayList<>();

        private Contender(RedisPeer peer, Scenario scenario, Servers servers) {
            this.peer = peer;
            this.scenario = scenario;
            this.load = new RedisLoad(serversOf(peer.deployment()));
            List<String> arguments = new ArrayList<>(List.of(peer.name(), flag.toString()));
            arguments.addAll(servers.arguments());
            for (int i = 0; i < scenario.jvms; i++) {
                programs.add(ChildProgram.start(JVM_OPTIONS, RedisPeerProgram.class, arguments.toArray(new String[0])));
            }
        }

        private void warmUp() {
            double before = 0;
            double now = measure().perSecond();
            for (int i = 0; i < MOST_WARM_UPS && now > before * STILL_RISING; i++) {
                before = now;
                now = measure().perSecond();
            }
        }

        private Cost measure() {
            Reading before = load.read();
            String line = (scenario.own ? "own" : "one") + " " + scenario.threads + " " + millis;
            programs.forEach(program -> program.send(line));
            Waits waits = new Waits();
            List<Long> acquires = new ArrayList<>();
            double perSecond = 0;
            double clientSeconds = 0;
            long overlaps = 0;
            for (ChildProgram program : programs) {
                Result result = Result.parse(program.nextLine(PATIENCE));
                waits.add(result.waits());
                acquires.addAll(result.acquires());
                perSecond += result.waits().count() / result.seconds();
                clientSeconds += result.cpuSeconds();
                overlaps += result.overlaps();
            }
            Reading spent = load.read().since(before);
            double all = waits.count();
            return new Cost(
                    perSecond,
                    waits.micros(0.5),
                    waits.micros(0.99),
                    waits.micros(1),
                    spent.commands() / all,
                    spent.cpuSeconds() * 1e6 / all,
                    clientSeconds * 1e6 / all,
                    jain(acquires),
                    overlaps);
        }

        @Override
        public void close() {
            programs.forEach(ChildProgram::close);
            load.close();
        }
    }

    /**
     * Runs the benchmark and prints its figures.
     *
     * @param args see the class comment
     * @throws IOException if the flag of the holders cannot be written
     */
    public static void main(String[] args) throws IOException {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 7;
        long millis = args.length > 1 ? Long.parseLong(args[1]) : 1000;
        String part = args.length > 2 ? args[2] : "";
        List<Deployment> deployments = args.length > 3
                ? Stream.of(args[3].split(",", -1)).map(Deployment::valueOf).toList()
                : List.of(Deployment.values());
        try (RedisPeers benchmark = new RedisPeers(rounds, millis)) {
            System.out.printf(
                    "Redis %s, JDK %s, medians of %d rounds of %d ms%n",
                    benchmark.single.version(), Runtime.version().feature(), rounds, millis);
            for (Scenario scenario : Scenario.values()) {
                if (scenario.title.contains(part)) {
                    deployments.forEach(deployment -> benchmark.run(scenario, deployment));
                }
            }
        }
    }

    private void run(Scenario scenario, Deployment deployment) {
        Servers servers = new Servers(
                single.uri(),
                sentinels.uri(),
                cluster.uri(),
                independent.members().stream().map(RedisServer::uri).toList());
        List<Contender> contenders = new ArrayList<>();
        try {
            for (RedisPeer peer : RedisPeer.values()) {
                if (peer.deployment() == deployment && scenario.suits(peer)) {
                    Contender contender = new Contender(peer, scenario, servers);
                    contenders.add(contender);
                    contender.warmUp();
                }
            }
            List<Contender> order = new ArrayList<>(contenders);
            for (int round = 0; round < rounds; round++) {
                Collections.shuffle(order, new Random(round));
                order.forEach(each -> each.costs.add(each.measure()));
            }
            print(scenario, deployment, contenders);
        } finally {
            contenders.forEach(Contender::close);
        }
    }

    private static double jain(List<Long> acquires) {
        double sum = acquires.stream().mapToLong(Long::longValue).sum();
        double squares =
                acquires.stream().mapToDouble(each -> (double) each * each).sum();
        return sum * sum / (acquires.size() * squares);
    }

    private static void print(Scenario scenario, Deployment deployment, List<Contender> contenders) {
        RedisPeer floorPeer = deployment.floor(!scenario.own);
        List<Cost> floor = contenders.stream()
                .filter(each -> each.peer == floorPeer)
                .findAny()
                .orElseThrow()
                .costs;
        System.out.printf("%n%s, %s%n", scenario.title, deployment.title());
        System.out.printf(
                "%-32s %10s %21s %9s %9s %11s %9s %8s %8s %6s %9s%n",
                "",
                "per second",
                "x " + floorPeer.title().split(" ", -1)[0] + " (spread)",
                "p50, us",
                "p99, us",
                "longest, us",
                "commands",
                "server",
                "client",
                "Jain",
                "overlaps");
        for (Contender each : contenders) {
            double[] ratios = new double[floor.size()];
            Arrays.setAll(
                    ratios, i -> each.costs.get(i).perSecond() / floor.get(i).perSecond());
            Arrays.sort(ratios);
            System.out.printf(
                    "%-32s %,10.0f %7.3f (%5.3f-%5.3f) %,9.0f %,9.0f %,11.0f %9.1f %8.1f %8.1f %6.3f %9d%n",
                    each.peer.title(),
                    median(each, Cost::perSecond),
                    ratios[ratios.length / 2],
                    ratios[0],
                    ratios[ratios.length - 1],
                    median(each, Cost::usualWait),
                    median(each, Cost::longWait),
                    median(each, Cost::longestWait),
                    median(each, Cost::commands),
                    median(each, Cost::serverCpu),
                    median(each, Cost::clientCpu),
                    median(each, Cost::index),
                    each.costs.stream().mapToLong(Cost::overlaps).sum());
        }
    }

    private static double median(Contender contender, ToDoubleFunction<Cost> figure) {
        double[] sorted = contender.costs.stream().mapToDouble(figure).sorted().toArray();
        return sorted[sorted.length / 2];
    }

    @Override
    public void close() throws IOException {
        independent.close();
        cluster.close();
        sentinels.close();
        single.close();
        Files.delete(flag);
    }
}

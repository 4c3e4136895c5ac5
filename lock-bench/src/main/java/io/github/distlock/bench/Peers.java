package io.github.distlock.bench;

import io.github.distlock.bench.Peer.Deployment;
import io.github.distlock.bench.Peer.Servers;
import io.github.distlock.bench.PeerProgram.Result;
import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.RedisCluster;
import io.github.distlock.tests.servers.RedisSentinels;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.RedisServers;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * Measures exclusive locks beside those of other libraries and beside floors, for each deployment: a free lock of one
 * thread, 16 threads with a lock each, 16 threads of one JVM with one lock, four JVMs of four threads with one lock,
 * and handoffs between two JVMs. Critical sections are empty, and are checked to exclude each other. The wait of a
 * handoff begins with the call of the release.
 *
 * <p>Each peer has JVMs of its own. They warm up until their rate stops rising. Then the peers take turns, in an order
 * that changes with each round, so that noise affects all of them. The program prints medians of the rounds. The ratio
 * compares a peer with the floor of the deployment: it is the median of the ratios of all rounds, with the least and
 * the greatest of them. A wait is the time of one acquire. Commands are those of Redis's {@code INFO commandstats},
 * including those in scripts, of all servers that keep data, or the packets that ZooKeeper received. Costs are per
 * acquire with its release, in microseconds of CPU time. The index is Jain's, of how many acquires each thread had: 1
 * if all had the same number.
 *
 * <p>The servers must be processes: {@code -Dlock.servers=processes}. Arguments: rounds (7), milliseconds per figure
 * (1000), a part of the names of the scenarios (all), deployments (all: {@link Deployment}), milliseconds by which the
 * replies of ZooKeeper are late (0).
 */
public final class Peers implements AutoCloseable {
    private static final List<String> JVM_OPTIONS = List.of("-XX:TieredStopAtLevel=4", "-Xmx512m");
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final double STILL_RISING = 1.03;
    private static final int MOST_WARM_UPS = 15;
    /** How long a waiter has waited when the lock is handed to it. */
    private static final long WAIT_MILLIS = 10;

    private final RedisServer single = RedisServer.start();
    private final RedisSentinels sentinels = RedisSentinels.start(1, 3, Duration.ofSeconds(5));
    private final RedisCluster cluster = RedisCluster.start(3, 0, Duration.ofSeconds(5));
    private final RedisServers independent = RedisServers.start(5);
    private final ZooKeeperServer zooKeeper = ZooKeeperServer.start(
            ZooKeeperSettings.defaults().tickTime(Duration.ofSeconds(2)).with("forceSync", "yes"));
    private final FaultProxy zooKeeperLink = FaultProxy.to(zooKeeper);
    private final ZooKeeperLoad zooKeeperLoad = new ZooKeeperLoad(zooKeeper);
    private final Map<Deployment, RedisLoad> loads = new EnumMap<>(Deployment.class);
    private final Path flag;
    private final int rounds;
    private final long millis;
    private final long late;

    private Peers(int rounds, long millis, long late) throws IOException {
        this.rounds = rounds;
        this.millis = millis;
        this.late = late;
        zooKeeperLink.delayReplies(Duration.ofMillis(late));
        this.flag = Files.write(Files.createTempFile("held", null), new byte[Integer.BYTES]);
    }

    private List<RedisServer> serversOf(Deployment deployment) {
        return switch (deployment) {
            case STANDALONE -> List.of(single);
            case SENTINEL -> sentinels.servers();
            case CLUSTER -> cluster.members();
            case THREE -> independent.members().subList(0, 3);
            case FIVE -> independent.members();
            case ZOOKEEPER -> List.of();
        };
    }

    /** Reads what the servers of a deployment have done so far. */
    private Spent spent(Deployment deployment) {
        if (deployment == Deployment.ZOOKEEPER) {
            ZooKeeperLoad.Reading read = zooKeeperLoad.read();
            return new Spent(read.requests(), read.cpuNanos() / 1e9);
        }
        RedisLoad load = loads.computeIfAbsent(deployment, any -> new RedisLoad(serversOf(deployment)));
        RedisLoad.Reading read = load.read();
        return new Spent(read.commands(), read.cpuSeconds());
    }

    private record Spent(double commands, double cpuSeconds) {
        private Spent since(Spent before) {
            return new Spent(commands - before.commands, cpuSeconds - before.cpuSeconds);
        }
    }

    private enum Scenario {
        ONE_THREAD("one thread, a free lock", true, 1, 1),
        OWN_LOCKS("16 threads, a free lock each", true, 1, 16),
        ONE_JVM("16 threads of one JVM, one lock", false, 1, 16),
        FOUR_JVMS("4 JVMs of 4 threads, one lock", false, 4, 4),
        HANDOFF("handoff between two JVMs", false, 2, 1);

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

        private boolean suits(Peer peer) {
            return switch (peer) {
                case SOCKET, NODE -> own;
                case BATON, CHAIN -> !own;
                default -> true;
            };
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
        private final Peer peer;
        private final Scenario scenario;
        private final List<ChildProgram> programs = new ArrayList<>();
        private final List<Cost> costs = new ArrayList<>();

        private Contender(Peer peer, Scenario scenario, Servers servers) {
            this.peer = peer;
            this.scenario = scenario;
            List<String> arguments = new ArrayList<>(List.of(peer.name(), flag.toString()));
            arguments.addAll(servers.arguments());
            for (int i = 0; i < scenario.jvms; i++) {
                programs.add(ChildProgram.start(JVM_OPTIONS, PeerProgram.class, arguments.toArray(new String[0])));
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
            return scenario == Scenario.HANDOFF ? measureHandoffs() : measureAcquires();
        }

        private Cost measureAcquires() {
            Spent before = spent(peer.deployment());
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
            Spent spent = spent(peer.deployment()).since(before);
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

        /** Has two programs hand the lock back and forth. The next holder has waited for some time each time. */
        private Cost measureHandoffs() {
            Spent before = spent(peer.deployment());
            ChildProgram holder = programs.get(0);
            ChildProgram waiter = programs.get(1);
            Waits waits = new Waits();
            holder.send("acquire");
            var unused = holder.nextLine(PATIENCE);
            for (long i = 0; i < millis / WAIT_MILLIS; i++) {
                waiter.send("acquire");
                pause();
                holder.send("release");
                long released = Long.parseLong(holder.nextLine(PATIENCE));
                waits.add(Long.parseLong(waiter.nextLine(PATIENCE)) - released);
                ChildProgram former = holder;
                holder = waiter;
                waiter = former;
            }
            holder.send("release");
            unused = holder.nextLine(PATIENCE);
            Spent spent = spent(peer.deployment()).since(before);
            double all = waits.count();
            return new Cost(
                    1e6 / waits.micros(0.5),
                    waits.micros(0.5),
                    waits.micros(0.99),
                    waits.micros(1),
                    spent.commands() / all,
                    spent.cpuSeconds() * 1e6 / all,
                    0,
                    1,
                    0);
        }

        private static void pause() {
            try {
                Thread.sleep(WAIT_MILLIS);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void close() {
            programs.forEach(ChildProgram::close);
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
        long late = args.length > 4 ? Long.parseLong(args[4]) : 0;
        try (Peers benchmark = new Peers(rounds, millis, late)) {
            System.out.printf(
                    "Redis %s, ZooKeeper %s, JDK %s, medians of %d rounds of %d ms%n",
                    benchmark.single.version(),
                    benchmark.zooKeeper.version(),
                    Runtime.version().feature(),
                    rounds,
                    millis);
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
                independent.members().stream().map(RedisServer::uri).toList(),
                late > 0 ? zooKeeperLink.address() : zooKeeper.connectString());
        List<Contender> contenders = new ArrayList<>();
        try {
            for (Peer peer : Peer.values()) {
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
        Peer floorPeer = deployment.floor(!scenario.own);
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
        loads.values().forEach(RedisLoad::close);
        zooKeeperLink.close();
        zooKeeper.close();
        independent.close();
        cluster.close();
        sentinels.close();
        single.close();
        Files.delete(flag);
    }
}

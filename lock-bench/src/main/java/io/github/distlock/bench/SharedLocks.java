package io.github.distlock.bench;

import io.github.distlock.bench.SharedProgram.Acquires;
import io.github.distlock.bench.SharedProgram.Result;
import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.ToDoubleFunction;

/**
 * Measures read-write locks and semaphores beside Redisson's and Curator's: 16 threads in one JVM, and four in each of
 * four JVMs, acquire and release the same lock as fast as they can.
 *
 * <p>A wait is the time of one acquire. Commands are those of Redis's {@code INFO commandstats}, the ones in scripts
 * included, or the packets that ZooKeeper received. CPU time is the one of the client JVMs. Costs are per acquire with
 * its release. The libraries alternate in an order that changes with each round, so that noise affects all of them. The
 * program prints medians of the rounds. The last column is distlock's rate on the same store divided by the line's.
 *
 * <p>The servers must be processes: {@code -Dlock.servers=processes}. Arguments: rounds (5), milliseconds per figure
 * (1000), a part of the names of the works to run (all).
 */
public final class SharedLocks implements AutoCloseable {
    private static final int THREADS = 16;
    private static final List<Integer> JVMS = List.of(1, 4);
    private static final List<String> JVM_OPTIONS = List.of("-XX:TieredStopAtLevel=4", "-Xmx512m");
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final RedisServer redis = RedisServer.start();
    private final RedisLoad redisLoad = new RedisLoad(List.of(redis));
    private final ZooKeeperServer zooKeeper =
            ZooKeeperServer.start(ZooKeeperSettings.defaults().tickTime(Duration.ofSeconds(2)));
    private final ZooKeeperLoad zooKeeperLoad = new ZooKeeperLoad(zooKeeper);
    private final List<ChildProgram> programs = new ArrayList<>();
    private final int rounds;
    private final long millis;

    private SharedLocks(int rounds, long millis) {
        this.rounds = rounds;
        this.millis = millis;
        for (int i = 0; i < Collections.max(JVMS); i++) {
            programs.add(ChildProgram.start(JVM_OPTIONS, SharedProgram.class, redis.uri(), zooKeeper.connectString()));
        }
    }

    /** A figure of one round. Times are in microseconds. */
    private record Cost(
            double perSecond, double usualWait, double longWait, double writersWait, double commands, double cpu) {}

    /**
     * Runs the benchmark and prints its figures.
     *
     * @param args see the class comment
     */
    public static void main(String[] args) {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 5;
        long millis = args.length > 1 ? Long.parseLong(args[1]) : 1000;
        String part = args.length > 2 ? args[2] : "";
        try (SharedLocks benchmark = new SharedLocks(rounds, millis)) {
            System.out.printf(
                    "Redis %s, ZooKeeper %s, medians of %d rounds of %d ms%n",
                    benchmark.redis.version(), benchmark.zooKeeper.version(), rounds, millis);
            for (SharedWork work : SharedWork.values()) {
                if (work.title().contains(part)) {
                    JVMS.forEach(jvms -> benchmark.run(work, jvms));
                }
            }
        }
    }

    private void run(SharedWork work, int jvms) {
        List<SharedLibrary> libraries = new ArrayList<>(
                Arrays.stream(SharedLibrary.values()).filter(work::suits).toList());
        Map<SharedLibrary, List<Cost>> costs = new EnumMap<>(SharedLibrary.class);
        for (int round = -1; round < rounds; round++) {
            Collections.shuffle(libraries, new Random(round));
            for (SharedLibrary library : libraries) {
                Cost cost = measure(library, work, jvms);
                if (round >= 0) {
                    costs.computeIfAbsent(library, none -> new ArrayList<>()).add(cost);
                }
            }
        }
        print(work, jvms, costs);
    }

    private Cost measure(SharedLibrary library, SharedWork work, int jvms) {
        double commands = commands(library);
        List<ChildProgram> used = programs.subList(0, jvms);
        used.forEach(program -> program.send(library + " " + work + " " + THREADS / jvms + " " + millis));
        Acquires made = new Acquires();
        double perSecond = 0;
        double cpuSeconds = 0;
        for (ChildProgram program : used) {
            Result result = Result.parse(program.nextLine(PATIENCE));
            made.add(result.acquires());
            perSecond += result.acquires().all().count() / result.seconds();
            cpuSeconds += result.cpuSeconds();
        }
        double acquires = made.all().count();
        return new Cost(
                perSecond,
                made.all().micros(0.5),
                made.all().micros(0.99),
                made.writers().micros(0.99),
                (commands(library) - commands) / acquires,
                cpuSeconds * 1e6 / acquires);
    }

    private double commands(SharedLibrary library) {
        return library.isOnRedis()
                ? redisLoad.read().commands()
                : zooKeeperLoad.read().requests();
    }

    private static void print(SharedWork work, int jvms, Map<SharedLibrary, List<Cost>> costs) {
        System.out.printf("%n%s, %d JVM%s with %d threads%n", work.title(), jvms, jvms == 1 ? "" : "s", THREADS / jvms);
        System.out.printf(
                "%-30s %11s %12s %12s %14s %10s %11s %13s%n",
                "", "per second", "wait, us", "99 %, us", "writers' 99 %", "commands", "client, us", "distlock/it");
        costs.forEach((library, found) -> System.out.printf(
                "%-30s %,11.0f %,12.1f %,12.1f %14s %10.3f %11.2f %13.2f%n",
                library.title(),
                median(found, Cost::perSecond),
                median(found, Cost::usualWait),
                median(found, Cost::longWait),
                work.hasWriters() ? String.format("%,.1f", median(found, Cost::writersWait)) : "",
                median(found, Cost::commands),
                median(found, Cost::cpu),
                ratio(costs.getOrDefault(library.distlock(), found), found)));
    }

    private static double median(List<Cost> costs, ToDoubleFunction<Cost> figure) {
        return median(costs.stream().mapToDouble(figure).toArray());
    }

    private static double ratio(List<Cost> distlock, List<Cost> peer) {
        double[] ratios = new double[peer.size()];
        Arrays.setAll(
                ratios,
                round -> distlock.get(round).perSecond() / peer.get(round).perSecond());
        return median(ratios);
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        return values[values.length / 2];
    }

    @Override
    public void close() {
        programs.forEach(ChildProgram::close);
        redisLoad.close();
        zooKeeper.close();
        redis.close();
    }
}

package io.github.distlock.bench;

import io.github.distlock.LockClient;
import io.github.distlock.LockOptions;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.tests.servers.RedisServer;
import java.lang.ProcessHandle.Info;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.params.SetParams;

/**
 * Measures what an uncontended acquire and release cost on Redis: commands and CPU time of the server, and CPU time of
 * this process.
 *
 * <p>The floor is the pattern of Redis's documentation over Jedis: {@code SET NX PX}, and a script that compares and
 * deletes. Each thread uses a lock of its own. The pool of the client has as many connections as there are threads, and
 * two more. The contenders alternate round by round, so that noise affects all of them. The program prints medians.
 * Arguments: rounds (9), milliseconds per round (1000), threads (1).
 */
public final class RedisCycle {
    private static final String COMPARE_AND_DELETE =
            "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";
    private static final SetParams FOR_THIRTY_SECONDS =
            SetParams.setParams().nx().px(30_000);

    private final RedisClient admin;
    private final long nanos;
    private final int threads;

    private RedisCycle(RedisClient admin, long millis, int threads) {
        this.admin = admin;
        this.nanos = Duration.ofMillis(millis).toNanos();
        this.threads = threads;
    }

    private interface Cycle {
        void run(String name) throws InterruptedException;
    }

    /** The cost of one cycle. Times are in microseconds. */
    private record Cost(double perSecond, double commands, double serverCpu, double clientCpu) {}

    /**
     * Runs the benchmark and prints its figures.
     *
     * @param args see the class comment
     * @throws InterruptedException if the benchmark is interrupted
     */
    public static void main(String[] args) throws InterruptedException {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 9;
        long millis = args.length > 1 ? Long.parseLong(args[1]) : 1000;
        int threads = args.length > 2 ? Integer.parseInt(args[2]) : 1;
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(threads + 2);
        pool.setMaxIdle(threads + 2);
        try (RedisServer server = RedisServer.start();
                RedisClient plain = RedisClient.builder()
                        .hostAndPort(server.host(), server.port())
                        .poolConfig(pool)
                        .build();
                LockClient locks = LockClient.create(RedisBackend.connect(server.uri()));
                LockClient supplied = LockClient.create(RedisBackend.of(plain))) {
            String script = plain.scriptLoad(COMPARE_AND_DELETE);
            Map<String, Cycle> contenders = new LinkedHashMap<>();
            contenders.put("plain pattern on Jedis (floor)", name -> plainCycle(plain, script, "plain:" + name));
            contenders.put("distlock", name -> locks.lock(name).acquire().close());
            contenders.put(
                    "distlock, fair",
                    name -> locks.lock("fair/" + name, LockOptions.defaults().fair())
                            .acquire()
                            .close());
            contenders.put(
                    "distlock, caller-supplied client",
                    name -> supplied.lock("supplied/" + name).acquire().close());
            System.out.println(
                    "Redis " + server.version() + ", " + threads + " threads, medians of " + rounds + " rounds");
            new RedisCycle(plain, millis, threads).run(contenders, rounds);
        }
    }

    private static void plainCycle(RedisClient plain, String script, String key) {
        String value = UUID.randomUUID().toString();
        if (plain.set(key, value, FOR_THIRTY_SECONDS) == null
                || !plain.evalsha(script, List.of(key), List.of(value)).equals(1L)) {
            throw new IllegalStateException("the lock of one thread was busy");
        }
    }

    private void run(Map<String, Cycle> contenders, int rounds) throws InterruptedException {
        Map<String, List<Cost>> costs = new LinkedHashMap<>();
        for (int round = -1; round < rounds; round++) {
            for (Map.Entry<String, Cycle> contender : contenders.entrySet()) {
                Cost cost = measure(contender.getValue());
                if (round >= 0) {
                    costs.computeIfAbsent(contender.getKey(), name -> new ArrayList<>())
                            .add(cost);
                }
            }
        }
        System.out.printf(
                "%-34s %9s %9s %12s %8s %12s %8s%n",
                "", "cycles/s", "commands", "server, us", "x floor", "client, us", "x floor");
        List<Cost> floor = costs.values().iterator().next();
        costs.forEach((name, found) -> System.out.printf(
                "%-34s %,9.0f %9.1f %12.1f %8.2f %12.1f %8.2f%n",
                name,
                median(found, Cost::perSecond),
                median(found, Cost::commands),
                median(found, Cost::serverCpu),
                median(found, Cost::serverCpu) / median(floor, Cost::serverCpu),
                median(found, Cost::clientCpu),
                median(found, Cost::clientCpu) / median(floor, Cost::clientCpu)));
    }

    private Cost measure(Cycle cycle) throws InterruptedException {
        double commands = sum("commandstats", "cmdstat_\\S+:calls=(\\d+)");
        double server = sum("cpu", "used_cpu_(?:user|sys):([\\d.]+)");
        double client = processCpuSeconds();
        long begun = System.nanoTime();
        long cycles = runAll(cycle, begun);
        double seconds = (System.nanoTime() - begun) / 1e9;
        double clientCpu = processCpuSeconds() - client;
        double serverCpu = sum("cpu", "used_cpu_(?:user|sys):([\\d.]+)") - server;
        double ran = sum("commandstats", "cmdstat_\\S+:calls=(\\d+)") - commands - 3;
        return new Cost(cycles / seconds, ran / cycles, serverCpu * 1e6 / cycles, clientCpu * 1e6 / cycles);
    }

    /** Runs cycles on all threads until the time of a round is over. Returns how many were run. */
    private long runAll(Cycle cycle, long begun) throws InterruptedException {
        List<FutureTask<Long>> tasks = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            String name = "cycle" + i;
            FutureTask<Long> task = new FutureTask<>(() -> {
                long cycles = 0;
                while (System.nanoTime() - begun < nanos) {
                    cycle.run(name);
                    cycles++;
                }
                return cycles;
            });
            tasks.add(task);
            new Thread(task, name).start();
        }
        long cycles = 0;
        for (FutureTask<Long> task : tasks) {
            try {
                cycles += task.get();
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause());
            }
        }
        return cycles;
    }

    private double sum(String section, String pattern) {
        Matcher numbers = Pattern.compile(pattern).matcher(admin.info(section));
        double sum = 0;
        while (numbers.find()) {
            sum += Double.parseDouble(numbers.group(1));
        }
        return sum;
    }

    private static double processCpuSeconds() {
        Info info = ProcessHandle.current().info();
        return info.totalCpuDuration().map(Duration::toNanos).orElse(0L) / 1e9;
    }

    private static double median(List<Cost> costs, ToDoubleFunction<Cost> figure) {
        double[] sorted = costs.stream().mapToDouble(figure).sorted().toArray();
        return sorted[sorted.length / 2];
    }
}

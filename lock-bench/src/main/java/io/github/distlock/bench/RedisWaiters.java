package io.github.distlock.bench;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.bench.RedisLoad.Reading;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.tests.servers.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import java.util.stream.IntStream;
import redis.clients.jedis.RedisClient;

/**
 * Measures what waiting costs on Redis: very many fair waiters for one name, and one waiter for each of as many names.
 * For each, the program prints CPU time of the server and of this process as a share of one core, scripts per second,
 * and the longest script. Then a holder releases a lock behind which as many dead queue entries precede one waiter.
 * Arguments: waiters (10000), clients (20), seconds of each measurement (30).
 */
public final class RedisWaiters {
    /** Each waiter has asked twice by then, and knows how far it is from the head of its queue. */
    private static final Duration TO_QUEUE = Duration.ofSeconds(70);

    private static final int BATCH = 1_000;
    /** Within the time of the program. */
    private static final LockOptions WITHOUT_RENEWALS = LockOptions.defaults().renewedLease(Duration.ofHours(1));

    private final RedisServer server;
    private final RedisClient admin;
    private final RedisLoad load;
    private final SlowScripts slow;
    private final int waiters;
    private final int clients;
    private final Duration time;

    private RedisWaiters(
            RedisServer server, RedisClient admin, RedisLoad load, int waiters, int clients, Duration time) {
        this.server = server;
        this.admin = admin;
        this.load = load;
        this.slow = new SlowScripts(admin);
        this.waiters = waiters;
        this.clients = clients;
        this.time = time;
    }

    /**
     * Runs the program and prints its figures.
     *
     * @param args see the class comment
     * @throws Exception if the program fails
     */
    public static void main(String[] args) throws Exception {
        int waiters = args.length > 0 ? Integer.parseInt(args[0]) : 10_000;
        int clients = args.length > 1 ? Integer.parseInt(args[1]) : 20;
        Duration time = Duration.ofSeconds(args.length > 2 ? Long.parseLong(args[2]) : 30);
        try (RedisServer server = RedisServer.start();
                RedisClient admin = RedisClient.create(server.uri());
                RedisLoad load = new RedisLoad(List.of(server))) {
            RedisWaiters run = new RedisWaiters(server, admin, load, waiters, clients, time);
            System.out.printf("Redis %s, %,d waiters of %d clients%n", server.version(), waiters, clients);
            run.wait("one name", i -> "one");
            run.wait("a name for each", i -> "name" + i);
            run.releaseBeforeDeadEntries();
        }
    }

    private void wait(String what, Function<Integer, String> nameOf) throws InterruptedException {
        List<LockClient> open = new ArrayList<>();
        try (LockClient holder = LockClient.create(RedisBackend.connect(server.uri()))) {
            IntStream.range(0, waiters)
                    .mapToObj(nameOf::apply)
                    .distinct()
                    .forEach(name -> hold(holder.lock(name, WITHOUT_RENEWALS)));
            for (int i = 0; i < clients; i++) {
                open.add(LockClient.create(RedisBackend.connect(server.uri())));
            }
            LockOptions fair = LockOptions.defaults().fair();
            List<CompletableFuture<LockHandle>> waits = new ArrayList<>();
            for (int i = 0; i < waiters; i++) {
                waits.add(open.get(i % clients).lock(nameOf.apply(i), fair).acquireAsync());
            }
            Thread.sleep(TO_QUEUE.toMillis());
            measure(what);
            waits.forEach(wait -> wait.cancel(false));
            open.forEach(LockClient::close);
        }
        admin.flushAll();
    }

    private static void hold(DistributedLock lock) {
        try {
            var unused = lock.acquire();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void measure(String what) throws InterruptedException {
        slow.reset();
        Reading before = load.read();
        double clientCpu = ProcessCpu.seconds();
        long begun = System.nanoTime();
        Thread.sleep(time.toMillis());
        double seconds = (System.nanoTime() - begun) / 1e9;
        double clientShare = (ProcessCpu.seconds() - clientCpu) / seconds;
        Reading spent = load.read().since(before);
        System.out.printf(
                "%s: server %.2f %% of a core, this process %.2f %%, %,.0f scripts/s of %.1f us, longest %s us%n",
                what,
                spent.cpuSeconds() * 100 / seconds,
                clientShare * 100,
                spent.scripts() / seconds,
                spent.scriptMicros() / spent.scripts(),
                slow.longest());
    }

    private void releaseBeforeDeadEntries() throws InterruptedException, ExecutionException {
        String name = "dead";
        try (LockClient holder = LockClient.create(RedisBackend.connect(server.uri()));
                LockClient waiter = LockClient.create(RedisBackend.connect(server.uri()))) {
            DistributedLock lock = holder.lock(name);
            LockHandle held = lock.acquire();
            for (int from = 0; from < waiters; from += BATCH) {
                addDeadEntries(name, from, Math.min(waiters, from + BATCH));
            }
            CompletableFuture<LockHandle> wait = waiter.lock(name).acquireAsync();
            Thread.sleep(3_000);
            slow.reset();
            long begun = System.nanoTime();
            held.release();
            double release = (System.nanoTime() - begun) / 1e6;
            wait.get().release();
            double handoff = (System.nanoTime() - begun) / 1e6;
            System.out.printf(
                    "%,d dead entries: release %.1f ms, the waiter behind them acquires after %.1f ms,"
                            + " longest script %s us%n",
                    waiters, release, handoff, slow.longest());
        }
    }

    private void addDeadEntries(String name, int from, int to) {
        String keys = "distlock:{distlock:" + name + "}:";
        Map<String, Double> entries = new HashMap<>();
        for (int i = from; i < to; i++) {
            entries.put(
                    "1\tlock\t1\t" + UUID.randomUUID() + "\tdistlock:dead\t3000\thost\t1\tclient\tthread" + i, i + 1.0);
        }
        admin.zadd(keys + "queue", entries);
        entries.replaceAll((entry, score) -> 1.0);
        admin.zadd(keys + "alive", entries);
        admin.pexpire(keys + "queue", 60_000);
        admin.pexpire(keys + "alive", 60_000);
    }
}

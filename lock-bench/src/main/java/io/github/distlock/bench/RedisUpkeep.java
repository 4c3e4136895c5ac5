package io.github.distlock.bench;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.bench.RedisLoad.Reading;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.tests.servers.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import redis.clients.jedis.RedisClient;

/**
 * Measures what one idle client costs. The first client has renewed holds of many locks. It acquires them one after the
 * other within 10 s, and the program closes it after the measurement. The second client has fair waiters. They wait in
 * turn for some names that another client holds.
 *
 * <p>The program prints requests and commands per second; a script is one request. It prints the CPU time of the server
 * as a share of one core, the longest script, and CPU seconds of this process per minute. It also prints threads of the
 * client, and heap per hold or waiter.
 *
 * <p>Arguments: holds (5000), waiters (10000), names for which they wait (1), seconds of each measurement (54). The
 * last one is twice the time between two heartbeats of most waiters. A number of 0 leaves out a part.
 */
public final class RedisUpkeep {
    private static final Duration TO_SPREAD = Duration.ofSeconds(10);
    /** Each hold has been renewed twice by then. */
    private static final Duration TO_SETTLE = Duration.ofSeconds(20);
    /** Each waiter has asked twice by then, and knows how far it is from the head of its queue. */
    private static final Duration TO_QUEUE = Duration.ofSeconds(35);

    private final RedisServer server;
    private final RedisClient admin;
    private final RedisLoad load;
    private final SlowScripts slow;
    private final Duration time;

    private RedisUpkeep(RedisServer server, RedisClient admin, RedisLoad load, Duration time) {
        this.server = server;
        this.admin = admin;
        this.load = load;
        this.slow = new SlowScripts(admin);
        this.time = time;
    }

    /**
     * Runs the program and prints its figures.
     *
     * @param args see the class comment
     * @throws Exception if the program fails
     */
    public static void main(String[] args) throws Exception {
        int holds = args.length > 0 ? Integer.parseInt(args[0]) : 5_000;
        int waiters = args.length > 1 ? Integer.parseInt(args[1]) : 10_000;
        int names = args.length > 2 ? Integer.parseInt(args[2]) : 1;
        Duration time = Duration.ofSeconds(args.length > 3 ? Long.parseLong(args[3]) : 54);
        try (RedisServer server = RedisServer.start();
                RedisClient admin = RedisClient.create(server.uri());
                RedisLoad load = new RedisLoad(List.of(server))) {
            RedisUpkeep run = new RedisUpkeep(server, admin, load, time);
            System.out.printf("Redis %s%n", server.version());
            if (holds > 0) {
                run.hold(holds);
            }
            if (waiters > 0) {
                run.wait(waiters, names);
            }
        }
    }

    private void hold(int number) throws InterruptedException {
        LockClient client = LockClient.create(RedisBackend.connect(server.uri()));
        client.lock("warm").acquire().release();
        long heap = usedHeap();
        List<LockHandle> held = new ArrayList<>(number);
        long begun = System.nanoTime();
        for (int i = 0; i < number; i++) {
            held.add(client.lock("hold" + i).acquire());
            long early = begun + TO_SPREAD.toNanos() * i / number - System.nanoTime();
            if (early > 1_000_000) {
                Thread.sleep(early / 1_000_000);
            }
        }
        Thread.sleep(TO_SETTLE.toMillis());
        measure(String.format("%,d holds", number), number, heap);
        System.out.printf(
                "%,d of them are held%n",
                held.stream().filter(LockHandle::isHeld).count());
        long closing = System.nanoTime();
        client.close();
        System.out.printf(
                "closed after %.0f ms, %,d keys of locks are left%n", (System.nanoTime() - closing) / 1e6, lockKeys());
        admin.flushAll();
    }

    private long lockKeys() {
        return admin.keys("distlock:hold*").size();
    }

    private void wait(int number, int names) throws InterruptedException {
        LockOptions fair = LockOptions.defaults().fair();
        LockOptions withoutRenewals = LockOptions.defaults().renewedLease(Duration.ofHours(1));
        try (LockClient holder = LockClient.create(RedisBackend.connect(server.uri()));
                LockClient client = LockClient.create(RedisBackend.connect(server.uri()))) {
            List<LockHandle> held = new ArrayList<>(names);
            for (int i = 0; i < names; i++) {
                held.add(holder.lock("name" + i, withoutRenewals).acquire());
            }
            long heap = usedHeap();
            List<CompletableFuture<LockHandle>> waits = new ArrayList<>(number);
            for (int i = 0; i < number; i++) {
                waits.add(client.lock("name" + i % names, fair).acquireAsync());
            }
            Thread.sleep(TO_QUEUE.toMillis());
            measure(String.format("%,d waiters for %,d names", number, names), number, heap);
            System.out.printf(
                    "%,d of them wait%n",
                    waits.stream().filter(wait -> !wait.isDone()).count());
            waits.forEach(wait -> wait.cancel(false));
            held.forEach(LockHandle::close);
        }
        admin.flushAll();
    }

    private void measure(String what, int number, long heapBefore) throws InterruptedException {
        long heap = (usedHeap() - heapBefore) / number;
        slow.reset();
        Reading before = load.read();
        double clientCpu = ProcessCpu.seconds();
        long begun = System.nanoTime();
        int threads = 0;
        while (System.nanoTime() - begun < time.toNanos()) {
            threads = Math.max(threads, threads());
            Thread.sleep(250);
        }
        double seconds = (System.nanoTime() - begun) / 1e9;
        double client = ProcessCpu.seconds() - clientCpu;
        Reading spent = load.read().since(before);
        System.out.printf(
                "%s: %.1f requests/s of %.0f us, %,.0f commands/s, server %.2f %% of a core, longest script %s us;"
                        + " client %.2f CPU s a minute, at most %d threads, %,d bytes of heap for each%n",
                what,
                spent.scripts() / seconds,
                spent.scriptMicros() / spent.scripts(),
                spent.commands() / seconds,
                spent.cpuSeconds() * 100 / seconds,
                slow.longest(),
                client * 60 / seconds,
                threads,
                heap);
    }

    private static int threads() {
        Thread[] all = new Thread[1_000];
        int number = Thread.enumerate(all);
        return (int) Arrays.stream(all, 0, number)
                .filter(thread -> thread.getName().startsWith("distlock-"))
                .count();
    }

    private static long usedHeap() throws InterruptedException {
        Runtime jvm = Runtime.getRuntime();
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(100);
        }
        return jvm.totalMemory() - jvm.freeMemory();
    }
}

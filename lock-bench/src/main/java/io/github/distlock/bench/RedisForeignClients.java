package io.github.distlock.bench;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.redis.RedisBackendBuilder;
import io.github.distlock.tests.servers.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.params.SetParams;

/**
 * Lets clients of this library and foreign clients contend for one lock, and prints how many grants each side gets. A
 * foreign client is a loop of {@code SET NX PX}, and of a script that compares and deletes; it pauses after each
 * {@code SET} that finds the lock busy, as {@code Lock} of redis-py does. All hold the lock for some time, and ask for
 * it again at once. Arguments: clients of this library (2), foreign clients (1), pause in ms (100), hold in ms (2),
 * seconds (10), handoffs of {@code yieldToForeignClients} (0: the setting is off), its time in ms (150).
 */
public final class RedisForeignClients {
    private static final String NAME = "shared";

    private final String uri;
    private final Duration hold;
    private final long end;

    private RedisForeignClients(String uri, Duration hold, Duration time) {
        this.uri = uri;
        this.hold = hold;
        this.end = System.nanoTime() + time.toNanos();
    }

    /**
     * Runs the program and prints its figures.
     *
     * @param args see the class comment
     * @throws Exception if the program fails
     */
    public static void main(String[] args) throws Exception {
        int own = number(args, 0, 2);
        int foreign = number(args, 1, 1);
        Duration pause = Duration.ofMillis(number(args, 2, 100));
        Duration hold = Duration.ofMillis(number(args, 3, 2));
        Duration time = Duration.ofSeconds(number(args, 4, 10));
        int handoffs = number(args, 5, 0);
        Duration yield = Duration.ofMillis(number(args, 6, 150));
        ExecutorService threads = Executors.newCachedThreadPool();
        try (RedisServer server = RedisServer.start()) {
            RedisForeignClients run = new RedisForeignClients(server.uri(), hold, time);
            List<Future<Integer>> ours = start(threads, own, () -> run.acquire(handoffs, yield));
            List<Future<Integer>> theirs = start(threads, foreign, () -> run.poll(pause));
            System.out.printf(
                    "Redis %s, holds of %d ms, %d s: %d clients of this library %,d grants,"
                            + " %d foreign clients that poll each %d ms %,d grants%n",
                    server.version(),
                    hold.toMillis(),
                    time.toSeconds(),
                    own,
                    sum(ours),
                    foreign,
                    pause.toMillis(),
                    sum(theirs));
        } finally {
            threads.shutdownNow();
        }
    }

    private static int number(String[] args, int index, int standard) {
        return args.length > index ? Integer.parseInt(args[index]) : standard;
    }

    private static List<Future<Integer>> start(ExecutorService threads, int count, Callable<Integer> client) {
        List<Future<Integer>> started = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            started.add(threads.submit(client));
        }
        return started;
    }

    private static int sum(List<Future<Integer>> clients) throws ExecutionException, InterruptedException {
        int sum = 0;
        for (Future<Integer> each : clients) {
            sum += each.get();
        }
        return sum;
    }

    private boolean isOver() {
        return System.nanoTime() - end >= 0;
    }

    private int acquire(int handoffs, Duration yield) throws InterruptedException {
        RedisBackendBuilder builder = RedisBackend.builder(uri);
        if (handoffs > 0) {
            builder.yieldToForeignClients(handoffs, yield);
        }
        int grants = 0;
        try (LockClient locks = LockClient.create(builder.build())) {
            while (!isOver()) {
                try (LockHandle held = locks.lock(NAME).acquire()) {
                    Thread.sleep(hold.toMillis());
                    held.ensureHeld();
                    grants += isOver() ? 0 : 1;
                }
            }
        }
        return grants;
    }

    private int poll(Duration pause) throws InterruptedException {
        String key = "distlock:" + NAME;
        int grants = 0;
        try (RedisClient redis = RedisClient.create(uri)) {
            while (!isOver()) {
                String value = UUID.randomUUID().toString();
                if (redis.set(key, value, SetParams.setParams().nx().px(30_000)) == null) {
                    Thread.sleep(pause.toMillis());
                } else {
                    Thread.sleep(hold.toMillis());
                    redis.eval(PlainLocks.COMPARE_AND_DELETE, List.of(key), List.of(value));
                    grants += isOver() ? 0 : 1;
                }
            }
        }
        return grants;
    }
}

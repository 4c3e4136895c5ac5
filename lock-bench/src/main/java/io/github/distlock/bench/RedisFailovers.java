package io.github.distlock.bench;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.tests.servers.RedisCluster;
import io.github.distlock.tests.servers.RedisSentinels;
import io.github.distlock.tests.servers.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.RedisClient;

/**
 * Measures what failovers and slot migrations cost clients that use locks all the time: four clients with two threads
 * each use {@value #NAMES} names, two threads for each, and hold each lock for up to {@value #LONGEST_HOLD_MILLIS} ms.
 * The primary is replaced by command, killed, and a slot goes from node to node of a cluster. For each kind the program
 * prints
 *
 * <ul>
 *   <li>the time until the event was over, and the time without a grant around it: of all locks, and of the one that
 *       waits longest,
 *   <li>holds that overlap the next one, which a failover can cause, and for how long they overlap,
 *   <li>losses, tokens that do not rise, and the keys other than token keys that are left after more than a minute.
 * </ul>
 *
 * Arguments: failovers of each kind (50), migrations (100).
 */
public final class RedisFailovers {
    private static final int CLIENTS = 4;
    private static final int THREADS = 2;
    private static final int NAMES = 4;
    private static final int LONGEST_HOLD_MILLIS = 10;
    private static final Duration LEASE = Duration.ofSeconds(10);
    private static final Duration BEFORE_AND_AFTER = Duration.ofSeconds(2);
    /** Longer than a lease, and than a tombstone lasts. */
    private static final Duration UNTIL_NOTHING_IS_LEFT = Duration.ofSeconds(70);

    private final String uri;
    private final List<Users> users = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final List<LockClient> clients = new ArrayList<>();
    private final AtomicInteger losses = new AtomicInteger();
    private final AtomicInteger failures = new AtomicInteger();
    private volatile boolean ends;

    private RedisFailovers(String uri) {
        this.uri = uri;
        for (int i = 0; i < NAMES; i++) {
            users.add(new Users());
        }
    }

    /** The users of one lock. */
    private static final class Users {
        private final Queue<Long> grants = new ConcurrentLinkedQueue<>();
        private final List<Long> overlaps = new ArrayList<>();
        private int notRising;
        private long lastToken;
        private @Nullable LockHandle last;
        private long overlapBegan;

        private synchronized void granted(LockHandle next) {
            long now = System.nanoTime();
            grants.add(now);
            if (next.fencingToken() <= lastToken) {
                notRising++;
            }
            lastToken = Math.max(lastToken, next.fencingToken());
            LockHandle former = last;
            if (former != null && former.isHeld()) {
                overlapBegan = now;
            }
            last = next;
        }

        /** Notes the end of a hold, which the next one may have overlapped. */
        private synchronized void ended(LockHandle held) {
            if (last != held && overlapBegan != 0) {
                overlaps.add(System.nanoTime() - overlapBegan);
                overlapBegan = 0;
            }
        }
    }

    /**
     * Runs the program and prints its figures.
     *
     * @param args see the class comment
     * @throws Exception if the program fails
     */
    public static void main(String[] args) throws Exception {
        int failovers = args.length > 0 ? Integer.parseInt(args[0]) : 50;
        int migrations = args.length > 1 ? Integer.parseInt(args[1]) : 100;
        try (RedisSentinels servers = RedisSentinels.start(1, 3, Duration.ofSeconds(1))) {
            System.out.printf("Redis %s, %d clients, lease %s%n", servers.version(), CLIENTS, LEASE);
            RedisFailovers run = new RedisFailovers(servers.uri());
            run.measure("SENTINEL FAILOVER", failovers, run.users, servers.servers(), () -> {
                servers.failOver();
                return System.nanoTime();
            });
            RedisFailovers killing = new RedisFailovers(servers.uri());
            killing.measure("primary killed", failovers, killing.users, servers.servers(), () -> killPrimary(servers));
        }
        try (RedisCluster cluster = RedisCluster.start(3, 0, Duration.ofHours(1))) {
            RedisFailovers run = new RedisFailovers(cluster.uri());
            String key = "distlock:name0";
            run.measure("slot migrated", migrations, run.users.subList(0, 1), cluster.members(), () -> {
                cluster.migrate(key, anotherThan(cluster.primaryOf(key), cluster.members()));
                return System.nanoTime();
            });
        }
    }

    private static RedisServer anotherThan(RedisServer server, List<RedisServer> all) {
        return all.stream().filter(each -> each != server).findAny().orElseThrow();
    }

    /** Returns when the sentinels have named another primary. */
    private static long killPrimary(RedisSentinels servers) {
        RedisServer former = servers.primary();
        servers.awaitReplicas();
        former.kill();
        while (servers.primary() == former) {
            Thread.onSpinWait();
        }
        long named = System.nanoTime();
        former.restart(false);
        return named;
    }

    private void measure(
            String what, int events, Collection<Users> affected, List<RedisServer> servers, LongSupplier event)
            throws InterruptedException {
        start();
        long[] without = new long[events];
        long[] ofOne = new long[events];
        long[] named = new long[events];
        for (int i = 0; i < events; i++) {
            Thread.sleep(BEFORE_AND_AFTER.toMillis());
            affected.forEach(each -> each.grants.clear());
            long begun = System.nanoTime();
            named[i] = event.getAsLong() - begun;
            Thread.sleep(BEFORE_AND_AFTER.toMillis());
            long end = System.nanoTime();
            without[i] = longestPause(affected, begun, end);
            ofOne[i] = affected.stream()
                    .mapToLong(each -> longestPause(List.of(each), begun, end))
                    .max()
                    .orElseThrow();
        }
        end();
        Arrays.sort(without);
        Arrays.sort(ofOne);
        Arrays.sort(named);
        long[] overlaps = users.stream()
                .flatMap(each -> each.overlaps.stream())
                .mapToLong(Long::longValue)
                .sorted()
                .toArray();
        System.out.printf(
                "%s, %d times: done after p50 %.0f ms, p90 %.0f, max %.0f;"
                        + " without a grant p50 %.0f, p90 %.0f, max %.0f; of one lock p50 %.0f, p90 %.0f, max %.0f;"
                        + " %d overlaps, longest %.0f ms; %d losses, %d failed acquires, %d tokens not rising,"
                        + " %d keys left%n",
                what,
                events,
                millis(named[events / 2]),
                millis(named[events * 9 / 10]),
                millis(named[events - 1]),
                millis(without[events / 2]),
                millis(without[events * 9 / 10]),
                millis(without[events - 1]),
                millis(ofOne[events / 2]),
                millis(ofOne[events * 9 / 10]),
                millis(ofOne[events - 1]),
                overlaps.length,
                overlaps.length == 0 ? 0 : millis(overlaps[overlaps.length - 1]),
                losses.get(),
                failures.get(),
                users.stream().mapToInt(each -> each.notRising).sum(),
                left(servers));
    }

    private static double millis(long nanos) {
        return nanos / 1e6;
    }

    /** Returns the longest time between two grants, of any of the locks, from the begin of an event on. */
    private static long longestPause(Collection<Users> affected, long begun, long end) {
        long[] grants = affected.stream()
                .flatMap(each -> each.grants.stream())
                .mapToLong(Long::longValue)
                .sorted()
                .toArray();
        long longest = 0;
        long last = begun;
        for (long grant : grants) {
            longest = Math.max(longest, grant - last);
            last = grant;
        }
        return Math.max(longest, end - last);
    }

    private void start() {
        for (int i = 0; i < CLIENTS; i++) {
            LockClient client = LockClient.create(RedisBackend.connect(uri));
            clients.add(client);
            for (int j = 0; j < THREADS; j++) {
                int name = threads.size() % NAMES;
                Thread thread = new Thread(() -> use(client, name));
                threads.add(thread);
                thread.start();
            }
        }
    }

    private void use(LockClient client, int i) {
        Random random = new Random();
        String name = "name" + i;
        Users each = users.get(i);
        LockOptions options = LockOptions.defaults().renewedLease(LEASE);
        while (!ends) {
            try {
                LockHandle held = client.lock(name, options).acquire();
                held.onLost(loss -> {
                    losses.incrementAndGet();
                    each.ended(held);
                });
                each.granted(held);
                Thread.sleep(random.nextInt(LONGEST_HOLD_MILLIS));
                each.ended(held);
                var unused = held.release();
            } catch (LockException e) {
                failures.incrementAndGet();
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void end() throws InterruptedException {
        ends = true;
        for (Thread thread : threads) {
            thread.join();
        }
        clients.forEach(LockClient::close);
        Thread.sleep(UNTIL_NOTHING_IS_LEFT.toMillis());
    }

    private static long left(List<RedisServer> servers) {
        long left = 0;
        for (RedisServer server : servers) {
            try (RedisClient admin = RedisClient.create(server.uri())) {
                left += admin.keys("*").stream()
                        .filter(key -> !key.endsWith(":token"))
                        .count();
            }
        }
        return left;
    }
}

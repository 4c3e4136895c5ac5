package io.github.distlock.bench;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.RedisServer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import redis.clients.jedis.BuilderFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.RedisClient;

/**
 * Measures how long a lock stays without a holder after a crash, and compares it with the bounds of
 * {@code docs/guarantees.md}. For each of four series, the program prints the median and the longest time, and how many
 * grants came too late. It exits with 1 if one did, or if a token did not rise.
 *
 * <ul>
 *   <li>The process of the holder is killed while another client waits. Bound: the lease, and a heartbeat (promises V1
 *       and V2).
 *   <li>The process of the first waiter is killed, and the holder releases the lock right afterwards, so that the
 *       server hands it to the dead waiter. Bound: 4 s for a dead waiter, and 3 s for a handoff (promise V1).
 *   <li>The server closes the subscription of the only waiter, and the holder releases the lock right afterwards.
 *       Bound: a heartbeat (promise V2).
 *   <li>A proxy drops the message about the handoff. Bound: a heartbeat (promise V2).
 * </ul>
 *
 * The processes are started beforehand, {@value #LANES} at a time, each with a lock of its own. The machine may add
 * 250 ms to each bound. Arguments: how often (100).
 */
public final class RedisKills {
    private static final int LANES = 10;
    private static final Duration LEASE = Duration.ofSeconds(3);
    private static final Duration HEARTBEAT = Duration.ofSeconds(1);
    private static final Duration DEAD_WAITER = Duration.ofSeconds(4);
    private static final Duration HANDOFF = Duration.ofSeconds(3);
    /** What a busy machine may add to each bound. */
    private static final Duration MACHINE = Duration.ofMillis(250);

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final LockOptions OPTIONS = LockOptions.defaults().renewedLease(LEASE);

    private final Random random = new Random();
    private final RedisServer server;
    private final RedisClient admin;
    private final LockClient client;
    private final LockClient other;
    private final int times;
    private boolean isBroken;

    private RedisKills(RedisServer server, RedisClient admin, LockClient client, LockClient other, int times) {
        this.server = server;
        this.admin = admin;
        this.client = client;
        this.other = other;
        this.times = times;
    }

    /**
     * Runs the program and prints its figures.
     *
     * @param args see the class comment
     * @throws Exception if the program fails
     */
    public static void main(String[] args) throws Exception {
        int times = args.length > 0 ? Integer.parseInt(args[0]) : 100;
        boolean isBroken;
        try (RedisServer server = RedisServer.start();
                RedisClient admin = RedisClient.create(server.uri());
                LockClient client = LockClient.create(RedisBackend.connect(server.uri()));
                LockClient other = LockClient.create(RedisBackend.connect(server.uri()))) {
            System.out.printf("Redis %s, lease %s%n", server.version(), LEASE);
            RedisKills run = new RedisKills(server, admin, client, other, times);
            run.killHolders();
            run.killFirstWaiters();
            run.cutSubscriptions();
            run.loseMessages();
            isBroken = run.isBroken;
        }
        if (isBroken) {
            System.exit(1);
        }
    }

    /** A process that acquires one lock, says so, and holds it until it is killed. */
    static final class Holder {
        private Holder() {}

        /**
         * Runs the program.
         *
         * @param args the URI of Redis, and the lock's name
         * @throws Exception if the program fails
         */
        public static void main(String[] args) throws Exception {
            try (LockClient client = LockClient.create(RedisBackend.connect(args[0]));
                    LockHandle held = client.lock(args[1], OPTIONS).acquire()) {
                System.out.println(held.fencingToken());
                while (System.in.read() >= 0) {
                    // The parent sends nothing.
                }
            }
        }
    }

    /** One lock, and what happens to it. */
    private static final class Lane {
        private final String name;
        private long begunAt;
        private long tokenBefore;
        private CompletableFuture<Grant> next = new CompletableFuture<>();

        private Lane(String name) {
            this.name = name;
        }
    }

    private record Grant(LockHandle handle, long at) {}

    private CompletableFuture<Grant> acquire(LockClient by, String name) {
        return by.lock(name, OPTIONS).acquireAsync().thenApply(handle -> new Grant(handle, System.nanoTime()));
    }

    private void awaitQueue(String name, int length) throws InterruptedException {
        await(() -> admin.zcard("distlock:{distlock:" + name + "}:queue") == length);
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long begun = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begun > PATIENCE.toNanos()) {
                throw new IllegalStateException("the next round cannot begin");
            }
            Thread.sleep(1);
        }
    }

    /** A part of a round, with a lock and the process that uses it. */
    private interface Step {
        void play(Lane lane, ChildProgram process) throws Exception;
    }

    /** Plays rounds: all locks are prepared before the first process is killed. */
    private void play(String what, Duration bound, Step prepare, Step strike) throws Exception {
        List<Long> taken = new ArrayList<>();
        while (taken.size() < times) {
            Map<Lane, ChildProgram> lanes = new LinkedHashMap<>();
            try {
                for (int i = 0; i < Math.min(LANES, times - taken.size()); i++) {
                    Lane lane = new Lane(what.replace(' ', '-') + (taken.size() + i));
                    lanes.put(lane, ChildProgram.start(Holder.class, server.uri(), lane.name));
                }
                for (Map.Entry<Lane, ChildProgram> each : lanes.entrySet()) {
                    prepare.play(each.getKey(), each.getValue());
                }
                for (Map.Entry<Lane, ChildProgram> each : lanes.entrySet()) {
                    strike.play(each.getKey(), each.getValue());
                }
                for (Lane lane : lanes.keySet()) {
                    taken.add(finished(lane));
                }
            } finally {
                lanes.values().forEach(ChildProgram::close);
            }
        }
        report(what, bound, taken);
    }

    private void killHolders() throws Exception {
        play(
                "holder killed",
                LEASE.plus(HEARTBEAT),
                (lane, process) -> {
                    lane.tokenBefore = Long.parseLong(process.nextLine(PATIENCE));
                    lane.next = acquire(client, lane.name);
                    awaitQueue(lane.name, 1);
                },
                (lane, process) -> {
                    // At any time between two renewals.
                    Thread.sleep(random.nextInt((int) LEASE.toMillis() / 3));
                    lane.begunAt = System.nanoTime();
                    process.kill();
                });
    }

    private void killFirstWaiters() throws Exception {
        Queue<LockHandle> held = new ArrayDeque<>();
        String what = "first waiter killed";
        for (int i = 0; i < times; i++) {
            held.add(client.lock(what.replace(' ', '-') + i, OPTIONS).acquire());
        }
        play(
                what,
                DEAD_WAITER.plus(HANDOFF),
                (lane, process) -> {
                    awaitQueue(lane.name, 1);
                    lane.next = acquire(other, lane.name);
                    awaitQueue(lane.name, 2);
                },
                (lane, process) -> {
                    LockHandle holder = held.remove();
                    lane.tokenBefore = holder.fencingToken();
                    lane.begunAt = System.nanoTime();
                    process.kill();
                    holder.close();
                });
    }

    private void cutSubscriptions() throws Exception {
        hand("subscription cut", other, () -> {
            var unused = command(Command.CLIENT, "KILL", "TYPE", "pubsub");
        });
    }

    private void loseMessages() throws Exception {
        try (FaultProxy link = FaultProxy.to(server);
                LockClient deaf = LockClient.create(RedisBackend.connect("redis://" + link.address()))) {
            hand("message lost", deaf, () -> {
                var unused = link.dropNextPush(FaultProxy.containing("granted"));
            });
        }
    }

    /** Hands a lock from one client to another, and disturbs each handoff right before. */
    private void hand(String what, LockClient waiter, Runnable disturb) throws Exception {
        List<Long> taken = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            Lane lane = new Lane(what.replace(' ', '-') + i);
            LockHandle holder = client.lock(lane.name, OPTIONS).acquire();
            lane.tokenBefore = holder.fencingToken();
            lane.next = acquire(waiter, lane.name);
            awaitQueue(lane.name, 1);
            await(() -> command(Command.PUBSUB, "CHANNELS", "distlock:*") instanceof List<?> list && !list.isEmpty());
            disturb.run();
            lane.begunAt = System.nanoTime();
            holder.close();
            taken.add(finished(lane));
        }
        report(what, HEARTBEAT, taken);
    }

    private Object command(Command command, Object... arguments) {
        CommandArguments call = new CommandArguments(command).addObjects(arguments);
        return admin.executeCommand(new CommandObject<>(call, BuilderFactory.RAW_OBJECT));
    }

    /** Waits for the next grant of a lane, and releases it. Returns how long it took. */
    private long finished(Lane lane) throws Exception {
        Grant next = lane.next.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        if (next.handle.fencingToken() <= lane.tokenBefore) {
            isBroken = true;
            System.out.printf("%s: the token %d follows %d%n", lane.name, next.handle.fencingToken(), lane.tokenBefore);
        }
        next.handle.close();
        return next.at - lane.begunAt;
    }

    private void report(String what, Duration bound, List<Long> taken) {
        long[] sorted = taken.stream().mapToLong(Long::longValue).sorted().toArray();
        long late = Arrays.stream(sorted)
                .filter(each -> each > bound.plus(MACHINE).toNanos())
                .count();
        isBroken |= late > 0;
        System.out.printf(
                "%s, %d times: next grant after p50 %.0f ms, max %.0f ms; bound %d ms, %d too late%n",
                what,
                sorted.length,
                sorted[sorted.length / 2] / 1e6,
                sorted[sorted.length - 1] / 1e6,
                bound.toMillis(),
                late);
    }
}

package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static redis.clients.jedis.params.SetParams.setParams;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import redis.clients.jedis.RedisClient;

/** One key, used by this library, and by redis-py, redlock or redis-cli in a process of its own. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class InteroperabilityTest {
    private static final RedisServer SERVER = RedisFixture.Shared.SERVER;
    private static final Duration LEASE = Duration.ofSeconds(60);
    private static final int TIMES = 30;
    private static final int GRANTS = 3;
    /** Of a hold: long enough for the others to enter the queue. */
    private static final Duration BRIEFLY = Duration.ofMillis(5);

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final String name = UUID.randomUUID().toString();
    private final String key = "distlock:" + name;
    private final String ours = key + "-ours";
    private final String theirs = key + "-theirs";
    private final String stop = key + "-stop";
    private final RedisClient admin = RedisClient.create(SERVER.uri());
    private final LockClient one = LockClient.create(RedisBackend.connect(SERVER.uri()));
    private final LockClient other = LockClient.create(RedisBackend.connect(SERVER.uri()));
    private final ExecutorService threads = Executors.newCachedThreadPool();

    /** Each way in which this library holds a name. */
    private enum Way {
        LOCK((locks, name) -> locks.lock(name)),
        READER((locks, name) -> locks.readWriteLock(name).readLock()),
        WRITER((locks, name) -> locks.readWriteLock(name).writeLock()),
        PERMIT((locks, name) -> locks.semaphore(name, 3).permit());

        @SuppressWarnings("ImmutableEnumChecker") // The functions have no state.
        private final BiFunction<LockClient, String, DistributedLock> of;

        Way(BiFunction<LockClient, String, DistributedLock> of) {
            this.of = of;
        }
    }

    private static Stream<Arguments> programsAndWays() {
        return Stream.of(ForeignLock.Program.values())
                .flatMap(program -> Stream.of(Way.values()).map(way -> Arguments.of(program, way)));
    }

    @AfterEach
    void close() {
        threads.shutdownNow();
        one.close();
        other.close();
        admin.close();
    }

    private ForeignLock foreign(ForeignLock.Program program) {
        return ForeignLock.start(program, SERVER, key, LEASE);
    }

    @ParameterizedTest
    @MethodSource("programsAndWays")
    void s1_eachExcludesTheOther(ForeignLock.Program program, Way way) {
        DistributedLock ours = way.of.apply(one, name);
        try (ForeignLock foreign = foreign(program)) {
            assertTrue(foreign.tryAcquire());
            assertTrue(ours.tryAcquire().isEmpty());
            assertTrue(foreign.release());

            try (LockHandle held = ours.tryAcquire().orElseThrow()) {
                assertFalse(foreign.tryAcquire());
                assertTrue(held.isHeld());
            }
            assertTrue(foreign.tryAcquire());
        }
    }

    @ParameterizedTest
    @EnumSource
    void s3_aReleaseAfterTheEndOfTheLeaseDoesNotEndOurs(ForeignLock.Program program) {
        try (ForeignLock foreign = foreign(program)) {
            assertTrue(foreign.tryAcquire());
            admin.pexpire(key, 1);
            try (LockHandle held = one.lock(name).acquireUninterruptibly()) {
                assertFalse(foreign.release());
                held.ensureHeld();
                assertFalse(foreign.tryAcquire());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void s1_contendingForOneKeyTheyNeverOverlap(ForeignLock.Program program) throws Exception {
        try (ForeignLock foreign = foreign(program)) {
            List<Callable<Integer>> workers = List.of(() -> foreign.work(TIMES), () -> work(one), () -> work(other));
            for (Future<Integer> each : threads.invokeAll(workers)) {
                assertEquals(0, each.get(), "another was inside");
            }
        }
        assertNull(admin.get(key), "the lock key");
    }

    @ParameterizedTest
    @EnumSource
    void v2_besideForeignProgramsThatPollOursMakesProgress(ForeignLock.Program program) throws Exception {
        try (ForeignLock first = foreign(program);
                ForeignLock second = foreign(program)) {
            List<Future<?>> foreign = Stream.of(first, second)
                    .<Future<?>>map(each -> threads.submit(() -> each.contend(theirs, stop)))
                    .toList();
            awaitGrants(theirs);

            List<Future<?>> own = contend(one);

            awaitGrants(ours);
            stop(foreign, own);
        }
    }

    @ParameterizedTest
    @EnumSource
    void v2_besideAQueueThatYieldsAForeignProgramMakesProgress(ForeignLock.Program program) throws Exception {
        try (ForeignLock last = foreign(program);
                LockClient first = yielding();
                LockClient second = yielding();
                LockClient third = yielding()) {
            List<Future<?>> own = contend(first, second, third);
            awaitGrants(ours);

            Future<?> foreign = threads.submit(() -> last.contend(theirs, stop));

            awaitGrants(theirs);
            stop(own, List.of(foreign));
        }
    }

    private static LockClient yielding() {
        return LockClient.create(RedisBackend.builder(SERVER.uri())
                .yieldToForeignClients(10, Duration.ofMillis(300))
                .build());
    }

    private void awaitGrants(String side) {
        Waiting.await(side, PATIENCE, () -> grants(side) >= GRANTS);
    }

    private List<Future<?>> contend(LockClient... clients) {
        return Stream.of(clients)
                .<Future<?>>map(each -> threads.submit(() -> loop(each)))
                .toList();
    }

    private void stop(List<Future<?>> some, List<Future<?>> others) throws Exception {
        admin.set(stop, "", setParams().ex(PATIENCE.toSeconds()));
        for (Future<?> each : Stream.concat(some.stream(), others.stream()).toList()) {
            each.get();
        }
    }

    private long grants(String side) {
        String number = admin.get(side);
        return number == null ? 0 : Long.parseLong(number);
    }

    /** Acquires and releases the lock until a key exists. */
    private Void loop(LockClient locks) throws InterruptedException {
        boolean stopped = false;
        while (!stopped) {
            try (LockHandle held = locks.lock(name).acquire()) {
                admin.incr(ours);
                Waiting.letPass(BRIEFLY);
                stopped = admin.exists(stop);
                held.ensureHeld();
            }
        }
        return null;
    }

    /** Acquires and releases the lock many times. Returns how often another client was inside at the same time. */
    private int work(LockClient locks) throws InterruptedException {
        String inside = ForeignLock.inside(key);
        int overlaps = 0;
        for (int i = 0; i < TIMES; i++) {
            try (LockHandle held = locks.lock(name).acquire()) {
                if (admin.set(inside, held.toString(), setParams().nx()) == null) {
                    overlaps++;
                } else {
                    admin.del(inside);
                }
            }
        }
        return overlaps;
    }
}

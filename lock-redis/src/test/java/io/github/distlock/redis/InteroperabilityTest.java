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

    private final String name = UUID.randomUUID().toString();
    private final String key = "distlock:" + name;
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

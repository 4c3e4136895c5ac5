package io.github.distlock.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLostException;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.ZooKeeperServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Runs each example as a program against real servers, and checks other outcomes of some examples. */
class ExamplesTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static RedisServer redis;
    private static ZooKeeperServer zooKeeper;

    @BeforeAll
    static void startServers() {
        redis = RedisServer.start();
        zooKeeper = ZooKeeperServer.start();
    }

    @AfterAll
    static void stopServers() {
        redis.close();
        zooKeeper.close();
    }

    /** Runs a program that must exit with 0, and returns the lines that it prints. */
    private static List<String> run(Class<?> program, int lines) {
        List<String> printed = new ArrayList<>();
        try (ChildProgram process = ChildProgram.start(program, redis.uri(), zooKeeper.connectString())) {
            for (int i = 0; i < lines; i++) {
                printed.add(process.nextLine(PATIENCE).replaceAll("token \\d+", "token #"));
            }
            assertEquals(0, process.awaitExit(PATIENCE));
        }
        return printed;
    }

    @Test
    void api_quickStart() {
        assertEquals(List.of("order 42 saved under fencing token #"), run(QuickStart.class, 1));
    }

    @Test
    void api_nightlyJob() {
        assertEquals(List.of("cleaning up", "done"), run(NightlyJob.class, 2));
    }

    @Test
    void s1_nightlyJobIsSkippedIfItsLockIsBusy() throws Exception {
        InMemoryStore store = new InMemoryStore();
        List<String> ran = new ArrayList<>();
        try (LockClient one = LockClient.create(store.connect());
                LockClient other = LockClient.create(store.connect())) {
            NightlyJob second = new NightlyJob(other, () -> ran.add("second"));
            NightlyJob first = new NightlyJob(one, () -> {
                try {
                    ran.add(second.runUnlessBusy() ? "not skipped" : "skipped");
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            assertTrue(first.runUnlessBusy());
        }
        assertEquals(List.of("skipped"), ran);
    }

    @Test
    void api_asynchronousChain() {
        assertEquals(List.of("written under token #"), run(AsynchronousChain.class, 1));
    }

    @Test
    void v4_asynchronousChainFailsIfItsLockStaysBusy() throws Exception {
        InMemoryStore store = new InMemoryStore();
        try (LockClient locks = LockClient.create(store.connect());
                LockHandle held = locks.lock("chain").acquire()) {
            CompletableFuture<String> chain = AsynchronousChain.underLock(
                    locks, "chain", Duration.ofMillis(500), next -> CompletableFuture.completedFuture("worked"));
            store.advance(Duration.ofSeconds(1));
            CompletionException failure = assertThrows(CompletionException.class, chain::join);
            assertEquals("chain is busy", failure.getCause().getMessage());
            held.ensureHeld();
        }
    }

    @Test
    void api_longLoop() {
        assertEquals(
                List.of("row a under token #", "row b under token #", "row c under token #"), run(LongLoop.class, 3));
    }

    @Test
    void s6_longLoopStopsAfterItsLockIsLost() {
        InMemoryStore store = new InMemoryStore();
        List<String> done = new ArrayList<>();
        try (LockClient locks = LockClient.create(store.connect())) {
            assertThrows(
                    LockLostException.class,
                    () -> LongLoop.migrate(locks.lock("loop"), List.of("a", "b", "c"), (row, token) -> {
                        done.add(row);
                        if (row.equals("b")) {
                            store.lose("loop");
                        }
                    }));
        }
        assertEquals(List.of("a", "b"), done);
    }

    @Test
    void s3_fencedUpdateRejectsTheLateWrite() {
        assertEquals(List.of("second writes: true", "first, too late, writes: false"), run(FencedUpdate.class, 2));
    }

    @Test
    void v5_sharedClientsStayOpen() {
        assertEquals(List.of("under token #", "items: 1, Curator is STARTED"), run(SharedClients.class, 2));
    }

    @Test
    void api_springWiring() {
        assertEquals(List.of("reporting under token #"), run(SpringWiring.class, 1));
    }
}

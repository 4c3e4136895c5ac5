package io.github.distlock.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.JvmProcess;
import io.github.distlock.tests.servers.Server;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What needs a real server, real processes and a network with faults: the same for every backend. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class ServerRules {
    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int REPEATS = Integer.getInteger("lock.loss.repeats", 3);

    private final List<AutoCloseable> open = new ArrayList<>();
    private String space;
    private Server server;

    /** A running server that this test may hurt; closed by whoever made it. */
    protected abstract Server server();

    /** How clients reach it. */
    protected abstract Class<? extends BackendFactory> factory();

    /** The lease of all holds. */
    protected abstract Duration lease();

    /** How long the server keeps the hold of a client that went silent, at most. */
    protected abstract Duration expiry();

    /** Whether tokens rise although the server has lost all data. */
    protected abstract boolean tokensOutliveData();

    /**
     * When the server would end the present hold if it heard nothing more from its holder: not later than in truth.
     *
     * @return by the nano clock
     */
    protected abstract long serverEndsHoldAt(String space, String name) throws Exception;

    @BeforeEach
    final void begin() {
        space = "server" + NUMBER.incrementAndGet();
        server = server();
    }

    @AfterEach
    final void end() throws Exception {
        server.resume();
        Collections.reverse(open);
        for (AutoCloseable resource : open) {
            resource.close();
        }
    }

    private <T extends AutoCloseable> T closing(T resource) {
        open.add(resource);
        return resource;
    }

    private LockBackend backend(String address) throws ReflectiveOperationException {
        return factory().getDeclaredConstructor().newInstance().backend(address, space);
    }

    private LockClient client(String address) throws ReflectiveOperationException {
        return closing(LockClient.builder(backend(address))
                .shutdownTimeout(Duration.ZERO)
                .defaultOptions(LockOptions.defaults().renewedLease(lease()))
                .build());
    }

    private JvmProcess program(String lockName) {
        return closing(JvmProcess.start(
                LockProgram.class,
                factory().getName(),
                server.address(),
                space,
                lockName,
                String.valueOf(lease().toMillis())));
    }

    private static long tokenOf(String line) {
        return Long.parseLong(line.substring("held ".length()));
    }

    /** The last moment of which is known that the lock was held after it: however late this thread looks again. */
    private static long waitUntilLost(LockHandle held) {
        long begin = System.nanoTime();
        long lookedAt = begin;
        long heldAfter = begin;
        while (held.isHeld()) {
            heldAfter = lookedAt;
            assertTrue(heldAfter - begin < PATIENCE.toNanos(), "the hold ends while its server is silent");
            LockSupport.parkNanos(500_000);
            lookedAt = System.nanoTime();
        }
        return heldAfter;
    }

    private static long ownEnd(LockHandle held) {
        return System.nanoTime() + held.remaining().toNanos();
    }

    @Test
    void s1_processesExcludeEachOther(@TempDir Path directory) throws Exception {
        int times = 200;
        Path counter = Files.writeString(directory.resolve("counter"), "0");
        List<JvmProcess> programs = List.of(program("count"), program("count"), program("count"));
        programs.forEach(program -> program.send("count " + counter + " " + times));
        programs.forEach(program -> program.awaitLine("counted", Duration.ofSeconds(60)));
        assertEquals(programs.size() * times, Integer.parseInt(Files.readString(counter)), "counts under the lock");
    }

    @Test
    void v1_aKilledHoldersLockIsFreeAfterItsExpiry() throws Exception {
        JvmProcess holder = program("killed");
        holder.send("acquire");
        long token = tokenOf(holder.awaitLine("held ", PATIENCE));
        DistributedLock lock = client(server.address()).lock("killed");
        assertTrue(lock.tryAcquire().isEmpty(), "busy while its holder lives");
        long begin = System.nanoTime();
        holder.kill();
        LockHandle held = lock.tryAcquire(PATIENCE).orElseThrow();
        long took = System.nanoTime() - begin;
        assertTrue(held.fencingToken() > token, "the token rises over a crash");
        Duration bound = expiry().plusSeconds(1);
        assertTrue(took <= bound.toNanos(), "free within " + bound + ", but it took " + Duration.ofNanos(took));
        held.close();
    }

    @Test
    void s6_aStoppedHolderIsToldWhenItGoesOn() throws Exception {
        JvmProcess holder = program("stopped");
        holder.send("acquire");
        long token = tokenOf(holder.awaitLine("held ", PATIENCE));
        holder.suspend();
        LockHandle next =
                client(server.address()).lock("stopped").tryAcquire(PATIENCE).orElseThrow();
        assertTrue(next.fencingToken() > token, "the token rises over a stopped holder");
        holder.send("state");
        holder.resume();
        List<String> lines = new ArrayList<>();
        while (lines.stream().noneMatch(line -> line.startsWith("lost"))
                || lines.stream().noneMatch(line -> line.startsWith("state"))) {
            lines.add(holder.nextLine(PATIENCE));
        }
        assertTrue(lines.contains("state false"), "it does not hold, it says: " + lines);
        holder.send("release");
        assertEquals("released LOST", holder.awaitLine("released ", PATIENCE));
        assertTrue(next.isHeld(), "its successor holds on");
        next.close();
    }

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void s6_aHoldEndsBeforeItsPausedServerWouldEndIt() throws Exception {
        LockClient client = client(server.address());
        List<Long> spares = new ArrayList<>();
        for (int i = 0; spares.size() < REPEATS; i++) {
            String name = "paused" + i;
            LockHandle held = client.lock(name).acquire();
            // Some time into the hold, so that it has been renewed.
            TimeUnit.MILLISECONDS.sleep(lease().toMillis() / 2 + 37L * i % 300);
            long ownEnd = ownEnd(held);
            long endsAt = serverEndsHoldAt(space, name);
            server.pause();
            if (ownEnd(held) - ownEnd > lease().dividedBy(4).toNanos()) {
                // Renewed before the pause, so the server's end is another.
                server.resume();
                held.close();
                continue;
            }
            spares.add((endsAt - waitUntilLost(held)) / 1_000_000);
            server.resume();
            assertEquals(LockHandle.Release.LOST, held.release());
        }
        report("a paused server", spares);
    }

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void s6_aHoldEndsBeforeAnotherClientGetsItWhenTheLinkIsHalfOpen() throws Exception {
        List<Long> spares = new ArrayList<>();
        LockClient other = client(server.address());
        for (int i = 0; i < REPEATS; i++) {
            FaultProxy link = closing(FaultProxy.to(server));
            String name = "half-open" + i;
            LockHandle held = client(link.address()).lock(name).acquire();
            TimeUnit.MILLISECONDS.sleep(lease().toMillis() / 2 + 37L * i % 300);
            CompletableFuture<Long> grantedAt = other.lock(name).acquireAsync().thenApply(granted -> {
                long now = System.nanoTime();
                granted.release();
                return now;
            });
            link.silence();
            long heldAfter = waitUntilLost(held);
            spares.add((grantedAt.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS) - heldAfter) / 1_000_000);
            link.heal();
        }
        report("a half-open link", spares);
    }

    private void report(String fault, List<Long> spares) {
        Collections.sort(spares);
        System.out.println(getClass().getSimpleName() + ": with " + fault + " a hold of " + lease().toMillis()
                + " ms ended before the server's own end by, in ms: " + spares);
        assertTrue(spares.get(0) >= 0, "no hold outlives the server's: " + spares);
    }

    @Test
    void s7_aTryWhoseReplyIsLostLeavesNothing() throws Exception {
        FaultProxy link = closing(FaultProxy.to(server));
        LockClient client = client(link.address());
        client.lock("warm-up").acquire().close();
        Fault lost = link.dropNextReply();
        assertThrows(LockException.class, () -> client.lock("dropped").tryAcquire());
        lost.awaitStrike(PATIENCE);
        LockHandle held =
                client(server.address()).lock("dropped").tryAcquire(PATIENCE).orElseThrow();
        held.close();
    }

    @Test
    void s7_anAcquireWhoseReplyIsLostIsGrantedOnce() throws Exception {
        FaultProxy link = closing(FaultProxy.to(server));
        LockClient client = client(link.address());
        client.lock("warm-up").acquire().close();
        Fault lost = link.dropNextReply();
        LockHandle held = client.lock("dropped").acquire();
        lost.awaitStrike(PATIENCE);
        LockClient other = client(server.address());
        assertTrue(held.isHeld(), "held");
        assertTrue(other.lock("dropped").tryAcquire().isEmpty(), "busy for others");
        assertEquals(LockHandle.Release.RELEASED, held.release());
        LockHandle next = other.lock("dropped").tryAcquire(PATIENCE).orElseThrow();
        assertTrue(next.fencingToken() > held.fencingToken(), "the token rises");
        next.close();
    }

    @Test
    void v8_aHoldSurvivesConnectionsThatAreCut() throws Exception {
        FaultProxy link = closing(FaultProxy.to(server));
        LockHandle held = client(link.address()).lock("cut").acquire();
        long end = System.nanoTime() + lease().toNanos() * 2;
        while (end - System.nanoTime() > 0) {
            link.cut();
            TimeUnit.MILLISECONDS.sleep(lease().toMillis() / 2);
        }
        assertTrue(held.isHeld(), "held although its connections were cut again and again");
        assertEquals(LockHandle.Release.RELEASED, held.release());
    }

    @Test
    void s3_tokensRiseOverAServersRestart() throws Exception {
        LockClient client = client(server.address());
        LockHandle before = client.lock("restart").acquire();
        server.kill();
        server.restart(!tokensOutliveData());
        LockHandle.Release found = before.release();
        LockHandle after = client.lock("restart").tryAcquire(PATIENCE).orElseThrow();
        assertTrue(after.fencingToken() > before.fencingToken(), "the token rises, after a release that was " + found);
        after.close();
    }
}

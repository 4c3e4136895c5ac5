package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.github.distlock.DistributedLock;
import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Threads of one client that wait for each other are reported, and who holds and waits can be read. */
class DeadlockTest extends EngineTest {
    private static final Duration A_WHILE = Duration.ofSeconds(3);

    private final CapturedLog log = CapturedLog.of(client.name());
    private final CountDownLatch held = new CountDownLatch(2);

    @AfterEach
    void close() {
        log.close();
    }

    @Test
    void api_aCircleIsReportedOnceForEachOfItsThreads() throws Exception {
        LockClient recording = open(settings().recordAcquireStacks(true));
        var one = start(() -> holdAndWait(recording.lock("a"), recording.lock("b")));
        var two = start(() -> holdAndWait(recording.lock("b"), recording.lock("a")));
        Await.until("both wait", () -> count("waiting") == 2);

        store.advance(A_WHILE);
        store.advance(A_WHILE);

        // One thread calls the listener, and another one writes the log.
        Await.until(
                "both are reported",
                () -> count("deadlocked") == 2 && !log.at(Level.WARN).isEmpty());
        assertThat(log.at(Level.WARN))
                .singleElement()
                .asString()
                .contains("waits for lock \"a\", which thread \"task\" has held for", "waits for lock \"b\", which");
        assertThat(log.stacks(Level.WARN))
                .filteredOn(stack -> stack.contains("waits here") && stack.contains("holdAndWait"))
                .hasSize(2);
        assertThat(log.stacks(Level.WARN))
                .filteredOn(stack -> stack.contains("acquired here") && stack.contains("holdAndWait"))
                .hasSize(2);
        one.thread.interrupt();
        assertFails(one).isInstanceOf(InterruptedException.class);
        get(two);
    }

    @Test
    void api_aReaderAndAWriterThatWaitForEachOtherAreReported() throws Exception {
        DistributedReadWriteLock shared = client.readWriteLock("shared");
        var one = start(() -> holdAndWait(shared.readLock(), lock));
        var two = start(() -> holdAndWait(lock, shared.writeLock()));
        Await.until("both wait", () -> count("waiting") == 2);

        store.advance(A_WHILE);

        Await.until("both are reported", () -> count("deadlocked") == 2);
        one.thread.interrupt();
        assertFails(one).isInstanceOf(InterruptedException.class);
        get(two);
    }

    @Test
    void api_aThreadThatWaitsForItselfIsReportedAtOnce() throws Exception {
        var waits = startWaiting(() -> holdAndWait(lock, lock));

        assertThat(event("deadlocked").event().lockName()).isEqualTo("a");
        waits.thread.interrupt();
        assertFails(waits).isInstanceOf(InterruptedException.class);
    }

    @Test
    void api_aThreadThatWaitsForAHoldThatItHasDetachedIsNotReported() throws Exception {
        LockHandle[] passedOn = new LockHandle[1];
        var waits = startWaiting(() -> {
            passedOn[0] = lock.acquire();
            passedOn[0].detach();
            return lock.acquire();
        });

        store.advance(A_WHILE);
        passedOn[0].close();
        get(waits).close();

        Await.until("earlier events are reported", () -> count("acquired") == 2);
        assertThat(count("deadlocked")).isZero();
    }

    @Test
    void api_threadsThatWaitInALineAreNotReported() throws Exception {
        LockHandle first = lock.acquire();
        held.countDown();
        var second = startWaiting(() -> holdAndWait(client.lock("b"), lock));
        var third = startWaiting(() -> client.lock("b").acquire());

        store.advance(A_WHILE);

        assertThat(count("deadlocked")).isZero();
        first.close();
        get(second);
        get(third).close();
    }

    @Test
    void api_aThreadThatWaitsForASecondPermitIsNotReported() throws Exception {
        DistributedLock permit = client.semaphore("s", 1).permit();
        held.countDown();
        var waits = startWaiting(() -> holdAndWait(permit, permit));

        store.advance(A_WHILE);

        assertThat(count("deadlocked")).isZero();
        waits.thread.interrupt();
        assertFails(waits).isInstanceOf(InterruptedException.class);
    }

    @Test
    void api_aDumpShowsWhoHoldsAndWhoWaitsWithTheirAges() throws Exception {
        LockHandle first = lock.acquire();
        var waits = startWaiting(() -> lock.acquire());
        store.advance(Duration.ofSeconds(2));

        List<String> lines = client.dump().lines().toList();

        assertThat(lines).hasSize(4);
        assertThat(lines.get(1)).contains("\"a\"", "EXCLUSIVE");
        assertThat(lines.get(2))
                .matches(".*held for PT[2-9].*S, token " + first.fencingToken() + ", HELD, acquired by thread .*");
        assertThat(lines.get(3)).matches(".*waits for PT[2-9].*S, thread \"task\"");
        first.close();
        get(waits).close();
        client.close();
        assertThat(client.dump().lines()).hasSize(1);
    }

    /** Returns once the second lock is held as well. */
    private Void holdAndWait(DistributedLock first, DistributedLock second) throws InterruptedException {
        try (LockHandle one = first.acquire()) {
            held.countDown();
            if (first != second) {
                held.await();
            }
            try (LockHandle two = second.acquire()) {
                one.ensureHeld();
                two.ensureHeld();
                return null;
            }
        }
    }
}

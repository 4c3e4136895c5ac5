package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.PATIENCE;
import static io.github.distlock.zookeeper.TestContender.busyOf;
import static io.github.distlock.zookeeper.TestContender.contending;
import static io.github.distlock.zookeeper.TestContender.deadline;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.RequestRefusedException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.retry.RetryOneTime;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One path, used by this library's readers and writers and by Curator's. */
class CuratorReadWriteTest extends ContendersOfOneLock {
    private static final LockMode READ = LockMode.READ;
    private static final LockMode WRITE = LockMode.WRITE;

    private final CuratorFramework curator =
            CuratorFrameworkFactory.newClient(SharedZooKeeper.address(), new RetryOneTime(100));
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Queue<ExecutorService> users = new ConcurrentLinkedQueue<>();
    private final AtomicInteger readers = new AtomicInteger();
    private final AtomicInteger writers = new AtomicInteger();

    /** One of Curator's users. It has a thread and a lock of its own, since Curator's locks are reentrant. */
    private final class Curators {
        private final ExecutorService thread = Executors.newSingleThreadExecutor();
        private final InterProcessReadWriteLock lock = new InterProcessReadWriteLock(curator, directory);

        Curators() {
            users.add(thread);
        }

        InterProcessMutex mutex(LockMode mode) {
            return mode.equals(READ) ? lock.readLock() : lock.writeLock();
        }

        CompletableFuture<Boolean> acquire(LockMode mode) {
            return run(() -> mutex(mode).acquire(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        }

        boolean tryAcquire(LockMode mode) {
            return run(() -> mutex(mode).acquire(0, TimeUnit.SECONDS)).join();
        }

        void release(LockMode mode) {
            var unused = run(() -> {
                        mutex(mode).release();
                        return true;
                    })
                    .join();
        }

        private CompletableFuture<Boolean> run(Callable<Boolean> task) {
            CompletableFuture<Boolean> done = new CompletableFuture<>();
            thread.execute(() -> {
                try {
                    done.complete(task.call());
                } catch (Throwable e) {
                    done.completeExceptionally(e);
                }
            });
            return done;
        }
    }

    @BeforeEach
    void start() {
        curator.start();
    }

    @AfterEach
    void closeClient() {
        threads.shutdownNow();
        users.forEach(ExecutorService::shutdownNow);
        curator.close();
    }

    private void awaitNodes(int count) {
        await(count + " nodes", () -> nodes().size() == count);
    }

    private static void awaitWakeUp(TestContender waiter) {
        await("the waiter is woken", () -> waiter.wakeUps.get() > 0);
    }

    @Test
    void s9_curatorsReadersShareTheLockWithOursAndExcludeOurWriter() throws Exception {
        Curators reader = new Curators();
        assertThat(reader.acquire(READ).join()).isTrue();

        Grant ours = contending(one, READ).acquire();
        TestContender writer = busyOf(other, WRITE);
        release(ours);
        awaitWakeUp(writer);
        writer.findBusy();
        writer.wakeUps.set(0);
        reader.release(READ);
        awaitWakeUp(writer);

        writer.acquire();
    }

    @Test
    void s9_curatorsWriterExcludesOurs() throws Exception {
        Curators writer = new Curators();
        assertThat(writer.acquire(WRITE).join()).isTrue();

        TestContender reader = busyOf(one, READ);
        TestContender another = busyOf(other, WRITE);
        writer.release(WRITE);
        awaitWakeUp(reader);
        release(reader.acquire());
        awaitWakeUp(another);

        another.acquire();
    }

    @Test
    void s9_ourReadersShareTheLockWithCuratorsAndExcludeItsWriter() throws Exception {
        Grant ours = contending(one, READ).acquire();

        assertThat(new Curators().acquire(READ).join()).isTrue();
        assertThat(new Curators().tryAcquire(WRITE)).isFalse();
        release(ours);
    }

    @Test
    void s9_ourWriterExcludesCurators() throws Exception {
        Grant ours = contending(one, WRITE).acquire();

        assertThat(new Curators().tryAcquire(READ)).isFalse();
        assertThat(new Curators().tryAcquire(WRITE)).isFalse();
        release(ours);

        assertThat(new Curators().tryAcquire(WRITE)).isTrue();
    }

    @Test
    void v10_readersAndWritersOfBothAreServedInOrder() throws Exception {
        Grant held = contending(one, WRITE).acquire();
        TestContender reader = busyOf(one, READ);
        Curators curatorsReader = new Curators();
        CompletableFuture<Boolean> second = curatorsReader.acquire(READ);
        awaitNodes(3);
        Curators curatorsWriter = new Curators();
        CompletableFuture<Boolean> third = curatorsWriter.acquire(WRITE);
        awaitNodes(4);
        TestContender last = busyOf(other, READ);

        release(held);
        assertThat(second.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        awaitWakeUp(reader);
        release(reader.acquire());
        assertThat(third.isDone()).isFalse();
        curatorsReader.release(READ);
        assertThat(third.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        last.findBusy();
        curatorsWriter.release(WRITE);
        awaitWakeUp(last);

        last.acquire();
    }

    @Test
    void s9_aWriterOfOursThatBecomesAReaderSharesTheLockWithCuratorsReaders() throws Exception {
        Grant held = contending(one, WRITE).acquire();
        CompletableFuture<Boolean> reader = new Curators().acquire(READ);
        awaitNodes(2);

        Grant reading = held.downgrade(deadline()).orElseThrow();

        assertThat(reader.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(new Curators().tryAcquire(WRITE)).isFalse();
        release(reading);
    }

    @Test
    void s9_curatorsWriterThatWaitsBehindOursWaitsForTheReaderThatItBecomes() throws Exception {
        Grant held = contending(one, WRITE).acquire();
        CompletableFuture<Boolean> writer = new Curators().acquire(WRITE);
        awaitNodes(2);

        Grant reading = held.downgrade(deadline()).orElseThrow();
        contending(other, READ).findBusy();
        assertThat(writer.isDone()).isFalse();
        release(reading);

        assertThat(writer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void s9_ourWriterWaitsForBothHoldsOfACuratorThatDowngrades() throws Exception {
        Curators both = new Curators();
        assertThat(both.acquire(WRITE).join()).isTrue();
        TestContender writer = busyOf(one, WRITE);
        TestContender reader = busyOf(other, READ);

        assertThat(both.acquire(READ).join()).isTrue();
        assertThat(nodes().get(0)).contains("__WRIT__");
        both.release(WRITE);
        awaitWakeUp(writer);
        writer.findBusy();
        reader.findBusy();
        writer.wakeUps.set(0);
        both.release(READ);
        awaitWakeUp(writer);

        writer.acquire();
    }

    @Test
    void s9_manyReadersAndWritersOfBothNeverOverlap() throws Exception {
        List<CompletableFuture<Integer>> ends = List.of(
                work(() -> lockOf(new Curators(), READ), false),
                work(() -> lockOf(new Curators(), WRITE), true),
                work(() -> ours(READ), false),
                work(() -> ours(WRITE), true));

        for (CompletableFuture<Integer> end : ends) {
            assertThat(end.get(100, TimeUnit.SECONDS)).as("overlaps").isZero();
        }
    }

    private CompletableFuture<Integer> work(Callable<AutoCloseable> lock, boolean writes) {
        CompletableFuture<Integer> done = new CompletableFuture<>();
        threads.execute(() -> {
            try {
                int overlaps = 0;
                for (int i = 0; i < 25; i++) {
                    AutoCloseable held = lock.call();
                    (writes ? writers : readers).incrementAndGet();
                    if (writers.get() > (writes ? 1 : 0) || (writes && readers.get() > 0)) {
                        overlaps++;
                    }
                    (writes ? writers : readers).decrementAndGet();
                    held.close();
                }
                done.complete(overlaps);
            } catch (Throwable e) {
                done.completeExceptionally(e);
            }
        });
        return done;
    }

    private static AutoCloseable lockOf(Curators curators, LockMode mode) {
        assertThat(curators.acquire(mode).join()).isTrue();
        return () -> curators.release(mode);
    }

    private AutoCloseable ours(LockMode mode) throws Exception {
        TestContender contender = contending(one, mode);
        while (true) {
            int seen = contender.wakeUps.get();
            if (contender.attempt() instanceof Attempt.Granted granted) {
                return () -> release(granted.grant());
            }
            await("the waiter is woken", () -> contender.wakeUps.get() > seen);
        }
    }

    @Test
    void s12_ourReadersAndWritersAreRefusedBehindCuratorsMutex() throws Exception {
        InterProcessMutex mutex = new InterProcessMutex(curator, directory);
        assertThat(mutex.acquire(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();

        for (LockMode mode : List.of(READ, WRITE)) {
            assertThatThrownBy(contending(one, mode)::attempt)
                    .isInstanceOf(RequestRefusedException.class)
                    .hasMessageContaining("used as a lock")
                    .hasMessageContaining("used as a read-write lock");
        }
        mutex.release();
    }

    /** Curator does not look for other kinds of nodes. {@code docs/zookeeper.md} warns of this. */
    @Test
    void s12_curatorsMutexIgnoresOurWriter() throws Exception {
        contending(one, WRITE).acquire();
        InterProcessMutex mutex = new InterProcessMutex(curator, directory);

        assertThat(mutex.acquire(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();

        mutex.release();
    }

    @Test
    void s10_curatorsSemaphoreAndOursDoNotSeeEachOther() throws Exception {
        assertThat(new InterProcessSemaphoreV2(curator, directory, 1).acquire(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isNotNull();

        contending(one, LockMode.permits(1, 1)).acquire();
    }
}

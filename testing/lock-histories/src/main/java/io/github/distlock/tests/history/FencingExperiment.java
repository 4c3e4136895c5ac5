package io.github.distlock.tests.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.Server;
import io.github.distlock.tests.waiting.Waiting;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Shows that a lock without fencing loses updates, and that a lock with fencing does not. Five processes update a set
 * under a lock with a lease of 2 s. Every 5 s the experiment pauses the process in its critical section for 3 s. After
 * the pause the process does not know that its lease has ended, and writes the set. Without fencing, the write undoes
 * the updates that other processes made meanwhile. With fencing, the resource refuses a write with a smaller token, and
 * no update is lost.
 *
 * <p>Source: <a href="https://jepsen.io/analyses/etcd-3.4.3">Jepsen: etcd 3.4.3</a>, whose lock experiment lost 18 % of
 * the acknowledged updates.
 */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 900, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@Tag("histories")
public abstract class FencingExperiment {
    private static final int PROCESSES = 5;
    private static final Duration PAUSE_EVERY = Duration.ofSeconds(5);
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    /** How much longer the experiment runs while no process has tried a stale write, for example on a busy machine. */
    private static final Duration EXTENSION = Duration.ofSeconds(60);

    private static final int SECONDS = Integer.getInteger("lock.fencing.seconds", 12);

    /** Creates the experiment for one store. */
    protected FencingExperiment() {}

    /**
     * Starts a server that only this experiment uses and closes.
     *
     * @return a running server
     */
    protected abstract Server newServer();

    /** {@return the class of the factory that each process instantiates to reach the server} */
    protected abstract Class<? extends BackendFactory> factory();

    /** {@return how long the store keeps the hold of a paused process: the lease, or the session timeout} */
    protected final Duration lease() {
        return Duration.ofSeconds(2);
    }

    @Test
    void s3_fencedUpdatesAreNotLost() {
        try (Server server = newServer()) {
            Result result = run(server, true);
            report("with fencing", result);
            assertEquals(Set.of(), result.lost, "acknowledged updates that were lost");
            assertTrue(result.refused > 0, "no process tried a stale write: the experiment is invalid, " + result);
        }
    }

    @Test
    void s3_updatesWithoutFencingAreLost() {
        try (Server server = newServer()) {
            Result result = run(server, false);
            report("without fencing", result);
            assertTrue(!result.lost.isEmpty(), "no update was lost: the experiment is invalid, " + result);
        }
    }

    private void report(String how, Result result) {
        System.out.printf(
                "%s, %s, %d s: %d of %d acknowledged updates lost (%.1f %%), %d refused, %d pauses%n",
                getClass().getSimpleName(),
                how,
                SECONDS,
                result.lost.size(),
                result.acknowledged,
                100.0 * result.lost.size() / result.acknowledged,
                result.refused,
                result.pauses);
    }

    private record Result(int acknowledged, Set<String> lost, int refused, int pauses) {}

    private Result run(Server server, boolean fenced) {
        Register register = new Register(fenced);
        List<ChildProgram> processes = new ArrayList<>();
        try {
            for (int i = 0; i < PROCESSES; i++) {
                ChildProgram process = ChildProgram.start(
                        Updater.class,
                        factory().getName(),
                        server.address(),
                        fenced ? "fenced" : "unfenced",
                        String.valueOf(lease().toMillis()),
                        "p" + i);
                processes.add(process);
                Thread serving = new Thread(() -> serve(process, register), "register-" + i);
                serving.setDaemon(true);
                serving.start();
            }
            Duration pause = lease().multipliedBy(3).dividedBy(2);
            int pauses = 0;
            long end = System.nanoTime() + Duration.ofSeconds(SECONDS).toNanos();
            while (end - System.nanoTime() > 0
                    || (!register.hasSeenStaleWrite() && end + EXTENSION.toNanos() - System.nanoTime() > 0)) {
                ChildProgram holder = register.awaitReader();
                holder.suspend();
                pauses++;
                Waiting.letPass(pause);
                holder.resume();
                Waiting.letPass(PAUSE_EVERY.minus(pause));
            }
            return register.result(pauses);
        } finally {
            register.closed = true;
            processes.forEach(ChildProgram::close);
        }
    }

    private static void serve(ChildProgram process, Register register) {
        try {
            while (!register.closed) {
                String[] words = process.nextLine(PATIENCE).split(" ", -1);
                process.send(
                        words[0].equals("read")
                                ? register.read(process, Long.parseLong(words[1]))
                                : register.write(Long.parseLong(words[1]), words[2]));
            }
        } catch (IllegalStateException | UncheckedIOException e) {
            if (!register.closed) {
                register.failure = e;
            }
        }
    }

    /** Stores the set. */
    private static final class Register {
        private final ReentrantLock mutex = new ReentrantLock();
        private final boolean fenced;
        private final Set<String> acknowledged = new HashSet<>();
        private String value = "";
        private long greatest;
        private int refused;
        private volatile @Nullable ChildProgram reader;
        private volatile @Nullable RuntimeException failure;
        private volatile boolean closed;

        private Register(boolean fenced) {
            this.fenced = fenced;
        }

        /** Returns the process that reads next, which is in its critical section. */
        private ChildProgram awaitReader() {
            reader = null;
            Waiting.await("a process acquires the lock", PATIENCE, () -> reader != null || failure != null);
            RuntimeException failed = failure;
            if (failed != null) {
                throw failed;
            }
            return Objects.requireNonNull(reader);
        }

        /**
         * Also remembers the token. Otherwise an earlier holder could write between this read and the reader's write.
         */
        private String read(ChildProgram process, long token) {
            mutex.lock();
            try {
                reader = process;
                greatest = Math.max(greatest, token);
                return value;
            } finally {
                mutex.unlock();
            }
        }

        private String write(long token, String newValue) {
            mutex.lock();
            try {
                if (fenced && token < greatest) {
                    refused++;
                    return "refused";
                }
                greatest = Math.max(greatest, token);
                value = newValue;
                acknowledged.add(newValue.substring(newValue.lastIndexOf(',') + 1));
                return "ok";
            } finally {
                mutex.unlock();
            }
        }

        /**
         * Returns whether a process has written after the end of its lease: a write was refused, or an update is lost.
         */
        private boolean hasSeenStaleWrite() {
            Result soFar = result(0);
            return soFar.refused > 0 || !soFar.lost.isEmpty();
        }

        private Result result(int pauses) {
            mutex.lock();
            try {
                Set<String> lost = new HashSet<>(acknowledged);
                lost.removeAll(Set.copyOf(Arrays.asList(value.split(",", -1))));
                return new Result(acknowledged.size(), lost, refused, pauses);
            } finally {
                mutex.unlock();
            }
        }
    }
}

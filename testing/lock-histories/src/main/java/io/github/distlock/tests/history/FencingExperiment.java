package io.github.distlock.tests.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.JvmProcess;
import io.github.distlock.tests.servers.Server;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What fencing is for, after the lock experiment of Jepsen's report on etcd 3.4.3: five processes update a set under a lock with
 * a lease of two seconds, and every five seconds one of them, here always the one in its critical section, is paused for longer
 * than that. A process that goes on does not know that time has passed, and writes what it has computed. Without fencing this
 * undoes what others have written meanwhile, whatever the lock. A resource that refuses smaller tokens loses nothing.
 *
 * <p>Source: <a href="https://jepsen.io/analyses/etcd-3.4.3">Jepsen: etcd 3.4.3</a>, which found that locks lost 18 % of
 * acknowledged updates.
 */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 900, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@Tag("histories")
public abstract class FencingExperiment {
    private static final int PROCESSES = 5;
    private static final Duration PAUSE_EVERY = Duration.ofSeconds(5);
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    /** Processes start slowly on a busy machine, and some have written when they are paused. */
    private static final Duration LONGER = Duration.ofSeconds(60);

    private static final int SECONDS = Integer.getInteger("lock.fencing.seconds", 12);

    /** For one store. */
    protected FencingExperiment() {}

    /**
     * Starts a server that only this experiment uses, and that it closes.
     *
     * @return a running server
     */
    protected abstract Server newServer();

    /**
     * Says how clients reach the server.
     *
     * @return the class that each process makes an instance of
     */
    protected abstract Class<? extends BackendFactory> factory();

    /**
     * Says how long the store keeps the hold of a paused process.
     *
     * @return the lease, or the timeout of the session
     */
    protected final Duration lease() {
        return Duration.ofSeconds(2);
    }

    @Test
    void s3_fencedUpdatesAreNotLost() throws InterruptedException {
        try (Server server = newServer()) {
            Result result = run(server, true);
            report("with fencing", result);
            assertEquals(Set.of(), result.lost, "acknowledged updates that were lost");
            assertTrue(result.refused > 0, "no stale write was tried: the experiment is invalid, " + result);
        }
    }

    @Test
    void s3_updatesWithoutFencingAreLost() throws InterruptedException {
        try (Server server = newServer()) {
            Result result = run(server, false);
            report("without fencing", result);
            assertTrue(!result.lost.isEmpty(), "nothing was lost: the experiment is invalid, " + result);
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

    private Result run(Server server, boolean fenced) throws InterruptedException {
        Register register = new Register(fenced);
        List<JvmProcess> processes = new ArrayList<>();
        try {
            for (int i = 0; i < PROCESSES; i++) {
                JvmProcess process = JvmProcess.start(
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
            int pauses = 0;
            long end = System.nanoTime() + Duration.ofSeconds(SECONDS).toNanos();
            while (end - System.nanoTime() > 0
                    || (!register.hasSeenStaleWrite() && end + LONGER.toNanos() - System.nanoTime() > 0)) {
                JvmProcess holder = register.awaitReader();
                holder.suspend();
                pauses++;
                TimeUnit.MILLISECONDS.sleep(lease().toMillis() * 3 / 2);
                holder.resume();
                TimeUnit.MILLISECONDS.sleep(PAUSE_EVERY.toMillis() - lease().toMillis() * 3 / 2);
            }
            return register.result(pauses);
        } finally {
            register.close();
            processes.forEach(JvmProcess::close);
        }
    }

    private static void serve(JvmProcess process, Register register) {
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

    /** The set. */
    private static final class Register {
        private final ReentrantLock mutex = new ReentrantLock();
        private final boolean fenced;
        private final Set<String> acknowledged = new HashSet<>();
        private String value = "";
        private long greatest;
        private int refused;
        private volatile @Nullable JvmProcess reader;
        private volatile @Nullable RuntimeException failure;
        private volatile boolean closed;

        private Register(boolean fenced) {
            this.fenced = fenced;
        }

        /** Whoever reads next is in its critical section. */
        private JvmProcess awaitReader() throws InterruptedException {
            reader = null;
            long end = System.nanoTime() + PATIENCE.toNanos();
            JvmProcess holder = reader;
            while (holder == null) {
                RuntimeException failed = failure;
                if (failed != null) {
                    throw failed;
                }
                assertTrue(end - System.nanoTime() > 0, "a process gets the lock");
                TimeUnit.MICROSECONDS.sleep(200);
                holder = reader;
            }
            return holder;
        }

        /** A reader's token counts as well: otherwise an older holder could write between its reading and its writing. */
        private String read(JvmProcess process, long token) {
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

        /** Which was refused, or has undone what others have written. */
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

        private void close() {
            closed = true;
        }
    }
}

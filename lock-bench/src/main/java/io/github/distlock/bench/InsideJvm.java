package io.github.distlock.bench;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Measures what the engine costs without a server, with JMH. An operation is an acquire with its release: by one
 * thread, by threads that hand the lock to each other, and by a thread that holds the lock already.
 *
 * <p>The floors of a local handoff are a fair {@link ReentrantLock} and a fair {@link Semaphore} of the JDK. In both,
 * an acquire that waits also parks its thread, and a release wakes it. Such an acquire allocates 32 bytes, so fewer
 * bytes show how many acquires found the lock free.
 *
 * <p>The arguments are those of JMH: {@code -t 16} for 16 threads that hand the lock to each other,
 * {@code -jvmArgsAppend -Xint} to see how much code they run, with little noise. The figures include CPU time and
 * allocated bytes for each operation.
 */
@State(Scope.Benchmark)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@SuppressWarnings("NullAway.Init") // JMH calls connect() first.
public class InsideJvm {
    private final ReentrantLock reentrantLock = new ReentrantLock(true);
    private final Semaphore semaphore = new Semaphore(1, true);
    private LockClient client;
    private DistributedLock lock;

    /** Makes a state for JMH. */
    public InsideJvm() {}

    /** Makes the client. */
    @Setup
    public void connect() {
        client = LockClient.create(new NoServer());
        lock = client.lock("one");
    }

    /** Closes the client. */
    @TearDown
    public void close() {
        client.close();
    }

    /**
     * Acquires and releases a lock that other threads want as well.
     *
     * @throws InterruptedException if JMH ends the thread
     */
    @Benchmark
    @Threads(2)
    public void localHandoff() throws InterruptedException {
        cycle(lock);
    }

    /** Does the same with a lock of the JDK. */
    @Benchmark
    @Threads(2)
    @SuppressWarnings("LockNotBeforeTry") // Nothing comes in between.
    public void localHandoffOfReentrantLock() {
        reentrantLock.lock();
        reentrantLock.unlock();
    }

    /**
     * Does the same with a semaphore of the JDK.
     *
     * @throws InterruptedException if JMH ends the thread
     */
    @Benchmark
    @Threads(2)
    public void localHandoffOfSemaphore() throws InterruptedException {
        semaphore.acquire();
        semaphore.release();
    }

    /**
     * Acquires and releases a lock that nobody else wants.
     *
     * @throws InterruptedException if JMH ends the thread
     */
    @Benchmark
    @Threads(1)
    public void freeLock() throws InterruptedException {
        cycle(lock);
    }

    /**
     * Acquires and releases a lock that the thread holds.
     *
     * @param outer the hold of the thread
     * @throws InterruptedException if JMH ends the thread
     */
    @Benchmark
    @Threads(1)
    public void heldByThisThread(Outer outer) throws InterruptedException {
        cycle(outer.reentrant);
    }

    private static void cycle(DistributedLock lock) throws InterruptedException {
        lock.acquire().close();
    }

    /** A thread's hold of a reentrant lock. */
    @State(Scope.Thread)
    @SuppressWarnings("NullAway.Init") // JMH calls acquire() first.
    public static class Outer {
        private DistributedLock reentrant;
        private LockHandle held;

        /** Makes a state for JMH. */
        public Outer() {}

        /**
         * Acquires the lock in the thread that measures.
         *
         * @param locks the client
         * @throws InterruptedException if JMH ends the thread
         */
        @Setup
        public void acquire(InsideJvm locks) throws InterruptedException {
            reentrant = locks.lock.reentrant();
            held = reentrant.acquire();
        }

        /** Releases the lock. */
        @TearDown
        public void release() {
            held.close();
        }
    }

    /**
     * Runs the benchmarks.
     *
     * @param args options of JMH
     * @throws RunnerException if a benchmark fails
     * @throws CommandLineOptionException if an option is wrong
     */
    public static void main(String[] args) throws RunnerException, CommandLineOptionException {
        new Runner(new OptionsBuilder()
                        .parent(new CommandLineOptions(args))
                        .addProfiler(GCProfiler.class)
                        .addProfiler(JvmCpu.class)
                        .build())
                .run();
    }
}

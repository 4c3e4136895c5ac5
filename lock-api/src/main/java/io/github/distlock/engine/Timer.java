package io.github.distlock.engine;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockClock.Parker;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * One thread that runs short tasks in the order of their times. Tasks do no I/O, do not log, and run no code of the
 * application. So expiry is on time, whatever a server, a logger or a listener does.
 *
 * <p>We use our own timer because the JDK's timers cannot read {@link LockClock}.
 *
 * <p><b>No lost wake-up.</b> {@link #schedule} adds its entry and then reads {@code sleepsUntil}. The thread writes
 * {@code sleepsUntil} and then reads the first entry again before it sleeps. Both are volatile, so at least one of the
 * two sees the other.
 *
 * <p><b>No lost task.</b> The thread starts with the client and not on first use: if it cannot be started, there is no
 * client, rather than a client whose holds nobody renews. A task that fails for want of memory or of a thread runs
 * again: its entry is removed only after its replacement has been added.
 */
final class Timer implements AutoCloseable {
    private static final long IDLE_NANOS = 3_600_000_000_000L;
    private static final long RETRY_NANOS = Duration.ofMillis(100).toNanos();
    private static final Duration PATIENCE = Duration.ofMillis(250);

    private final LockClock clock;
    private final String client;
    private final ClientLog log;
    private final ConcurrentSkipListSet<Entry> entries = new ConcurrentSkipListSet<>();
    private final AtomicLong sequence = new AtomicLong();
    private volatile @Nullable Thread thread;
    private volatile @Nullable Parker parker;
    private volatile long sleepsUntil;
    private volatile boolean closed;

    Timer(String client, LockClock clock, ClientLog log) {
        this.client = client;
        this.clock = clock;
        this.log = log;
        this.sleepsUntil = clock.nanoTime();
    }

    /** Starts the thread. Throws what {@link Thread#start} throws, and then nothing is left. */
    void start() {
        Runnable ready = clock.track(() -> {});
        Thread mine = Work.daemon(() -> run(ready), client, "timer");
        try {
            mine.start();
        } catch (Throwable e) {
            ready.run();
            throw e;
        }
        thread = mine;
    }

    /** Runs a task at a time, or soon if that time has passed. A closed timer runs nothing. */
    @CanIgnoreReturnValue
    Entry at(long nanoTime, Runnable task) {
        Entry entry = entry(nanoTime, task);
        schedule(entry);
        return entry;
    }

    /** Makes a task to be {@linkplain #schedule scheduled}, for callers that must store it before it can run. */
    Entry entry(long nanoTime, Runnable task) {
        return new Entry(nanoTime, sequence.incrementAndGet(), task);
    }

    void schedule(Entry entry) {
        entries.add(entry);
        Parker sleeper = parker;
        if (sleeper != null && entry.nanoTime - sleepsUntil < 0) {
            sleeper.unpark();
        }
    }

    private void run(Runnable ready) {
        try (Parker sleeper = clock.parker()) {
            parker = sleeper;
            ready.run();
            while (!closed) {
                try {
                    step(sleeper);
                } catch (Throwable e) {
                    sleeper.parkUntil(clock.nanoTime() + RETRY_NANOS);
                }
            }
        }
    }

    private void step(Parker sleeper) {
        Entry first = first();
        long now = clock.nanoTime();
        if (first != null && first.nanoTime - now <= 0) {
            if (!hasRun(first.task)) {
                at(now + RETRY_NANOS, first.task);
            }
            entries.remove(first);
            return;
        }
        sleepsUntil = first == null ? now + IDLE_NANOS : first.nanoTime;
        if (Objects.equals(first(), first)) {
            sleeper.parkUntil(sleepsUntil);
        }
    }

    /** Runs a task. Returns false if it must run again, since it has failed for want of memory or of a thread. */
    private boolean hasRun(Runnable task) {
        try {
            task.run();
            return true;
        } catch (Throwable e) {
            log.write(() -> ClientLog.LOG.error("{}: a task of the timer threw", client, e));
            return !(e instanceof VirtualMachineError);
        }
    }

    private @Nullable Entry first() {
        var iterator = entries.iterator();
        return iterator.hasNext() ? iterator.next() : null;
    }

    /** Ends the thread, and waits up to 250 ms for that. */
    @Override
    public void close() {
        closed = true;
        entries.clear();
        Parker sleeper = parker;
        if (sleeper != null) {
            sleeper.unpark();
        }
        Thread running = thread;
        if (running != null && running != Thread.currentThread()) {
            try {
                running.join(PATIENCE.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** A task that waits for its time. */
    final class Entry implements Comparable<Entry> {
        private final long nanoTime;
        private final long sequence;
        private final Runnable task;

        Entry(long nanoTime, long sequence, Runnable task) {
            this.nanoTime = nanoTime;
            this.sequence = sequence;
            this.task = task;
        }

        long nanoTime() {
            return nanoTime;
        }

        void cancel() {
            entries.remove(this);
        }

        @Override
        public int compareTo(Entry other) {
            long difference = nanoTime - other.nanoTime;
            return difference != 0 ? Long.signum(difference) : Long.compare(sequence, other.sequence);
        }
    }
}

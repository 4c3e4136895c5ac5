package io.github.distlock.tests.waiting;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** Counts the threads of this process whose names begin with some text, again and again, until it is closed. */
public final class ThreadCensus implements AutoCloseable {
    private static final long STEP_NANOS = 1_000_000;
    private static final int ROOM_FOR_NEW_THREADS = 1_000;

    private final String prefix;
    private final ThreadGroup all;
    private final Thread counting = new Thread(this::count, "thread census");
    private final AtomicInteger most = new AtomicInteger();
    private volatile boolean closed;

    private ThreadCensus(String prefix) {
        this.prefix = prefix;
        ThreadGroup group = Thread.currentThread().getThreadGroup();
        while (group.getParent() != null) {
            group = group.getParent();
        }
        this.all = group;
    }

    /**
     * Starts to count.
     *
     * @param prefix the beginning of the names
     * @return the count, to be closed
     */
    public static ThreadCensus of(String prefix) {
        ThreadCensus census = new ThreadCensus(prefix);
        census.counting.setDaemon(true);
        census.counting.start();
        return census;
    }

    /**
     * Looks once more, and returns how many threads there were at most at the same time, as far as the looks have shown
     * it.
     *
     * @return 0 if there were none
     */
    public int most() {
        look();
        return most.get();
    }

    private void count() {
        while (!closed) {
            look();
            LockSupport.parkNanos(STEP_NANOS);
        }
    }

    private void look() {
        Thread[] threads = new Thread[all.activeCount() + ROOM_FOR_NEW_THREADS];
        all.enumerate(threads);
        int seen = (int) Stream.of(threads)
                .filter(Objects::nonNull)
                .filter(thread -> thread.getName().startsWith(prefix))
                .count();
        most.accumulateAndGet(seen, Math::max);
    }

    /** Ends the count. */
    @Override
    public void close() {
        closed = true;
    }
}

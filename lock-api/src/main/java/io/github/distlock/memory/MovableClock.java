package io.github.distlock.memory;

import io.github.distlock.spi.LockClock;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The system's clock plus an offset that only grows. It knows which threads wait for time and which work is under way.
 *
 * <p>A move goes from one time at which a thread wants to wake to the next. At each it waits until everything is at
 * rest: each thread that waits through this clock sleeps until a later time, and each piece of
 * {@linkplain #track tracked} work has ended or waits for time itself. So events happen in their order, as if the time
 * had really passed. A move waits for unfinished work for one second of real time, in case a listener blocks. Only time
 * in which the machine ran counts, because nothing comes to rest on a machine that stands still.
 */
final class MovableClock implements LockClock {
    private static final long PATIENCE = Duration.ofSeconds(1).toNanos();
    private static final long LONGEST_SETTLING = PATIENCE * 10;
    private static final int LOOKS_WITHOUT_PAUSE = 1_000;
    private static final long PAUSE = Duration.ofNanos(50_000).toNanos();

    private final AtomicLong offset = new AtomicLong();
    private final AtomicLong wallJump = new AtomicLong();
    private final Set<Wait> waits = ConcurrentHashMap.newKeySet();
    private final Set<Work> works = ConcurrentHashMap.newKeySet();
    private final AtomicLong changes = new AtomicLong();
    private final ReentrantLock moving = new ReentrantLock();

    @Override
    public long nanoTime() {
        return System.nanoTime() + offset.get();
    }

    @Override
    public long wallMillis() {
        return System.currentTimeMillis() + offset.get() / 1_000_000 + wallJump.get();
    }

    @Override
    public Parker parker() {
        Wait wait = new Wait(Thread.currentThread());
        waits.add(wait);
        changes.incrementAndGet();
        return wait;
    }

    @Override
    public Runnable track(Runnable work) {
        Work tracked = new Work(work);
        works.add(tracked);
        changes.incrementAndGet();
        return tracked;
    }

    void advance(Duration time) {
        moving.lock();
        try {
            long left = time.toNanos();
            do {
                long step = Math.min(left, stepToNextWake());
                offset.addAndGet(step);
                left -= step;
            } while (left > 0);
            settle();
            remindAll();
        } finally {
            moving.unlock();
        }
    }

    /** Moves as a suspended process sees it: the time is over before anything could run. */
    void jump(Duration time) {
        moving.lock();
        try {
            offset.addAndGet(time.toNanos());
            settle();
            remindAll();
        } finally {
            moving.unlock();
        }
    }

    void jumpWallClock(Duration time) {
        wallJump.addAndGet(time.toMillis());
    }

    /**
     * Returns how long everything is at rest. Real time passes, too, so a thread that was at rest may have woken during
     * the look.
     */
    private long stepToNextWake() {
        while (true) {
            settle();
            long before = changes.get();
            long now = nanoTime();
            long step = Long.MAX_VALUE;
            for (Wait wait : waits) {
                if (wait.isParked()) {
                    step = Math.min(step, Math.max(0, wait.until - now));
                }
            }
            if (isAtRest() && changes.get() == before) {
                return step;
            }
        }
    }

    private void wakeWhoIsDue() {
        long now = nanoTime();
        for (Wait wait : waits) {
            if (wait.isParked() && wait.until - now <= 0) {
                LockSupport.unpark(wait.thread);
            }
        }
    }

    /** Wakes all sleepers, so that they compute their real time again. */
    private void remindAll() {
        waits.forEach(wait -> LockSupport.unpark(wait.thread));
    }

    private void settle() {
        long begun = System.nanoTime();
        for (int looks = 1; !isAtRest(); looks++) {
            wakeWhoIsDue();
            works.removeIf(work -> work.isBusyTooLong(isAtRest(work)));
            waits.removeIf(wait -> wait.isBusyTooLong(isAtRest(wait)));
            if (System.nanoTime() - begun > LONGEST_SETTLING) {
                return;
            }
            if (looks < LOOKS_WITHOUT_PAUSE) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(PAUSE);
            }
        }
    }

    /** The answers about each thread and work hold together only if nothing has changed meanwhile. */
    private boolean isAtRest() {
        long before = changes.get();
        return works.stream().allMatch(this::isAtRest)
                && waits.stream().allMatch(this::isAtRest)
                && changes.get() == before;
    }

    private boolean isAtRest(Work work) {
        Thread runner = work.runner;
        return runner != null && (runner == Thread.currentThread() || sleeps(runner));
    }

    private boolean isAtRest(Wait wait) {
        return wait.thread == Thread.currentThread() || sleeps(wait.thread) || !wait.thread.isAlive();
    }

    private boolean sleeps(Thread thread) {
        long now = nanoTime();
        return waits.stream().anyMatch(wait -> wait.thread == thread && wait.isParked() && wait.until - now > 0);
    }

    /** A thread or work that a move looks at again and again until it rests, for a limited time. */
    private abstract static class Busy {
        private static final long NOT_SEEN = 0;
        /**
         * More time than this between two looks counts as this much: the difference means that this thread stood still
         * itself.
         */
        private static final long LONGEST_LOOK = PAUSE * 100;

        private volatile long seenBusyAt = NOT_SEEN;
        private long busyFor;

        final boolean isBusyTooLong(boolean atRest) {
            long now = System.nanoTime();
            long before = seenBusyAt;
            busyFor = atRest || before == NOT_SEEN ? 0 : busyFor + Math.min(now - before, LONGEST_LOOK);
            seenBusyAt = atRest ? NOT_SEEN : now;
            return busyFor > PATIENCE;
        }

        final void noteChange() {
            seenBusyAt = NOT_SEEN;
        }
    }

    private final class Work extends Busy implements Runnable {
        private final Runnable work;
        private volatile @Nullable Thread runner;

        Work(Runnable work) {
            this.work = work;
        }

        @Override
        public void run() {
            runner = Thread.currentThread();
            noteChange();
            try {
                work.run();
            } finally {
                works.remove(this);
                changes.incrementAndGet();
            }
        }
    }

    private final class Wait extends Busy implements Parker {
        private static final int RUNNING = 0;
        private static final int PARKED = 1;
        private static final int PERMITTED = 2;

        private final Thread thread;
        private final AtomicInteger state = new AtomicInteger(RUNNING);
        private volatile long until;

        Wait(Thread thread) {
            this.thread = thread;
        }

        boolean isParked() {
            return state.get() == PARKED;
        }

        @Override
        public void parkUntil(long nanoTime) {
            until = nanoTime;
            noteChange();
            waits.add(this);
            if (state.compareAndSet(RUNNING, PARKED)) {
                changes.incrementAndGet();
                while (isParked() && nanoTime - nanoTime() > 0 && !thread.isInterrupted()) {
                    LockSupport.parkNanos(this, nanoTime - nanoTime());
                }
            }
            noteChange();
            state.set(RUNNING);
            changes.incrementAndGet();
        }

        @Override
        public void unpark() {
            noteChange();
            if (state.getAndSet(PERMITTED) == PARKED) {
                LockSupport.unpark(thread);
            }
            changes.incrementAndGet();
        }

        @Override
        public void close() {
            waits.remove(this);
            changes.incrementAndGet();
        }
    }
}

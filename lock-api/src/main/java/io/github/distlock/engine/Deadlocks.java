package io.github.distlock.engine;

import io.github.distlock.LockListener;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockMode;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds threads of this client that wait for each other in a circle, and reports them. Another thread may close one of
 * the handles, so this ends nothing.
 *
 * <p><b>Cost.</b> A thread that has waited for a second searches, unless another one has done so since it began to
 * wait. All threads of a client together search once per second at most, and a thread that comes too early comes again.
 * No circle is missed: the thread that closes it is the last of its threads to begin waiting, and a search comes after
 * that.
 *
 * <p><b>No false report.</b> The search reads waits and holds at different times. Before a report, each wait and each
 * hold of the circle is read again. Neither begins a second time once it has ended, so all of them existed at the
 * moment between the two looks.
 */
final class Deadlocks implements Acquisition.DeadlockSearch {
    static final long PAUSE = Duration.ofSeconds(1).toNanos();

    private final LocalQueues queues;
    private final LockClock clock;
    private final Callbacks callbacks;
    private final ClientLog log;
    private final AtomicLong lastSearch;

    Deadlocks(LocalQueues queues, LockClock clock, Callbacks callbacks, ClientLog log) {
        this.queues = queues;
        this.clock = clock;
        this.callbacks = callbacks;
        this.log = log;
        this.lastSearch = new AtomicLong(clock.nanoTime() - PAUSE);
    }

    /** A thread that waits, and a hold for which it waits. */
    private record Wait(BlockingAcquisition waiter, Hold blocker) {
        private boolean lasts() {
            return !waiter.hasOutcome() && blocker.isHeld() && blocker.ownerId() != Acquisition.NO_THREAD;
        }
    }

    @Override
    public long search(long since, boolean atOnce) {
        long now = clock.nanoTime();
        long last = lastSearch.get();
        if (!atOnce) {
            if (last - since > 0) {
                return now + Checks.FOREVER;
            }
            if (now - last < PAUSE || !lastSearch.compareAndSet(last, now)) {
                return now + PAUSE;
            }
        }
        Map<Long, List<Wait>> waits = waitsByThread();
        Set<Long> seen = new HashSet<>();
        for (Long thread : waits.keySet()) {
            List<Wait> circle = seen.contains(thread) ? null : circle(thread, waits);
            if (circle != null && circle.stream().allMatch(Wait::lasts)) {
                circle.forEach(wait -> seen.add(wait.waiter.threadId()));
                report(circle);
            }
        }
        return now + Checks.FOREVER;
    }

    /** Returns for which holds of this client each thread waits. */
    private Map<Long, List<Wait>> waitsByThread() {
        List<LocalQueue> all = queues.all();
        Map<String, List<Hold>> holds =
                all.stream().flatMap(LocalQueue::holds).collect(Collectors.groupingBy(Hold::lockName));
        Map<Long, List<Wait>> waits = new HashMap<>();
        for (LocalQueue queue : all) {
            List<Hold> present = holds.getOrDefault(queue.key.name(), List.of());
            for (Acquisition waiter : present.isEmpty() ? List.<Acquisition>of() : queue.everybody()) {
                if (waiter instanceof BlockingAcquisition blocking && !blocking.isReported()) {
                    List<Wait> own = present.stream()
                            .filter(hold -> blocks(hold, blocking))
                            .map(hold -> new Wait(blocking, hold))
                            .toList();
                    waits.put(blocking.threadId(), own);
                }
            }
        }
        return waits;
    }

    /**
     * Other permits may become free. A reader waits for a writer, and not for another reader; if it is a reader itself,
     * that writer waits for it.
     */
    private static boolean blocks(Hold held, BlockingAcquisition waiter) {
        boolean bothRead =
                held.mode().equals(LockMode.READ) && waiter.key.mode().equals(LockMode.READ);
        return held.mode().kind() != LockMode.Kind.PERMITS && (!bothRead || held.ownerId() == waiter.threadId());
    }

    /** Returns a circle through this thread, or null. */
    private static @Nullable List<Wait> circle(Long start, Map<Long, List<Wait>> waits) {
        Map<Long, Wait> cameBy = new HashMap<>();
        Deque<Long> open = new ArrayDeque<>(List.of(start));
        while (!open.isEmpty()) {
            for (Wait wait : waits.getOrDefault(open.remove(), List.of())) {
                long next = wait.blocker.ownerId();
                if (cameBy.putIfAbsent(next, wait) == null) {
                    if (next == start) {
                        return path(start, cameBy);
                    }
                    open.add(next);
                }
            }
        }
        return null;
    }

    private static List<Wait> path(long start, Map<Long, Wait> cameBy) {
        List<Wait> path = new ArrayList<>();
        long thread = start;
        do {
            Wait wait = cameBy.get(thread);
            if (wait == null) {
                throw new IllegalStateException("a circle has a gap");
            }
            path.add(0, wait);
            thread = wait.waiter.threadId();
        } while (thread != start);
        return path;
    }

    private void report(List<Wait> circle) {
        long now = clock.nanoTime();
        String words = circle.stream().map(wait -> words(wait, now)).collect(Collectors.joining("; "));
        Throwable stacks = new Throwable("they wait for each other");
        stacks.setStackTrace(new StackTraceElement[0]);
        for (Wait wait : circle) {
            wait.waiter.noteReported();
            stacks.addSuppressed(wait.waiter.stack());
            Throwable acquired = wait.blocker.acquireStack();
            if (acquired != null) {
                stacks.addSuppressed(acquired);
            }
            callbacks.event(wait.blocker.lockName(), 0, now - wait.waiter.patience.since(), LockListener::deadlocked);
        }
        log.write(() -> ClientLog.LOG.warn(
                "deadlock, unless another thread closes a handle: {}. recordAcquireStacks(true) shows where they were"
                        + " acquired",
                words,
                stacks));
    }

    private static String words(Wait wait, long now) {
        String waits = "thread \"" + wait.waiter.threadName() + "\" waits for lock \"" + wait.blocker.lockName() + "\"";
        return wait.waiter.threadId() == wait.blocker.ownerId()
                ? waits + ", which it holds itself, so it waits for itself; reentrant() is a view that does not"
                : waits + ", which thread \"" + wait.blocker.threadName() + "\" has held for "
                        + wait.blocker.heldNanos(now) / 1_000_000 + " ms";
    }
}

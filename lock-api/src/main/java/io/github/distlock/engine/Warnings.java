package io.github.distlock.engine;

import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Moment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.ToLongFunction;

/**
 * What a holder wants to run before its hold ends. The {@link Handle} has it, because the actions often capture the
 * handle.
 *
 * <p><b>Once for each fall.</b> A look compares what is left of the validity with the times of the actions. An action
 * runs at the first look that finds little enough left, and is ready again after a look that finds more. The
 * {@link LeaseKeeper} looks at the time that the previous look has computed, after each renewal, and at least every
 * second. Looks run one after another, so each fall is seen by one of them.
 *
 * <p>The threads that look run no action, because they keep promises. An action whose hold has ended before its thread
 * begins does not run.
 */
final class Warnings {
    private final LockClock clock;
    private final Callbacks callbacks;
    private final ToLongFunction<Moment> remaining;
    private final BooleanSupplier isHeld;
    private final ReentrantLock mutex = new ReentrantLock();
    private final List<Warning> warnings = new ArrayList<>(1);

    private static final class Warning {
        private final long before;
        private final Runnable action;
        private boolean hasFallen;

        private Warning(long before, Runnable action) {
            this.before = before;
            this.action = action;
        }
    }

    /**
     * Makes the warnings of one hold.
     *
     * @param remaining returns how many nanoseconds of its validity are left at a moment
     * @param isHeld whether the hold has not ended
     */
    Warnings(LockClock clock, Callbacks callbacks, ToLongFunction<Moment> remaining, BooleanSupplier isHeld) {
        this.clock = clock;
        this.callbacks = callbacks;
        this.remaining = remaining;
        this.isHeld = isHeld;
    }

    void add(long before, Runnable action) {
        mutex.lock();
        try {
            warnings.add(new Warning(before, action));
        } finally {
            mutex.unlock();
        }
    }

    /** Has actions run for which little enough is left. Returns the earlier one of a nano time and the next look. */
    long look(long nanoTime) {
        List<Runnable> due = new ArrayList<>();
        long next = nanoTime;
        mutex.lock();
        try {
            Moment now = clock.now();
            long left = remaining.applyAsLong(now);
            for (Warning warning : warnings) {
                long falls = now.nanoTime() + left - warning.before;
                if (left <= warning.before) {
                    if (!warning.hasFallen) {
                        due.add(warning.action);
                    }
                } else if (falls - next < 0) {
                    next = falls;
                }
                warning.hasFallen = left <= warning.before;
            }
        } finally {
            mutex.unlock();
        }
        due.forEach(action -> callbacks.run(() -> runIfHeld(action)));
        return next;
    }

    private void runIfHeld(Runnable action) {
        if (isHeld.getAsBoolean()) {
            action.run();
        }
    }
}

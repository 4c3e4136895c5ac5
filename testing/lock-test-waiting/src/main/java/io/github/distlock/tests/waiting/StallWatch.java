package io.github.distlock.tests.waiting;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Detects stalls of this JVM: by its garbage collector, by other processes, or by the virtual machine. Its thread
 * sleeps for 20 ms at a time and measures by how much it wakes up late, as <a
 * href="https://github.com/giltene/jHiccup">jHiccup</a> does. Thread-safe.
 */
public final class StallWatch {
    private static final long NAP = Duration.ofMillis(20).toNanos();
    private static final long NOTABLE = Duration.ofMillis(150).toNanos();

    private final BooleanSupplier wanted;
    private final Listener listener;
    private volatile long awakeAt = System.nanoTime();

    private StallWatch(BooleanSupplier wanted, Listener listener) {
        this.wanted = Objects.requireNonNull(wanted, "wanted");
        this.listener = Objects.requireNonNull(listener, "listener");
    }

    /** Receives stalls. */
    @FunctionalInterface
    public interface Listener {
        /**
         * Receives a stall of more than 150 ms. The thread of the watch calls this, and ends if this throws.
         *
         * @param from when the watch last ran, by {@link System#nanoTime()}
         * @param until when the watch ran again, by the same clock
         */
        void stalled(long from, long until);
    }

    /**
     * Starts a daemon thread that watches.
     *
     * @param wanted the thread asks it about 50 times per second, and ends when it returns false
     * @param listener receives each stall when it is over
     * @return the running watch
     */
    public static StallWatch start(BooleanSupplier wanted, Listener listener) {
        StallWatch watch = new StallWatch(wanted, listener);
        Thread thread = new Thread(watch::run, "distlock-tests-stalls");
        thread.setDaemon(true);
        thread.start();
        return watch;
    }

    private void run() {
        while (wanted.getAsBoolean()) {
            LockSupport.parkNanos(NAP);
            long now = System.nanoTime();
            if (now - awakeAt > NOTABLE) {
                listener.stalled(awakeAt, now);
            }
            awakeAt = now;
        }
    }

    /**
     * Returns when the watch last ran. A stall that has not ended yet shows as the time since then.
     *
     * @return a time of {@link System#nanoTime()}
     */
    public long awakeAt() {
        return awakeAt;
    }
}

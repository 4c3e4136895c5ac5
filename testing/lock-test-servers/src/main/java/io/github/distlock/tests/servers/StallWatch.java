package io.github.distlock.tests.servers;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Notices when this JVM stands still: for its garbage collector, behind other processes, or because the machine under it does
 * not run. A thread that takes short naps sees by how much it wakes up too late, as
 * <a href="https://github.com/giltene/jHiccup">jHiccup</a> does. Thread-safe.
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

    /** Hears of stalls. */
    @FunctionalInterface
    public interface Listener {
        /**
         * The watch has not run for more than 150 ms. Called by its thread, which stops watching when this throws.
         *
         * @param from when it last ran, by {@link System#nanoTime()}
         * @param until when it ran again, by the same clock
         */
        void stalled(long from, long until);
    }

    /**
     * Watches from now on, by a daemon thread.
     *
     * @param wanted asked some fifty times per second; the thread ends when it says no
     * @param listener hears of each stall when it is over
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
     * When the watch last ran. A stall that is not over yet, or was a moment ago, shows as the time since then.
     *
     * @return by {@link System#nanoTime()}
     */
    public long awakeAt() {
        return awakeAt;
    }
}

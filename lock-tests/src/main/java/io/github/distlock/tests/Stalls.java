package io.github.distlock.tests;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;

/**
 * When this JVM stood still: for its garbage collector, behind other processes, or because the machine under it did not run. A
 * thread that takes short naps sees by how much it wakes up too late, as <a href="https://github.com/giltene/jHiccup">jHiccup</a>
 * does.
 */
final class Stalls {
    private static final long NAP = Duration.ofMillis(20).toNanos();
    private static final long NOTABLE = Duration.ofMillis(100).toNanos();

    private static final List<Stall> SEEN = new CopyOnWriteArrayList<>();
    private static volatile long awakeAt = System.nanoTime();

    static {
        Thread watcher = new Thread(Stalls::watch, "distlock-tests-stalls");
        watcher.setDaemon(true);
        watcher.start();
    }

    private record Stall(long end, long nanos) {}

    private final long begin = System.nanoTime();

    private Stalls() {}

    static Stalls fromNow() {
        return new Stalls();
    }

    private static void watch() {
        while (true) {
            LockSupport.parkNanos(NAP);
            long now = System.nanoTime();
            long stall = now - awakeAt - NAP;
            if (stall > NOTABLE) {
                SEEN.add(new Stall(now, stall));
            }
            awakeAt = now;
        }
    }

    /** Since then, also the one from which the watcher has not woken up yet. */
    Duration longest() {
        long longest = Math.max(0, System.nanoTime() - awakeAt - NAP);
        for (Stall stall : SEEN) {
            if (stall.end - begin > 0) {
                longest = Math.max(longest, stall.nanos);
            }
        }
        return Duration.ofNanos(longest);
    }
}

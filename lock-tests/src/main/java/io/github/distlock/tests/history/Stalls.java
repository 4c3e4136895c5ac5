package io.github.distlock.tests.history;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Notices that the process came to nothing for a while: looks at the clock often, and finds that it did not. */
final class Stalls {
    private static final long LOOK = Duration.ofMillis(20).toNanos();
    private static final long NOTABLE = Duration.ofMillis(150).toNanos();

    private Stalls() {}

    static void watch(HistoryWriter history) {
        Thread watching = new Thread(() -> run(history), "stalls");
        watching.setDaemon(true);
        watching.start();
    }

    private static void run(HistoryWriter history) {
        long last = System.nanoTime();
        while (!history.isClosed()) {
            LockSupport.parkNanos(LOOK);
            long now = System.nanoTime();
            if (now - last > NOTABLE) {
                history.write(last, Event.Kind.STALLED, 0, "", 0, now, "");
            }
            last = now;
        }
    }
}

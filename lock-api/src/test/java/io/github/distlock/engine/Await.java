package io.github.distlock.engine;

import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Waits for conditions, never for time. */
final class Await {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private Await() {}

    /** The latch opens, or the thread is told to end, which its flag keeps. */
    static void open(CountDownLatch latch) {
        try {
            if (!latch.await(PATIENCE.toNanos(), TimeUnit.NANOSECONDS)) {
                throw new AssertionError("not opened within " + PATIENCE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    static void until(String what, BooleanSupplier condition) {
        Waiting.await(what, PATIENCE, condition);
    }
}

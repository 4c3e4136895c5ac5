package io.github.distlock.tests.history;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Interrupts a thread after a delay, unless the thread closes this before. {@link #close()} clears the interrupt flag.
 */
final class Interrupter implements AutoCloseable {
    private final AtomicBoolean armed = new AtomicBoolean(true);
    private final CompletableFuture<Void> over;

    private Interrupter(Thread thread, Duration delay) {
        over = CompletableFuture.runAsync(
                () -> {
                    if (armed.getAndSet(false)) {
                        thread.interrupt();
                    }
                },
                CompletableFuture.delayedExecutor(delay.toNanos(), TimeUnit.NANOSECONDS));
    }

    static Interrupter ofThisThread(Duration delay) {
        return new Interrupter(Thread.currentThread(), delay);
    }

    @Override
    public void close() {
        if (!armed.getAndSet(false)) {
            over.join();
        }
        boolean unused = Thread.interrupted();
    }
}

package io.github.distlock.cli;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * Prints messages on a thread of its own, because the reader of the standard error may be slow or may not read at all.
 * Only {@link #close} waits for it, and not long. Messages that find the queue full are dropped and counted.
 *
 * <p>Thread-safe: the supervision of a command and the listeners of its lock print.
 */
final class Messages implements AutoCloseable {
    private static final int MOST = 100;
    private static final long LONGEST_SECONDS = 1;

    private final Consumer<String> output;
    private final AtomicInteger dropped = new AtomicInteger();
    private final AtomicReference<String> last = new AtomicReference<>("");
    private final ThreadPoolExecutor printer;

    Messages() {
        this(Distlock::print);
    }

    /**
     * Starts the thread. If the machine has no room for it, this fails before the lock is acquired.
     *
     * @param output prints a message, and may block
     */
    Messages(Consumer<String> output) {
        this.output = output;
        this.printer = new ThreadPoolExecutor(
                1,
                1,
                0,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(MOST),
                Messages::daemon,
                (task, pool) -> dropped.incrementAndGet());
        var unused = printer.prestartCoreThread();
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "distlock-messages");
        thread.setDaemon(true);
        return thread;
    }

    /** Prints a message. Does not wait. */
    void say(String message) {
        printer.execute(() -> print(message));
    }

    /** Prints a message, unless it is the same as the last one of this method. Does not wait. */
    void sayIfNew(String message) {
        if (!message.equals(last.getAndSet(message))) {
            say(message);
        }
    }

    private void print(String message) {
        output.accept(message);
        int missing = dropped.getAndSet(0);
        if (missing > 0) {
            output.accept("messages dropped, because the standard error was not read in time: " + missing);
        }
    }

    /** Waits for a reader that is slow, but not long. */
    @Override
    public void close() throws InterruptedException {
        printer.shutdown();
        var unused = printer.awaitTermination(LONGEST_SECONDS, TimeUnit.SECONDS);
    }
}

package io.github.distlock.cli;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Prints messages on a thread of its own, because the reader of the standard error may be slow or may have ended. One
 * thread prints with it.
 */
final class Messages implements AutoCloseable {
    private static final long LONGEST_SECONDS = 1;

    private final ExecutorService printer = Executors.newSingleThreadExecutor(Messages::daemon);
    private String last = "";

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "distlock-messages");
        thread.setDaemon(true);
        return thread;
    }

    /** Prints a message, unless it is the same as the last one. Does not wait. */
    void say(String message) {
        if (!message.equals(last)) {
            last = message;
            printer.execute(() -> Distlock.print(message));
        }
    }

    /** Waits for a reader that is slow, but not long. */
    @Override
    public void close() throws InterruptedException {
        printer.shutdown();
        var unused = printer.awaitTermination(LONGEST_SECONDS, TimeUnit.SECONDS);
    }
}

package io.github.distlock.engine;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log of one client. A thread that does nothing else calls the logger, because a logger may block or throw: nothing
 * that keeps a promise waits for it. Each class passes its statements here, and none calls its logger itself.
 */
final class ClientLog implements AutoCloseable {
    /** It has the name of the interface, which refers to the engine and which the engine must not know. */
    static final Logger LOG = LoggerFactory.getLogger("io.github.distlock.LockClient");

    private static final int MOST_WAITING = 1_000;
    private static final long PATIENCE_MILLIS = 250;

    private final ThreadPoolExecutor thread;
    private final Backlog<Runnable> statements;

    ClientLog(String client) {
        thread = new ThreadPoolExecutor(
                1, 1, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> Work.daemon(task, client, "log"));
        thread.allowCoreThreadTimeOut(true);
        statements = new Backlog<>(
                MOST_WAITING,
                thread,
                Runnable::run,
                dropped -> LOG.warn("{}: the logger is too slow: {} log lines were dropped", client, dropped));
    }

    /** Has a log statement run soon. Neither blocks nor throws. */
    void write(Runnable statement) {
        statements.add(statement);
    }

    /** Waits up to 250 ms for the statements that wait. */
    @Override
    public void close() {
        thread.shutdown();
        try {
            if (!thread.awaitTermination(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                thread.shutdownNow();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

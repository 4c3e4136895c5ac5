package io.github.distlock.redis;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Ends late exchanges over all connections of a backend, to all its servers. A thread looks at the connections every 50
 * ms, and resets those whose exchange is late. No other means ends a blocked write, a reply that comes byte by byte, or
 * a read of an own connection.
 *
 * <p>The thread ends after a second without an exchange. An exchange notes its deadline, and then reads whether the
 * thread runs. The thread notes that it has ended, and then looks once more. So either the thread sees the exchange and
 * goes on, or the exchange starts a thread. A lock makes exchanges that find no thread wait for the outcome of its
 * start.
 */
final class LateExchanges {
    private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final int IDLE_STEPS = 20;

    private final RedisContext context;
    private final Set<BoundedConnection> connections = ConcurrentHashMap.newKeySet();
    private final ReentrantLock starting = new ReentrantLock();
    /** Whether the thread runs. Changes under the lock. */
    private volatile boolean running;

    private volatile boolean closed;

    LateExchanges(RedisContext context) {
        this.context = context;
    }

    void add(BoundedConnection connection) {
        connections.add(connection);
    }

    void remove(BoundedConnection connection) {
        connections.remove(connection);
    }

    /** Returns whether the thread runs. Starts it if it does not, because an exchange begins. */
    boolean watch() {
        if (running) {
            return true;
        }
        starting.lock();
        try {
            if (!running) {
                context.newThread("deadlines", this::resetLateOnes).start();
                running = true;
            }
            return true;
        } catch (RuntimeException | Error e) {
            // Limits of single reads end most exchanges. The next one tries again.
            return false;
        } finally {
            starting.unlock();
        }
    }

    private void resetLateOnes() {
        boolean ended = false;
        while (!ended) {
            try {
                resetUntilIdle();
                ended = hasEnded();
            } catch (RuntimeException | Error e) {
                // Nothing else may end the exchanges under way, so the thread goes on.
            }
        }
    }

    /** Notes that the thread ends. It goes on if an exchange is under way. */
    private boolean hasEnded() {
        boolean ended = false;
        starting.lock();
        try {
            running = false;
            ended = !isAnyUnderWay();
            return ended;
        } finally {
            running = !ended;
            starting.unlock();
        }
    }

    private void resetUntilIdle() {
        for (int idle = 0; idle < (closed ? 1 : IDLE_STEPS); idle++) {
            LockSupport.parkNanos(this, STEP_NANOS);
            if (isAnyUnderWay()) {
                idle = 0;
            }
        }
    }

    private boolean isAnyUnderWay() {
        boolean any = false;
        for (BoundedConnection connection : connections) {
            any |= connection.resetIfLate();
        }
        return any;
    }

    /** Ends the thread as soon as no exchange is under way. */
    void close() {
        closed = true;
    }
}

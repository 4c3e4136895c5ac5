package io.github.distlock.redis;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * Ends late exchanges over all connections of a backend, to all its servers. A thread looks at the connections every 50
 * ms, and resets those whose exchange is late: no other means ends a blocked write, or a reply that comes byte by byte.
 *
 * <p>The thread ends after a second without an exchange. An exchange notes its deadline, and then reads whether the
 * thread runs. The thread notes that it has ended, and then looks once more. So either the exchange starts a thread, or
 * the thread sees the exchange and starts another one.
 */
final class LateExchanges {
    private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final int IDLE_STEPS = 20;

    private final RedisContext context;
    private final Set<BoundedConnection> connections = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean watching = new AtomicBoolean();
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

    /** Sees to it that the thread runs, because an exchange begins. */
    void watch() {
        if (watching.get() || !watching.compareAndSet(false, true)) {
            return;
        }
        try {
            context.newThread("deadlines", this::resetLateOnes).start();
        } catch (RuntimeException | Error e) {
            // Without this thread, most exchanges still end in time. The next one tries again.
            watching.set(false);
        }
    }

    private void resetLateOnes() {
        try {
            for (int idle = 0; idle < (closed ? 1 : IDLE_STEPS); idle++) {
                LockSupport.parkNanos(this, STEP_NANOS);
                if (isAnyUnderWay()) {
                    idle = 0;
                }
            }
        } finally {
            watching.set(false);
        }
        if (isAnyUnderWay()) {
            watch();
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

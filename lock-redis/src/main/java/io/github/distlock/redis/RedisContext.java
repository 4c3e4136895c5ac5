package io.github.distlock.redis;

import static java.util.Objects.requireNonNull;

import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.LockClock;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What the engine offers to the parts of a backend. They are made before the engine starts the backend, and use this
 * only afterwards. Thread-safe.
 */
final class RedisContext {
    /** What each grant of this backend names as its server. */
    private static final Object SERVER = "";

    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    final LockClock clock;
    private final AtomicInteger threads = new AtomicInteger();
    private final AtomicLong lastLossAt;
    private volatile @Nullable BackendContext engine;

    RedisContext(LockClock clock) {
        this.clock = clock;
        this.lastLossAt = new AtomicLong(clock.nanoTime() - PAUSE_NANOS);
    }

    void start(BackendContext context) {
        engine = context;
    }

    private BackendContext engine() {
        return requireNonNull(engine, "the engine starts a backend first");
    }

    Thread newThread(String role, Runnable task) {
        return engine().newThread(role, task);
    }

    /** Returns a factory of threads that make connections, or that call a caller-supplied client. */
    ThreadFactory redisThreads() {
        return task -> newThread("redis" + threads.incrementAndGet(), task);
    }

    /** Runs a log statement soon, on another thread. */
    void log(Runnable statement) {
        engine().log(statement);
    }

    /**
     * Has all holds renewed at once, because a connection with a request under way or the subscription has broken. A
     * call within a second after another one does nothing.
     */
    void connectionLost() {
        long now = clock.nanoTime();
        long last = lastLossAt.get();
        if (now - last >= PAUSE_NANOS && lastLossAt.compareAndSet(last, now)) {
            engine().connectionLost(SERVER);
        }
    }
}

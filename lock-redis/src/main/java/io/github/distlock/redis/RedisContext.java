package io.github.distlock.redis;

import static java.util.Objects.requireNonNull;

import io.github.distlock.redis.connection.ConnectionContext;
import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.LockClock;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What the engine offers to the parts of a backend. They are made before the engine starts the backend, and use this
 * only afterwards. Thread-safe.
 */
final class RedisContext implements ConnectionContext {
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    final LockClock clock;
    private final Consumer<Object> replaced;
    private final AtomicInteger threads = new AtomicInteger();
    /** When a connection to a server was last lost. */
    private final Map<Object, Long> losses = new ConcurrentHashMap<>();

    private volatile @Nullable BackendContext engine;

    /**
     * Makes a context without an engine.
     *
     * @param replaced takes each server that another process serves from now on; must not block
     */
    RedisContext(LockClock clock, Consumer<Object> replaced) {
        this.clock = clock;
        this.replaced = replaced;
    }

    void start(BackendContext context) {
        engine = context;
    }

    private BackendContext engine() {
        return requireNonNull(engine, "the engine starts a backend first");
    }

    /** Throws an {@link IllegalStateException} if no client has started the backend. */
    void requireStarted() {
        if (engine == null) {
            throw new IllegalStateException("no client has started this backend: create a LockClient with it first");
        }
    }

    @Override
    public LockClock clock() {
        return clock;
    }

    Thread newThread(String role, Runnable task) {
        return engine().newThread(role, task);
    }

    /** Returns a factory of threads that make connections, or that call a caller-supplied client. */
    ThreadFactory redisThreads() {
        return task -> newThread("redis" + threads.incrementAndGet(), task);
    }

    @Override
    public Thread newThread(Runnable task) {
        return redisThreads().newThread(task);
    }

    /** Runs a log statement soon, on another thread. */
    void log(Runnable statement) {
        engine().log(statement);
    }

    @Override
    public void connectionLost(Object server) {
        long now = clock.nanoTime();
        Long last = losses.putIfAbsent(server, now);
        boolean isFirst = last == null;
        if (isFirst || (now - last >= PAUSE_NANOS && losses.replace(server, last, now))) {
            engine().connectionLost(server);
        }
        if (isFirst) {
            losses.values().removeIf(noted -> now - noted >= PAUSE_NANOS);
        }
    }

    /**
     * Has all holds on a server renewed at once, and withdraws what has ended, because another process serves the
     * locks from now on.
     *
     * @param server as {@link Redis#server} names it
     */
    void serverReplaced(Object server) {
        engine().connectionLost(server);
        replaced.accept(server);
    }
}

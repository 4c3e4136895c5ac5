package io.github.distlock;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.engine.Checks;
import io.github.distlock.engine.Engine;
import io.github.distlock.engine.FencingTokens;
import io.github.distlock.engine.Settings;
import io.github.distlock.spi.LockBackend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Settings of a {@link LockClient}. Builds one client, which owns the backend. Not thread-safe. */
@SuppressWarnings("exports") // an annotation for tools, which users need not have
public final class LockClientBuilder {
    private static final AtomicInteger CLIENTS = new AtomicInteger();

    private final LockBackend backend;
    private String name = "client" + CLIENTS.incrementAndGet();
    private LockOptions defaultOptions = LockOptions.defaults();
    private Duration requestTimeout = Duration.ofSeconds(1);
    private Duration outageTimeout = Duration.ofSeconds(30);
    private Duration shutdownTimeout = Duration.ofSeconds(2);
    private double clockDrift = 0.01;
    private Duration clockGuard = Duration.ofMillis(50);
    private int maxHandoffs = 64;
    private Duration handoffTime = Duration.ofMillis(20);
    private boolean recordAcquireStacks;

    private final List<LockListener> listeners = new ArrayList<>();
    private final List<LockHook> hooks = new ArrayList<>();
    private @Nullable Executor callbackExecutor;

    private boolean built;

    LockClientBuilder(LockBackend backend) {
        this.backend = requireNonNull(backend, "backend");
    }

    /**
     * Sets the client's name. It appears in thread names, log lines and at the store.
     *
     * @param name not blank; {@code client<n>} by default
     * @return this
     */
    @CanIgnoreReturnValue
    public LockClientBuilder name(String name) {
        if (requireNonNull(name, "name").isBlank()) {
            throw new IllegalArgumentException("name must not be blank");
        }
        this.name = name;
        return this;
    }

    /**
     * Returns the name that the client will have.
     *
     * @return as {@linkplain #name(String) set}, or the default
     */
    public String name() {
        return name;
    }

    /**
     * Sets the options of locks that are made without options.
     *
     * @param options {@link LockOptions#defaults()} by default
     * @return this
     */
    @CanIgnoreReturnValue
    public LockClientBuilder defaultOptions(LockOptions options) {
        defaultOptions = requireNonNull(options, "options");
        return this;
    }

    /**
     * Sets how long one request to the store may go unanswered.
     *
     * @param requestTimeout from 1 ms to 1 h; 1 s by default
     * @return this
     */
    @CanIgnoreReturnValue
    public LockClientBuilder requestTimeout(Duration requestTimeout) {
        this.requestTimeout =
                Checks.duration(requestTimeout, "requestTimeout", Duration.ofMillis(1), Duration.ofHours(1));
        return this;
    }

    /**
     * Sets how long an acquire without a time limit continues to ask a store that does not answer at all.
     *
     * @param outageTimeout from 1 ms to 24 h; 30 s by default
     * @return this
     */
    @CanIgnoreReturnValue
    public LockClientBuilder outageTimeout(Duration outageTimeout) {
        this.outageTimeout =
                Checks.duration(outageTimeout, "outageTimeout", Duration.ofMillis(1), Checks.LONGEST_LEASE);
        return this;
    }

    /**
     * Sets how long {@link LockClient#close()} waits for holders.
     *
     * @param shutdownTimeout from 0 to 1 h; 2 s by default
     * @return this
     */
    @CanIgnoreReturnValue
    public LockClientBuilder shutdownTimeout(Duration shutdownTimeout) {
        this.shutdownTimeout = Checks.duration(shutdownTimeout, "shutdownTimeout", Duration.ZERO, Duration.ofHours(1));
        return this;
    }

    /**
     * Sets by how much the store's clock may run faster than this machine's. The client takes this share off the
     * validity of each hold.
     *
     * @param share from 0 to 0.5; 0.01 by default
     * @return this
     */
    @CanIgnoreReturnValue
    public LockClientBuilder clockDrift(double share) {
        if (!(share >= 0 && share <= 0.5)) {
            throw new IllegalArgumentException("share must be from 0 to 0.5, but was " + share);
        }
        clockDrift = share;
        return this;
    }

    /**
     * Sets what the client takes off the validity of each hold for small steps of the store's clock. It takes a
     * twentieth of the lease if that is more.
     *
     * @param guard from 0 to 1 h; 50 ms by default
     * @return this
     */
    @CanIgnoreReturnValue
    public LockClientBuilder clockGuard(Duration guard) {
        clockGuard = Checks.duration(guard, "guard", Duration.ZERO, Duration.ofHours(1));
        return this;
    }

    /**
     * Bounds local handoff: how often and for how long threads of this client may hand one grant to each other before
     * the store's queue decides again. The bound that is reached first counts. Within the time, the threads may go on
     * if the store says that no other client waits. {@linkplain LockOptions#fair() Fair}
     * locks are never handed off locally. {@linkplain LockOptions#sticky() Sticky} locks have their own bounds.
     *
     * @param max how often, from 0 (never) to 255; 64 by default
     * @param time how long after the grant, from 0 to 1 min; 20 ms by default
     * @return this
     */
    @CanIgnoreReturnValue
    public LockClientBuilder localHandoff(int max, Duration time) {
        if (max < 0 || max > FencingTokens.MAX_HANDOFFS) {
            throw new IllegalArgumentException(
                    "max must be from 0 to " + FencingTokens.MAX_HANDOFFS + ", but was " + max);
        }
        handoffTime = Checks.duration(time, "time", Duration.ZERO, Duration.ofMinutes(1));
        maxHandoffs = max;
        return this;
    }

    /**
     * Sets whether each hold records the stack of its acquire, which the log shows if the hold leaks. Costs
     * microseconds per acquire.
     *
     * @param record false by default
     * @return this
     */
    @CanIgnoreReturnValue
    public LockClientBuilder recordAcquireStacks(boolean record) {
        recordAcquireStacks = record;
        return this;
    }

    /**
     * Adds a listener for the events of this client's locks, for metrics. Several listeners receive each event one
     * after another.
     *
     * @param listener none by default
     * @return this
     */
    @CanIgnoreReturnValue
    public LockClientBuilder listener(LockListener listener) {
        listeners.add(requireNonNull(listener, "listener"));
        return this;
    }

    /**
     * Adds a hook, which runs on the threads that acquire and release this client's locks. Several hooks run in the
     * order in which they were added before an acquire, a wait or a release, and in the reverse order after it.
     *
     * @param hook none by default
     * @return this
     */
    @CanIgnoreReturnValue
    public LockClientBuilder hook(LockHook hook) {
        hooks.add(requireNonNull(hook, "hook"));
        return this;
    }

    /**
     * Sets where code of the application runs: listeners, and dependents of the futures of asynchronous acquires.
     *
     * @param executor by default threads of the client's own: four, and more once a task has waited for 50 ms
     * @return this
     */
    @CanIgnoreReturnValue
    public LockClientBuilder callbackExecutor(Executor executor) {
        callbackExecutor = requireNonNull(executor, "executor");
        return this;
    }

    /**
     * Builds the client. Sends nothing.
     *
     * @return a new client
     * @throws IllegalArgumentException if the store cannot provide the default options
     * @throws IllegalStateException if this builder has built a client already, which owns the backend
     */
    public LockClient build() {
        if (built) {
            throw new IllegalStateException("this builder has built a client already, which owns the backend");
        }
        Settings settings = new Settings(
                name,
                requestTimeout.toNanos(),
                outageTimeout.toNanos(),
                shutdownTimeout.toNanos(),
                clockDrift,
                clockGuard.toNanos(),
                maxHandoffs,
                handoffTime.toNanos(),
                recordAcquireStacks);
        Engine engine = new Engine(backend, settings, listeners, hooks, callbackExecutor);
        LockClient client = new EngineClient(engine, defaultOptions);
        built = true;
        return client;
    }
}

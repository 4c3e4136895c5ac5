package io.github.distlock;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.spi.LockBackend;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Settings of a {@link LockClient}. Not thread-safe. Builds one client, which owns the backend.
 */
@SuppressWarnings("exports") // an annotation for tools, which users need not have
public final class LockClientBuilder {
    private static final AtomicInteger CLIENTS = new AtomicInteger();

    final LockBackend backend;
    String name = "client" + CLIENTS.incrementAndGet();
    LockOptions defaultOptions = LockOptions.defaults();
    Duration requestTimeout = Duration.ofSeconds(1);
    Duration outageTimeout = Duration.ofSeconds(30);
    Duration shutdownTimeout = Duration.ofSeconds(2);
    double clockDrift = 0.01;
    Duration clockGuard = Duration.ofMillis(50);
    int maxPasses = 64;
    Duration maxPassing = Duration.ofMillis(20);
    boolean recordAcquireStacks;

    @Nullable
    LockListener listener;

    @Nullable
    Executor callbackExecutor;

    private boolean built;

    LockClientBuilder(LockBackend backend) {
        this.backend = requireNonNull(backend, "backend");
    }

    /**
     * The client's name, in thread names, log lines and owner metadata.
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
     * The options of locks that are made without any.
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
     * How long one request to the store may go unanswered.
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
     * How long an acquire without a time limit goes on asking a store that does not answer at all.
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
     * How long {@link LockClient#close()} lets holders finish.
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
     * How much faster the store's clock may run than this machine's: the share that is taken off the validity of each
     * hold.
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
     * The time that is taken off the validity of each hold, for small steps of the store's clock: this, or a twentieth of
     * the lease where that is more.
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
     * How long threads of this client may pass one grant among themselves before the store's queue decides again: both
     * bounds hold, whichever comes first. {@linkplain LockOptions#fair() Fair} locks never pass.
     *
     * @param passes how often, from 0 (never) to 255; 64 by default
     * @param time how long after the grant, from 0 to 1 min; 20 ms by default
     * @return this
     */
    @CanIgnoreReturnValue
    public LockClientBuilder passing(int passes, Duration time) {
        if (passes < 0 || passes > FencingTokens.MAX_PASSES) {
            throw new IllegalArgumentException(
                    "passes must be from 0 to " + FencingTokens.MAX_PASSES + ", but was " + passes);
        }
        maxPasses = passes;
        maxPassing = Checks.duration(time, "time", Duration.ZERO, Duration.ofMinutes(1));
        return this;
    }

    /**
     * Whether each hold remembers the stack of its acquire, to be shown when it leaks. Costs microseconds per acquire.
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
     * Who is told of everything that happens to this client's locks, for metrics.
     *
     * @param listener none by default
     * @return this
     */
    @CanIgnoreReturnValue
    public LockClientBuilder listener(LockListener listener) {
        this.listener = requireNonNull(listener, "listener");
        return this;
    }

    /**
     * Where foreign code runs: listeners, and what depends on the futures of asynchronous acquires.
     *
     * @param executor by default threads of the client's own, as many as needed
     * @return this
     */
    @CanIgnoreReturnValue
    public LockClientBuilder callbackExecutor(Executor executor) {
        callbackExecutor = requireNonNull(executor, "executor");
        return this;
    }

    /**
     * The client. Sends nothing.
     *
     * @return a new client
     * @throws IllegalArgumentException when the store cannot do what the default options ask for
     * @throws IllegalStateException when this builder has built one already: a client owns its backend
     */
    public LockClient build() {
        if (built) {
            throw new IllegalStateException("this builder has built a client already, which owns the backend");
        }
        LockClient client = new Engine(this);
        built = true;
        return client;
    }
}

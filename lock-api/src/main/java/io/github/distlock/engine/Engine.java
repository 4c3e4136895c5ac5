package io.github.distlock.engine;

import io.github.distlock.DistributedLock;
import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.DistributedSemaphore;
import io.github.distlock.LockHook;
import io.github.distlock.LockInspector;
import io.github.distlock.LockListener;
import io.github.distlock.LockOptions;
import io.github.distlock.LockUsage;
import io.github.distlock.LossReason;
import io.github.distlock.engine.Outcome.Ended;
import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockClock.Parker;
import io.github.distlock.spi.LockMode;
import io.github.distlock.view.JointLock;
import io.github.distlock.view.ReentrantHolds;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The engine of one client: puts its parts together, and ends them in order. No part knows this class.
 *
 * <h2>Threads</h2>
 *
 * Blocking acquires and releases do their I/O on the caller's thread. Each of the engine's own threads has one role, so
 * that a request that hangs in one role delays no other: {@code timer} (expiry and alarms, no I/O), {@code renewal},
 * {@code request} (steps of asynchronous acquires), {@code release} (asynchronous releases, those of dormant leases and
 * of dropped handles), {@code cleanup}, {@code close} (releases of a closing client), {@code log}, {@code callback}
 * (code of the application), {@code interrupt} (interrupts of threads whose holds are lost). They inherit nothing from
 * the threads of the application.
 *
 * <h2>Closing</h2>
 *
 * {@link #close} ends all acquires ({@link LocalQueues} explains why none is missed), waits for the holders, and then
 * ends their holds. It waits for the requests under way, since their grants must be given back. After the shutdown
 * timeout, it takes two request timeouts at most: one for the releases of all holds, and one for everything else.
 */
public final class Engine {
    private static final int REQUEST_THREADS = 16;
    private static final int RELEASE_THREADS = 4;
    private static final long PATIENCE = Duration.ofMillis(250).toNanos();
    private static final long CLOSING_PAUSE = Duration.ofMillis(2).toNanos();

    private final LockBackend backend;
    private final LockClock clock;
    private final Settings settings;
    private final Lifecycle lifecycle;
    private final ClientLog log;
    private final Timer timer;
    private final Requests requests;
    private final Work requestThreads;
    private final Work releaseThreads;
    private final Callbacks callbacks;
    private final CleanUp cleanUp;
    private final LeaseKeeper keeper;
    private final Releases releases;
    private final LocalQueues queues;
    private final ReentrantHolds reentrantHolds = new ReentrantHolds();
    private final NamedLock.Shared locks;
    private final Downgrades downgrades;
    private final ReferenceQueue<Handle> droppedHandles = new ReferenceQueue<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private @Nullable Object checkpointHook;

    /**
     * Makes an engine, which has to be {@linkplain #start started}. From then on it owns the backend.
     *
     * @param listeners are notified of events
     * @param hooks run on the threads that acquire and release
     * @param callbackExecutor runs code of the application, or null for threads of the engine
     */
    public Engine(
            LockBackend backend,
            Settings settings,
            List<LockListener> listeners,
            List<LockHook> hooks,
            @Nullable Executor callbackExecutor) {
        this.backend = backend;
        this.settings = settings;
        clock = backend.clock();
        String client = settings.client();
        lifecycle = new Lifecycle(client);
        log = new ClientLog(client);
        timer = new Timer(client, clock, log);
        Work.Shared shared = new Work.Shared(client, clock, timer, log);
        requests = new Requests(settings, clock);
        requestThreads = Work.bounded(REQUEST_THREADS, "request", shared);
        releaseThreads = Work.bounded(RELEASE_THREADS, "release", shared);
        callbacks = new Callbacks(callbackExecutor, listeners, hooks, shared);
        cleanUp = new CleanUp(backend, settings, shared);
        keeper = new LeaseKeeper(backend, settings, shared, () -> releaseDropped(shared));
        releases = new Releases(backend, settings, requests, cleanUp, releaseThreads, shared);
        Lease.Shared leases = new Lease.Shared(
                settings,
                clock,
                timer,
                keeper,
                releases,
                new RequestedRenewals(backend, settings, requests, keeper),
                callbacks,
                log,
                droppedHandles,
                new AtomicLong());
        queues = new LocalQueues(new LocalQueue.Shared(backend, client, keeper, cleanUp, leases), lifecycle);
        downgrades = new Downgrades(queues, requests, releases, leases);
        Deadlocks deadlocks = new Deadlocks(queues, clock, callbacks, log);
        Acquisition.Shared acquisitions =
                new Acquisition.Shared(queues, clock, requests, callbacks, deadlocks, settings.recordsAcquireStacks());
        locks = new NamedLock.Shared(backend, settings, lifecycle, acquisitions, timer, requestThreads, reentrantHolds);
    }

    /** Starts the backend and the timer. Closes the backend and throws if either cannot be started. */
    public void start() {
        try {
            backend.start(new Context(settings.client(), log, keeper));
            timer.start();
            checkpointHook = CheckpointHook.Registration.of(this::suspend, lifecycle::resume);
        } catch (Throwable e) {
            timer.close();
            backend.close();
            throw e;
        }
    }

    /**
     * Gives up all holds and all acquires before a checkpoint of the process, because each restored copy of it would
     * have them. Until the process has been restored, acquires fail.
     */
    private void suspend() {
        if (lifecycle.suspend()) {
            queues.endAll(Ended.CHECKPOINT);
            giveUpHolds(LossReason.CHECKPOINT);
            await(requests::areAnswered, settings.requestTimeout());
            await(cleanUp::isIdle, settings.requestTimeout());
            backend.disconnect();
        }
    }

    /** What the backend gets from the engine. */
    private record Context(String clientName, ClientLog log, LeaseKeeper keeper) implements BackendContext {
        @Override
        public Thread newThread(String role, Runnable task) {
            return Work.daemon(task, clientName, role);
        }

        @Override
        public void log(Runnable statement) {
            log.write(statement);
        }

        @Override
        public void connectionLost(Object server) {
            keeper.connectionLost(server);
        }
    }

    /** Does the work of {@code LockClient.lock(name, options)}, with its errors. */
    public DistributedLock lock(String name, LockOptions options) {
        return named(name, options);
    }

    private NamedLock named(String name, LockOptions options) {
        require(name, options);
        return new NamedLock(new LockKey(name, LockMode.EXCLUSIVE, options), locks);
    }

    /** Does the work of {@code LockClient.readWriteLock(name, options)}, with its errors. */
    public DistributedReadWriteLock readWriteLock(String name, LockOptions options) {
        require(name, options);
        requirePlain("read-write locks", options);
        requireSupport("read-write locks", Capability.READ_WRITE);
        return new NamedReadWriteLock(name, options, locks, downgrades);
    }

    /** Does the work of {@code LockClient.semaphore(name, limit, options)}, with its errors. */
    public DistributedSemaphore semaphore(String name, int limit, LockOptions options) {
        require(name, options);
        if (limit < 1) {
            throw new IllegalArgumentException("limit must be at least 1, but was " + limit);
        }
        requirePlain("semaphores", options);
        requireSupport("semaphores", Capability.PERMITS);
        return new NamedSemaphore(name, limit, options, locks);
    }

    private void require(String name, LockOptions options) {
        Checks.name(name);
        requireSupport(options);
        lifecycle.ensureOpen();
    }

    private static void requirePlain(String what, LockOptions options) {
        if (options.isSticky()) {
            throw new IllegalArgumentException("sticky is for plain locks and not for " + what);
        }
        requirePlain("minimumHold", options.minimumHold(), what);
        requirePlain("lockDelay", options.lockDelay(), what);
    }

    private static void requirePlain(String option, Optional<Duration> time, String what) {
        if (time.isPresent()) {
            throw new IllegalArgumentException(
                    option + " is for plain locks and not for " + what + ", but was " + time.get());
        }
    }

    private void requireSupport(String what, Capability capability) {
        if (!backend.capabilities().contains(capability)) {
            throw new IllegalArgumentException("this store cannot provide " + what + ": it has no " + capability);
        }
    }

    /** Does the work of {@code LockClient.allOf(names, options)}, with its errors. */
    public DistributedLock allOf(Collection<String> names, LockOptions options) {
        return JointLock.of(
                names,
                name -> named(name, options),
                name -> named(name, options).asPart(),
                reentrantHolds,
                clock);
    }

    /** Throws if the store cannot provide locks with these options. */
    public void requireSupport(LockOptions options) {
        if (options.isFair()) {
            requireSupport("fair locks", Capability.FAIR);
        }
        if (options.isSticky()) {
            requireSupport("sticky locks", Capability.STICKY);
        }
        if (options.lockDelay().isPresent()) {
            requireSupport("lock delays", Capability.LOCK_DELAY);
        }
        Duration lease = options.lease();
        if (lease.compareTo(backend.minimumLease()) < 0 || settings.usable(lease.toNanos()) <= 0) {
            throw new IllegalArgumentException("lease must be at least " + backend.minimumLease()
                    + " on this store, and longer than the allowance for clocks, but was " + lease);
        }
        requireAtMost(backend.maximumLease(), "lease", lease);
        requireAtMost(
                backend.maximumLease(), "minimumHold", options.minimumHold().orElse(Duration.ZERO));
        requireLessThanUsable(options.minimumValidity().orElse(Duration.ZERO), lease);
        requireAtMost(
                backend.maximumLease(),
                "lease and lockDelay together",
                lease.plus(options.lockDelay().orElse(Duration.ZERO)));
    }

    private void requireLessThanUsable(Duration minimumValidity, Duration lease) {
        Duration usable = Duration.ofNanos(settings.usable(lease.toNanos()));
        if (minimumValidity.compareTo(usable) >= 0) {
            throw new IllegalArgumentException("minimumValidity must be less than " + usable
                    + ", which the allowance for clocks leaves of a lease of " + lease + ", but was "
                    + minimumValidity);
        }
    }

    private static void requireAtMost(Duration longest, String what, Duration time) {
        if (time.compareTo(longest) > 0) {
            throw new IllegalArgumentException(
                    what + " must be at most " + longest + " on this store, but was " + time);
        }
    }

    public String clientName() {
        return settings.client();
    }

    /** Does the work of {@code LockClient.usage()}. */
    public List<LockUsage> usage() {
        return queues.usage();
    }

    /** Does the work of {@code LockClient.dump()}. */
    public String dump() {
        return Dump.of(settings.client(), queues.all(), clock.nanoTime());
    }

    /** Returns an inspector. Throws {@link UnsupportedOperationException} if the store has none. */
    public LockInspector inspector() {
        return new StoreInspector(backend, settings.client(), lifecycle, requests);
    }

    /** The timer runs this. If one hold throws, the others are still reported, and leases are still renewed. */
    private void releaseDropped(Work.Shared shared) {
        reentrantHolds.forgetDeadThreads();
        for (Reference<?> dropped = droppedHandles.poll(); dropped != null; dropped = droppedHandles.poll()) {
            if (dropped instanceof Hold hold) {
                shared.runLogged(hold::dropped);
            }
        }
    }

    /** Does the work of {@code LockClient.close()}. */
    public void close() {
        boolean interrupted = Thread.interrupted();
        if (lifecycle.close()) {
            try {
                end();
            } finally {
                ended.countDown();
                Reference.reachabilityFence(checkpointHook);
            }
        } else if (!callbacks.isOwnThread()) {
            await(() -> ended.getCount() == 0, Checks.FOREVER);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void end() {
        queues.endAll(Ended.CLOSED);
        await(keeper::holdsNothing, settings.shutdownTimeout());
        giveUpHolds(LossReason.CLIENT_CLOSED);
        Deadline answers = requests.deadline();
        await(requests::areAnswered, answers.remainingNanos());
        requestThreads.close();
        releaseThreads.closeAfter(answers.remainingNanos());
        // The last answer may have been a grant that nobody wants.
        cleanUp.close(Math.max(PATIENCE, answers.remainingNanos()));
        keeper.close();
        timer.close();
        callbacks.close();
        try {
            backend.close();
        } catch (RuntimeException | Error e) {
            log.write(() -> ClientLog.LOG.error("{}: closing the backend failed", settings.client(), e));
        }
        log.close();
    }

    /** Ends all holds as lost, gives their listeners a moment, and then releases them. */
    private void giveUpHolds(LossReason reason) {
        List<WonGrant> lost = keeper.leases().stream()
                .filter(lease -> lease.loseQuietly(reason))
                .filter(lease -> !releases.isWithdrawn(lease.won(), lease.holds.wereHeld()))
                .map(Lease::won)
                .toList();
        await(callbacks::areQuiet, PATIENCE);
        if (!lost.isEmpty()) {
            releases.releaseAll(lost, requests.deadline());
        }
    }

    private void await(BooleanSupplier condition, long nanos) {
        long deadline = clock.nanoTime() + nanos;
        boolean interrupted = false;
        try (Parker parker = clock.parker()) {
            while (!condition.getAsBoolean() && deadline - clock.nanoTime() > 0) {
                parker.parkUntil(Math.min(deadline, clock.nanoTime() + CLOSING_PAUSE));
                interrupted |= Thread.interrupted();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

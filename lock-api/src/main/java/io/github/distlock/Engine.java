package io.github.distlock;

import static java.util.Objects.requireNonNull;

import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockClock.Parker;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * A client: what the acquires of one backend share, and its orderly end.
 *
 * <h2>Threads</h2>
 *
 * Blocking acquires and releases do their I/O on the caller's thread. The engine's own threads have one role each, so that
 * what hangs in one does not hold up another: {@code timer} (expiry and alarms, no I/O), {@code renewal}, {@code request}
 * (steps of asynchronous acquires), {@code release} (asynchronous releases, leaks), {@code cleanup}, {@code callback} (foreign code).
 *
 * <h2>Closing</h2>
 *
 * {@code closed} is set first. An acquire enters its queue and then reads {@code closed}; closing sets it and then looks
 * through the queues: so each acquire is seen by one of the two, and none waits on. Requests under way are waited for, since
 * what they may still be granted has to be given back.
 */
final class Engine implements LockClient {
    private static final int REQUEST_THREADS = 16;
    private static final int RELEASE_THREADS = 4;
    private static final long CALLBACK_PATIENCE = Duration.ofMillis(250).toNanos();
    private static final long CLOSING_PAUSE = Duration.ofMillis(2).toNanos();

    private final LockBackend backend;
    private final LockClock clock;
    private final Settings settings;
    private final LockOptions defaultOptions;
    private final Timer timer;
    private final Work requests;
    private final Work releases;
    private final Callbacks callbacks;
    private final CleanUp cleanUp;
    private final LeaseKeeper keeper;
    private final ConcurrentHashMap<LocalQueue.Key, LocalQueue> queues = new ConcurrentHashMap<>();
    private final ReferenceQueue<Handle> droppedHandles = new ReferenceQueue<>();
    private final AtomicInteger requestsUnderWay = new AtomicInteger();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final CountDownLatch ended = new CountDownLatch(1);

    Engine(LockClientBuilder builder) {
        backend = builder.backend;
        clock = backend.clock();
        settings = Settings.of(builder);
        defaultOptions = supported(builder.defaultOptions);
        timer = new Timer(settings.client(), clock);
        requests = Work.bounded(REQUEST_THREADS, settings.client(), "request", clock);
        releases = Work.bounded(RELEASE_THREADS, settings.client(), "release", clock);
        callbacks = new Callbacks(settings, builder.callbackExecutor, builder.listener, clock);
        cleanUp = new CleanUp(backend, settings, timer);
        keeper = new LeaseKeeper(backend, settings, timer, this::releaseDropped);
    }

    // ---- the client ----------------------------------------------------------------------------------------------

    @Override
    public DistributedLock lock(String name) {
        return lock(name, defaultOptions);
    }

    @Override
    public DistributedLock lock(String name, LockOptions options) {
        Checks.name(name);
        LockOptions supported = supported(requireNonNull(options, "options"));
        ensureOpen();
        return new NamedLock(this, name, supported);
    }

    private LockOptions supported(LockOptions options) {
        if (options.isFair() && !backend.capabilities().contains(Capability.FAIR)) {
            throw new IllegalArgumentException("options ask for a fair lock, but this store has no " + Capability.FAIR);
        }
        Duration lease = options.lease();
        if (lease.compareTo(backend.minimumLease()) < 0 || settings.usable(lease.toNanos()) <= 0) {
            throw new IllegalArgumentException("lease must be at least " + backend.minimumLease()
                    + " on this store, and longer than the allowance for clocks, but was " + lease);
        }
        return options;
    }

    @Override
    public LockInspector inspector() {
        return new StoreInspector(this);
    }

    void ensureOpen() {
        if (isClosed()) {
            throw closedException();
        }
    }

    boolean isClosed() {
        return closed.get();
    }

    IllegalStateException closedException() {
        return new IllegalStateException("lock client \"" + settings.client() + "\" is closed");
    }

    // ---- what acquires share -------------------------------------------------------------------------------------

    /** A new acquire, in its queue. */
    <A extends Acquisition> A begin(LocalQueue.Key key, Function<LocalQueue, A> make) {
        while (true) {
            LocalQueue queue = queues.computeIfAbsent(key, absent -> new LocalQueue(this, absent));
            A acquisition = make.apply(queue);
            if (queue.enter(acquisition)) {
                if (closed.get()) {
                    acquisition.settle(Acquisition.CLOSED);
                }
                return acquisition;
            }
        }
    }

    void retire(LocalQueue.Key key, LocalQueue queue) {
        queues.remove(key, queue);
    }

    /** Whether this client has the lock itself, so that the store need not be asked. */
    boolean holds(LocalQueue.Key key) {
        LocalQueue queue = queues.get(key);
        return queue != null && queue.hasLease();
    }

    LockOwner owner(String threadName) {
        return LockOwner.of(Host.NAME, Host.PROCESS_ID, settings.client(), threadName);
    }

    Deadline requestDeadline() {
        return Deadline.after(Duration.ofNanos(settings.requestTimeout()), clock);
    }

    private void releaseDropped() {
        for (Reference<?> dropped = droppedHandles.poll(); dropped != null; dropped = droppedHandles.poll()) {
            if (dropped instanceof Hold hold) {
                releases.execute(hold::dropped);
            }
        }
    }

    LockBackend backend() {
        return backend;
    }

    LockClock clock() {
        return clock;
    }

    Settings settings() {
        return settings;
    }

    Timer timer() {
        return timer;
    }

    Work requests() {
        return requests;
    }

    Work releases() {
        return releases;
    }

    <T> CallbackFuture<T> newFuture() {
        return new CallbackFuture<>(callbacks::run);
    }

    Callbacks callbacks() {
        return callbacks;
    }

    CleanUp cleanUp() {
        return cleanUp;
    }

    LeaseKeeper keeper() {
        return keeper;
    }

    ReferenceQueue<Handle> droppedHandles() {
        return droppedHandles;
    }

    AtomicInteger requestsUnderWay() {
        return requestsUnderWay;
    }

    // ---- closing -------------------------------------------------------------------------------------------------

    @Override
    public void close() {
        boolean interrupted = Thread.interrupted();
        if (closed.compareAndSet(false, true)) {
            try {
                end();
            } finally {
                ended.countDown();
            }
        } else if (!callbacks.isOwnThread()) {
            await(() -> ended.getCount() == 0, Checks.FOREVER);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void end() {
        queues.values().forEach(queue -> queue.everybody().forEach(waiter -> waiter.settle(Acquisition.CLOSED)));
        await(keeper::isEmpty, settings.shutdownTimeout());
        List<Lease> lost = keeper.leases().stream()
                .filter(lease -> lease.loseQuietly(LossReason.CLIENT_CLOSED))
                .toList();
        await(callbacks::areQuiet, CALLBACK_PATIENCE);
        lost.forEach(lease -> Work.runLogged(lease::cleanUp));
        await(() -> requestsUnderWay.get() == 0, settings.requestTimeout());
        requests.close();
        releases.closeAfter(settings.requestTimeout());
        cleanUp.close(settings.requestTimeout());
        keeper.close();
        timer.close();
        callbacks.close();
        Work.runLogged(backend::close);
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

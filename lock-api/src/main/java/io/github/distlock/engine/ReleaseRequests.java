package io.github.distlock.engine;

import io.github.distlock.ReleaseRequest;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.RequestedRelease;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Requests of others to release holds of this client. While a hold has a listener, the store is asked twice a second
 * for its last request: one exchange per server, for all such holds. So nothing depends on a message, and a client that
 * was cut off hears of a request from its first answer. A client without listeners asks nothing.
 *
 * <p><b>For which hold a request is.</b> The store knows grants, and not their local handoffs. A hold that began with
 * its grant hears of each request that the store got since. Another hold hears of those that came after it began, by
 * the clock of this client. The backend states a time by which a request had come, so none is missed. This time is at
 * most a round trip too late, and never after the answer that first had the request. So a hold that begins within a
 * round trip after a request may hear of it, unless an earlier hold of the grant has.
 *
 * <p><b>Once for each listener.</b> A hold has one last request. A mutex guards it and the listeners. So a listener
 * either is there when the request comes, or finds it when it is registered. At most one read per server is under way,
 * so answers come in order.
 *
 * <p><b>No hold without a look.</b> {@link #watch} adds the hold and then reads {@link #next}. A look clears
 * {@code next} first, and then goes over the holds. So the look finds the hold, or {@code watch} plans another look.
 *
 * <p><b>Dropped handles.</b> Listeners often capture the handle. So only the handle has them, and this class has weak
 * references. Otherwise no leak would be noticed.
 */
final class ReleaseRequests {
    private static final long INTERVAL = Duration.ofMillis(500).toNanos();

    private final LockBackend backend;
    private final Settings settings;
    private final Work.Shared shared;
    private final Work threads;
    private final Set<WeakReference<Listeners>> watched = ConcurrentHashMap.newKeySet();
    private final AtomicReference<Timer.@Nullable Entry> next = new AtomicReference<>();
    /** The servers that are being asked. */
    private final Set<Object> asked = ConcurrentHashMap.newKeySet();

    ReleaseRequests(LockBackend backend, Settings settings, Work.Shared shared, Work threads) {
        this.backend = backend;
        this.settings = settings;
        this.shared = shared;
        this.threads = threads;
    }

    /** Throws if the store has no such requests. */
    void requireSupport() {
        if (!backend.capabilities().contains(Capability.RELEASE_REQUESTS)) {
            throw new UnsupportedOperationException("this store has no " + Capability.RELEASE_REQUESTS);
        }
    }

    /** Reads the requests for a hold now, and twice a second until it has ended or its handle was collected. */
    void watch(Listeners listeners) {
        watched.add(listeners.reference);
        read(List.of(listeners));
        plan();
    }

    private void plan() {
        if (!watched.isEmpty() && next.get() == null) {
            Timer.Entry entry = shared.timer().entry(shared.clock().nanoTime() + INTERVAL, this::look);
            if (next.compareAndSet(null, entry)) {
                shared.timer().schedule(entry);
            }
        }
    }

    private void look() {
        Timer.Entry planned = next.getAndSet(null);
        if (planned != null) {
            planned.cancel();
        }
        try {
            List<Listeners> open = new ArrayList<>();
            for (var each = watched.iterator(); each.hasNext(); ) {
                Listeners listeners = each.next().get();
                if (listeners != null && listeners.isHeld.getAsBoolean()) {
                    open.add(listeners);
                } else {
                    each.remove();
                }
            }
            read(open);
        } finally {
            plan();
        }
    }

    private void read(Collection<Listeners> due) {
        due.stream()
                .collect(Collectors.groupingBy(listeners -> listeners.won.server()))
                .forEach(this::read);
    }

    private void read(Object server, List<Listeners> due) {
        if (asked.add(server)) {
            try {
                threads.execute(() -> ask(server, due));
            } catch (Throwable e) {
                asked.remove(server);
                throw e;
            }
        }
    }

    private void ask(Object server, List<Listeners> due) {
        try {
            Set<Grant> grants =
                    due.stream().map(listeners -> listeners.won.grant()).collect(Collectors.toSet());
            Deadline deadline = Deadline.after(Duration.ofNanos(settings.requestTimeout()), shared.clock());
            Map<Grant, RequestedRelease> found = backend.requestedReleases(grants, deadline);
            for (Listeners listeners : due) {
                RequestedRelease last = found.get(listeners.won.grant());
                if (last != null) {
                    listeners.hear(last, arrived(last));
                }
            }
        } catch (InterruptedException | RuntimeException e) {
            shared.log()
                    .write(() -> ClientLog.LOG.debug(
                            "{}: requests for release could not be read; the next read makes up for it",
                            shared.client(),
                            e));
        } finally {
            asked.remove(server);
        }
    }

    private Instant arrived(RequestedRelease last) {
        LockClock clock = shared.clock();
        return Instant.ofEpochMilli(clock.wallMillis()).minusNanos(clock.nanoTime() - last.cameBy());
    }

    /** The listeners of one hold, and the last request that it has heard of. */
    static final class Listeners {
        private final WeakReference<Listeners> reference = new WeakReference<>(this);
        private final WonGrant won;
        private final long token;
        private final long since;
        private final boolean isFirst;
        private final BooleanSupplier isHeld;
        private final Callbacks callbacks;
        private final ReentrantLock mutex = new ReentrantLock();
        private final List<Consumer<? super ReleaseRequest>> listeners = new ArrayList<>(1);
        private String lastId = "";
        private @Nullable ReleaseRequest last;

        /**
         * Makes the listeners of a hold, of which there are none yet.
         *
         * @param since when the hold began
         * @param isFirst whether the hold began with its grant
         */
        Listeners(WonGrant won, long token, long since, boolean isFirst, BooleanSupplier isHeld, Callbacks callbacks) {
            this.won = won;
            this.token = token;
            this.since = since;
            this.isFirst = isFirst;
            this.isHeld = isHeld;
            this.callbacks = callbacks;
        }

        void add(Consumer<? super ReleaseRequest> listener) {
            @Nullable ReleaseRequest earlier;
            mutex.lock();
            try {
                listeners.add(listener);
                earlier = last;
            } finally {
                mutex.unlock();
            }
            if (earlier != null) {
                call(listener, earlier);
            }
        }

        /** Looks again when the callback begins, because it may have waited until after the end of the hold. */
        private void call(Consumer<? super ReleaseRequest> listener, ReleaseRequest request) {
            callbacks.run(() -> {
                if (isHeld.getAsBoolean()) {
                    listener.accept(request);
                }
            });
        }

        /** Takes the last request of the store. */
        private void hear(RequestedRelease found, Instant arrived) {
            boolean isOfThisHold = isFirst || found.cameBy() - since >= 0;
            if (!isOfThisHold || !isHeld.getAsBoolean()) {
                return;
            }
            ReleaseRequest request = new ReleaseRequest(won.request().name(), found.requester(), arrived);
            List<Consumer<? super ReleaseRequest>> called;
            mutex.lock();
            try {
                if (found.id().equals(lastId)) {
                    return;
                }
                lastId = found.id();
                last = request;
                called = List.copyOf(listeners);
            } finally {
                mutex.unlock();
            }
            called.forEach(listener -> call(listener, request));
            callbacks.eventSince(since, request.lockName(), token, (to, event) -> to.releaseRequested(event, request));
        }
    }
}

package io.github.distlock.engine;

import io.github.distlock.LockOwner;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockNames;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.spi.Signals;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** The backend in memory, counting requests; tests set what goes wrong. */
final class TestBackend implements LockBackend {
    /** What an attempt answers. */
    interface Asking {
        Attempt ask(Contender contender, Deadline deadline) throws InterruptedException;
    }

    /** What a batch of renewals does. */
    interface Renewing {
        void renew(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException;
    }

    /** What happens before a withdrawal. */
    interface Withdrawing {
        void run(Deadline deadline) throws InterruptedException;
    }

    /** What a batch of releases does. */
    interface Releasing {
        Map<Grant, Grant.Release> release(Collection<? extends Grant> grants, Deadline deadline)
                throws InterruptedException;
    }

    /** What a read of requests for release does. */
    interface Reading {
        Map<Grant, RequestedRelease> read(Collection<? extends Grant> grants, Deadline deadline)
                throws InterruptedException;
    }

    private final InMemoryBackend memory;
    final AtomicInteger heartbeats = new AtomicInteger();
    volatile Duration heartbeatInterval = Duration.ZERO;
    volatile Consumer<Collection<? extends Contender>> heartbeating = waiting -> {};
    /** The server that keeps the waiters for a lock. */
    volatile UnaryOperator<String> server = name -> "";

    final AtomicInteger attempts = new AtomicInteger();
    /** Attempts, withdrawals and renewals. */
    final AtomicInteger requests = new AtomicInteger();
    /** Those which may have left something on the store: neither granted nor withdrawn. */
    final Set<Contender> contenders = ConcurrentHashMap.newKeySet();

    /** Those which the engine has not told this backend to forget. */
    final Set<Contender> remembered = ConcurrentHashMap.newKeySet();

    final AtomicInteger forgottenTwice = new AtomicInteger();
    final AtomicInteger disconnections = new AtomicInteger();
    final AtomicInteger batchesOfReleases = new AtomicInteger();
    volatile BackendContext context;
    volatile boolean closed;

    /** What happens before a thread waits. */
    volatile Runnable threadCheck = () -> {};

    volatile Withdrawing withdrawing = deadline -> {};
    volatile Releasing releasing = LockBackend.super::releaseAll;
    volatile Asking asking = Contender::attempt;
    /** What a contender says about what keeps it from the lock. */
    volatile Supplier<Optional<String>> blocker = Optional::empty;

    /** What a page of names has, by the prefix and the position. */
    volatile BiFunction<String, Optional<String>, LockNames> listing = (prefix, position) -> LockNames.last(List.of());

    final AtomicInteger readsOfRequests = new AtomicInteger();
    volatile Reading readingRequests;
    volatile Renewing renewing;
    volatile Set<Capability> capabilities;
    volatile LockClock clock;
    /** What the store keeps of a silent client at most, whatever the lease. */
    volatile Duration session = Duration.ofDays(1);

    TestBackend(InMemoryBackend memory) {
        this.memory = memory;
        renewing = memory::renewAll;
        readingRequests = memory::requestedReleases;
        capabilities = memory.capabilities();
        clock = memory.clock();
    }

    @Override
    public Set<Capability> capabilities() {
        return capabilities;
    }

    @Override
    public LockNames list(String prefix, Optional<String> position, Deadline deadline) {
        return listing.apply(prefix, position);
    }

    @Override
    public Contender contend(LockRequest request, Signals signals) {
        Contender contender = memory.contend(request, signals);
        Contender counted = new Contender() {
            @Override
            public Attempt attempt(Deadline deadline) throws InterruptedException {
                attempts.incrementAndGet();
                requests.incrementAndGet();
                contenders.add(this);
                Attempt answer = asking.ask(contender, deadline);
                if (answer instanceof Attempt.Granted || !request.waits()) {
                    contenders.remove(this);
                }
                return answer;
            }

            @Override
            public void withdraw(Deadline deadline) throws InterruptedException {
                requests.incrementAndGet();
                withdrawing.run(deadline);
                contender.withdraw(deadline);
                contenders.remove(this);
            }

            @Override
            public Optional<String> blocker() {
                return blocker.get();
            }

            @Override
            public Object server() {
                return server.apply(request.name());
            }

            @Override
            public void forget() {
                if (!remembered.remove(this)) {
                    forgottenTwice.incrementAndGet();
                }
            }
        };
        remembered.add(counted);
        return counted;
    }

    @Override
    public void start(BackendContext engine) {
        context = engine;
    }

    @Override
    public Map<Grant, Grant.Release> releaseAll(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        batchesOfReleases.incrementAndGet();
        return releasing.release(grants, deadline);
    }

    @Override
    public void requireMayWait() {
        threadCheck.run();
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
        requests.incrementAndGet();
        renewing.renew(due, deadline);
    }

    @Override
    public void heartbeat(Collection<? extends Contender> waiting, Deadline deadline) throws InterruptedException {
        heartbeats.incrementAndGet();
        heartbeating.accept(waiting);
    }

    @Override
    public int requestRelease(String name, LockOwner requester, Deadline deadline) throws InterruptedException {
        return memory.requestRelease(name, requester, deadline);
    }

    @Override
    public Map<Grant, RequestedRelease> requestedReleases(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        readsOfRequests.incrementAndGet();
        return readingRequests.read(grants, deadline);
    }

    @Override
    public Duration heartbeatInterval() {
        return heartbeatInterval;
    }

    @Override
    public Duration expiry(LockRequest request) {
        Duration ofLease = memory.expiry(request);
        return ofLease.compareTo(session) < 0 ? ofLease : session;
    }

    @Override
    public LockClock clock() {
        return clock;
    }

    @Override
    public void disconnect() {
        disconnections.incrementAndGet();
    }

    @Override
    public void close() {
        closed = true;
        memory.close();
    }
}

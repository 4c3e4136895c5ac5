package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockClientBuilder;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLoss;
import io.github.distlock.LockOptions;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.tests.servers.StarvationExtension;
import io.github.distlock.tests.servers.Waiting;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.junit.jupiter.api.function.Executable;

/** What all rules share: a fresh store, its clients, threads, and assertions that name the promise. */
@DisplayNameGeneration(PromiseNames.class)
@ExtendWith(StarvationExtension.class)
@Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD)
abstract class Rules {
    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final Duration LATE = Duration.ofMillis(250);

    private final List<Peer> peers = new CopyOnWriteArrayList<>();
    private String rule = "";
    private String explained = "";

    private TestReporter reporter;

    @SuppressWarnings("NullAway.Init")
    private LockContract contract;

    /** Finds the contract that this class is nested in. */
    @RegisterExtension
    final BeforeEachCallback enclosing = test -> contract =
            test.getRequiredTestInstances().findInstance(LockContract.class).orElseThrow();

    /** What no rule expects says which rule it has ended. */
    @RegisterExtension
    final TestExecutionExceptionHandler unexpected = (test, failure) -> {
        throw failure instanceof AssertionError
                ? failure
                : new IllegalStateException(told("the test runs to its end", failure), failure);
    };

    BackendFixture store;
    /** The lock that this test is about. */
    String name;
    /** The lease of all holds that ask for no other. */
    Duration lease;

    final BackendFixture newFixture() throws Exception {
        return contract.newFixture();
    }

    /** The store of one test. */
    BackendFixture openFixture() throws Exception {
        return newFixture();
    }

    @BeforeEach
    final void open(TestInfo test, TestReporter testReporter) throws Exception {
        rule = test.getDisplayName();
        explained = test.getTestMethod()
                .map(method -> ContractRule.of(method.getName()))
                .map(ContractRule::explained)
                .orElse("");
        reporter = testReporter;
        name = "contract/" + NUMBER.incrementAndGet();
        store = openFixture();
        lease = store.lease();
    }

    /** Puts right what the test has done to more than its fixture, also when it has failed half-way. */
    void repair() {}

    @AfterEach
    final void close() {
        repair();
        Task<Boolean> closing = start(() -> {
            for (Peer peer : peers) {
                peer.network.heal();
                peer.locks.close();
            }
            store.close();
            return true;
        });
        await("clients and store close after the test", closing::isDone);
        get(closing);
    }

    // Clients and threads

    Peer peer() {
        return peer(builder -> {});
    }

    Peer peer(Consumer<LockClientBuilder> settings) {
        return peer(settings, faults -> {});
    }

    Peer peer(Consumer<LockClientBuilder> settings, Consumer<FaultyBackend> faulty) {
        LockBackend backend = store.newBackend();
        return peer(backend, backend, settings, faulty);
    }

    /** The same client, whose connections are there: no wait of its next call is for them. */
    Peer connected(Peer peer) throws InterruptedException {
        peer.lock(name + "/warm-up").acquire().close();
        return peer;
    }

    /** A client of two servers; the first of them can be silenced. */
    Peer peerOfTwoServers(Predicate<String> isOfSecond) {
        LockBackend first = store.newBackend();
        TwoServers both = new TwoServers(first, store.newBackend(), isOfSecond);
        return peer(first, both, settings -> {}, faults -> {});
    }

    private Peer peer(
            LockBackend backend,
            LockBackend used,
            Consumer<LockClientBuilder> settings,
            Consumer<FaultyBackend> faulty) {
        FaultyBackend faults = new FaultyBackend(used);
        faulty.accept(faults);
        Events events = new Events();
        String client = "contract" + NUMBER.incrementAndGet();
        LockClientBuilder builder = LockClient.builder(faults)
                .name(client)
                .listener(events)
                .requestTimeout(Duration.ofSeconds(1).plus(store.slack().multipliedBy(4)))
                .shutdownTimeout(Duration.ZERO)
                .defaultOptions(options());
        settings.accept(builder);
        Network network = store instanceof ServerFixture<?> real
                ? new ProxyNetwork(real.network(backend))
                : new EngineNetwork(store, backend, faults);
        Peer peer = new Peer(client, backend, faults, network, events, builder.build());
        peers.add(peer);
        return peer;
    }

    LockOptions options() {
        return LockOptions.defaults().renewedLease(lease);
    }

    void silence(Peer peer) {
        store.silence(peer.backend);
    }

    void restore(Peer peer) {
        store.restore(peer.backend);
    }

    /** All clients of this test, so far. */
    List<Peer> peers() {
        return List.copyOf(peers);
    }

    final void report(String key, String what) {
        String line = rule + " -- " + store.getClass().getSimpleName() + ": " + key + ": " + what;
        System.out.println(line);
        reporter.publishEntry(key, line);
    }

    void lose(String lockName) {
        try {
            store.lose(lockName);
        } catch (Exception e) {
            throw new IllegalStateException("the fixture cannot lose \"" + lockName + "\": " + e, e);
        }
    }

    List<String> leftovers() {
        try {
            return store.leftovers();
        } catch (Exception e) {
            throw new IllegalStateException("the fixture cannot look for leftovers: " + e, e);
        }
    }

    boolean can(Capability capability) {
        return peer().backend.capabilities().contains(capability);
    }

    /** How long the store keeps what a silent client left. */
    Duration expiry(Peer peer) {
        return peer.backend.expiry(
                LockRequest.exclusive(name, lease, LockOwner.of("localhost", 1, peer.client, "main")));
    }

    <T> Task<T> start(Callable<T> work) {
        return new Task<>("contract-" + NUMBER.incrementAndGet(), work);
    }

    /** The same in a group, to which all threads that it starts belong. */
    <T> Task<T> startIn(ThreadGroup group, Callable<T> work) {
        return new Task<>(group, "contract-" + NUMBER.incrementAndGet(), work);
    }

    /** A thread that waits for the lock: when this returns it has been told to wait. */
    Task<LockHandle> startWaiter(Peer peer, DistributedLock lock) {
        int before = peer.events.count("waiting");
        Task<LockHandle> waiter = start(lock::acquire);
        await("an acquire of a busy lock waits", () -> peer.events.count("waiting") > before);
        return waiter;
    }

    /** The same, for one that asks the store itself: when this returns it has its place in the store's queue. */
    Task<LockHandle> startQueued(Peer peer, DistributedLock lock) {
        int before = peer.faults.toldBusy();
        Task<LockHandle> waiter = start(lock::acquire);
        await("an acquire of a busy lock is told so", () -> peer.faults.toldBusy() > before);
        return waiter;
    }

    // Time

    /** A good while, but shorter than anything that heals by itself. */
    Duration soon() {
        Duration good = Collections.min(List.of(lease.dividedBy(2), Duration.ofSeconds(2), store.patience()));
        return good.plus(store.slack());
    }

    /** A wait or a time-out that is as short as it may be when the store's answer has to come within it. */
    Duration brief() {
        return Duration.ofMillis(100).plus(store.slack());
    }

    /** A promised bound, with what timed calls may add, and with what this machine may add. */
    long latest(Duration bound) {
        return bound.plus(LATE).plus(store.slack()).toMillis();
    }

    void await(String expected, BooleanSupplier condition) {
        await(expected, store.patience(), condition);
    }

    void await(String expected, Duration limit, BooleanSupplier condition) {
        if (!Waiting.until(limit, condition)) {
            throw broken(expected + ", within " + limit.toMillis() + " ms", "it did not happen", null);
        }
    }

    // Expectations

    void expect(boolean holds, String expected, @Nullable Object seen) {
        if (!holds) {
            throw broken(expected, String.valueOf(seen), null);
        }
    }

    AssertionError broken(String expected, String seen, @Nullable Throwable cause) {
        return new AssertionError(told(expected, seen), cause);
    }

    private String told(String expected, Object seen) {
        return rule + " -- expected: " + expected + " -- seen: " + seen + explained;
    }

    /** The task's result, soon. */
    <T> T get(Task<T> task) {
        return get(task, "a call returns", store.patience());
    }

    <T> T get(Task<T> task, String expected, Duration limit) {
        await(expected, limit, task::isDone);
        Throwable failure = task.failure();
        if (failure instanceof AssertionError error) {
            throw error;
        }
        T result = task.result();
        if (failure != null || result == null) {
            throw broken(expected, String.valueOf(failure), failure);
        }
        return result;
    }

    <T> T get(CompletableFuture<T> future, String expected) throws Exception {
        await(expected, future::isDone);
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw broken(expected, String.valueOf(e.getCause()), e.getCause());
        }
    }

    /** What the task throws, soon. */
    <X extends Throwable> X failure(Task<?> task, Class<X> type, String when) {
        await(type.getSimpleName() + " " + when, task::isDone);
        return asExpected(type, when, task.failure(), task.result());
    }

    /** With what the future fails, soon. */
    <X extends Throwable> X failure(CompletableFuture<?> future, Class<X> type, String when) throws Exception {
        await(type.getSimpleName() + " " + when, future::isDone);
        try {
            return asExpected(type, when, null, future.get());
        } catch (ExecutionException e) {
            return asExpected(type, when, e.getCause(), null);
        }
    }

    <X extends Throwable> X thrown(Class<X> type, String when, Executable action) {
        try {
            action.execute();
        } catch (Throwable thrown) {
            return asExpected(type, when, thrown, null);
        }
        return asExpected(type, when, null, "it returned");
    }

    private <X extends Throwable> X asExpected(
            Class<X> type, String when, @Nullable Throwable thrown, @Nullable Object returned) {
        if (type.isInstance(thrown)) {
            return type.cast(thrown);
        }
        throw broken(
                type.getSimpleName() + " " + when,
                thrown == null ? "no exception, " + returned : thrown.toString(),
                thrown);
    }

    /** A hold that must be there. */
    LockHandle granted(Optional<LockHandle> answer, String expected) {
        return answer.orElseThrow(() -> broken(expected, "the lock is busy", null));
    }

    void expectHeld(LockHandle held, String when) {
        try {
            held.ensureHeld();
        } catch (LockException | IllegalStateException e) {
            throw broken("held " + when, String.valueOf(e.getMessage()), e);
        }
    }

    void expectState(LockHandle held, LockHandle.State expected, String when) {
        LockHandle.State seen = held.state();
        expect(seen == expected, expected + " " + when, seen);
    }

    /** Once the client is silent, its hold is over, as it sees it, before the store grants the lock to another. */
    void expectLostBeforeAnotherIsGranted(Peer silent, LockHandle held) {
        Peer other = peer();
        Duration step = lease.dividedBy(20);
        Duration passed = Duration.ZERO;
        Optional<LockHandle> next = Optional.empty();
        while (next.isEmpty()) {
            expect(
                    passed.compareTo(expiry(silent).plus(step)) <= 0,
                    "granted to another in the end",
                    "busy after " + passed);
            store.letPass(step);
            passed = passed.plus(step);
            next = other.lock(name).tryAcquire();
            LockHandle.State seen = held.state();
            expect(
                    next.isEmpty() || seen == LockHandle.State.LOST,
                    "the silent holder's hold is LOST when another is granted",
                    seen + " after " + passed);
        }
    }

    void expectBusy(Peer other, String when) {
        Optional<LockHandle> answer = other.lock(name).tryAcquire();
        expect(answer.isEmpty(), "busy for another client " + when, "granted");
    }

    /** A timed acquire of a busy lock waits as long as it was told, and not longer. */
    void expectEmptyInTime(Task<Optional<LockHandle>> timed, Duration wait) {
        expect(get(timed).isEmpty(), "an empty answer: the lock is busy", "granted");
        expect(timed.millis() >= wait.toMillis(), "it waits for " + wait.toMillis() + " ms", timed.millis() + " ms");
        long latest = latest(wait);
        expect(timed.millis() <= latest, "back within " + latest + " ms", timed.millis() + " ms");
    }

    /** Another client gets the lock without any lease having to end, and when it has released, the store is clean. */
    void expectFree(String when) {
        expectFree(name, when);
    }

    void expectFree(String lockName, String when) {
        Peer outsider = peer();
        await("the lock is free for another client " + when, soon(), () -> isFreeFor(outsider, lockName));
        expectClean(when);
    }

    /** Whether a client gets the lock at once; it gives it back. */
    static boolean isFreeFor(Peer outsider, String lockName) {
        Optional<LockHandle> answer = tried(outsider.lock(lockName));
        answer.ifPresent(LockHandle::release);
        return answer.isPresent();
    }

    private static Optional<LockHandle> tried(DistributedLock lock) {
        try {
            return lock.tryAcquire();
        } catch (LockException e) {
            return Optional.empty();
        }
    }

    void expectClean(String when) {
        if (!Waiting.until(soon(), () -> leftovers().isEmpty())) {
            throw broken("nothing is left in the store " + when, String.join(", ", leftovers()), null);
        }
    }

    /** Collects what a hold's listener is told. */
    static List<LockLoss> losses(LockHandle held) {
        List<LockLoss> losses = new CopyOnWriteArrayList<>();
        held.onLost(losses::add);
        return losses;
    }
}

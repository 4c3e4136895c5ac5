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
import io.github.distlock.tests.waiting.StarvationExtension;
import io.github.distlock.tests.waiting.Waiting;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
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
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.junit.jupiter.api.function.Executable;

/** What all rules share: a fresh store, its clients, threads, and expectations whose failures name the rule. */
@DisplayNameGeneration(PromiseNames.class)
@ExtendWith(StarvationExtension.class)
@Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD)
abstract class Rules {
    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final Duration LATE = Duration.ofMillis(250);
    /** How long a grant is waited for that must not come. */
    private static final Duration MOMENT = Duration.ofMillis(100);

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

    /** Names the rule in each exception that its test does not expect. */
    @RegisterExtension
    final TestExecutionExceptionHandler unexpected = (test, failure) -> {
        throw failure instanceof AssertionError
                ? failure
                : new IllegalStateException(message("the test runs to its end", failure), failure);
    };

    /** Uses the lock as an argument of the test, or its class, says. Checks the refusal of what the store lacks. */
    @RegisterExtension
    final InvocationInterceptor using = new InvocationInterceptor() {
        @Override
        public void interceptTestMethod(
                Invocation<@Nullable Void> test, ReflectiveInvocationContext<Method> called, ExtensionContext context)
                throws Throwable {
            Uses ofRule = called.getExecutable().getAnnotation(Uses.class);
            Uses common = ofRule == null ? called.getTargetClass().getAnnotation(Uses.class) : ofRule;
            if (common == null
                    || (uses(common.value())
                            && (!common.sticky() || can(Capability.STICKY, Rules.this::sticky))
                            && (!common.delayed() || can(Capability.LOCK_DELAY, Rules.this::delayedLock)))) {
                test.proceed();
            } else {
                test.skip();
            }
        }

        @Override
        public void interceptTestTemplateMethod(
                Invocation<@Nullable Void> test, ReflectiveInvocationContext<Method> called, ExtensionContext context)
                throws Throwable {
            for (Object argument : called.getArguments()) {
                if (argument instanceof LockUse newUse && !uses(newUse)) {
                    test.skip();
                    return;
                }
            }
            interceptTestMethod(test, called, context);
        }
    };

    BackendFixture store;
    /** The lock that this test is about. */
    String name;
    /** How the test uses it. */
    private LockUse use = LockUse.LOCK;
    /** The lease of all holds whose test sets no other. */
    Duration lease;

    final BackendFixture newFixture() throws Exception {
        return contract.newFixture();
    }

    /** Opens the store of one test. */
    BackendFixture openFixture() throws Exception {
        return newFixture();
    }

    @BeforeEach
    final void open(TestInfo test, TestReporter testReporter) throws Exception {
        Method method = test.getTestMethod().orElseThrow();
        String readable = PromiseNames.readable(method.getName());
        // That of one invocation of several is its number and its argument.
        String shown = test.getDisplayName();
        rule = shown.equals(readable) ? readable : readable + " " + shown;
        ContractRule stated = ContractRule.of(method.getName());
        explained = stated == null ? "" : stated.explained();
        reporter = testReporter;
        name = "contract/" + NUMBER.incrementAndGet();
        store = openFixture();
        lease = store.lease();
    }

    @AfterEach
    final void close() {
        store.endFaults();
        Task<Boolean> closing = start(() -> {
            for (Peer peer : peers) {
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
        LockBackend backend = store.newBackend();
        Network network = store.connect(backend);
        return peer(backend, network, network.client(), settings);
    }

    /** Opens the client's connections, so that no timed wait of its next call is spent on them. */
    Peer connected(Peer peer) throws InterruptedException {
        peer.lock(name + "/warm-up").acquire().close();
        return peer;
    }

    /** Builds a client of two servers, of which the first can be silenced. */
    Peer peerOfTwoServers(Predicate<String> isOfSecond) {
        LockBackend first = store.newBackend();
        LockBackend both = new TwoServers(first, store.newBackend(), isOfSecond);
        return peer(first, store.connect(first), both, settings -> {});
    }

    private Peer peer(LockBackend backend, Network network, LockBackend used, Consumer<LockClientBuilder> settings) {
        FaultyBackend faults = new FaultyBackend(used);
        Events events = new Events();
        String client = "contract" + NUMBER.incrementAndGet();
        LockClientBuilder builder = LockClient.builder(faults)
                .name(client)
                .listener(events)
                .requestTimeout(Duration.ofSeconds(1).plus(store.slack().multipliedBy(4)))
                .shutdownTimeout(Duration.ZERO)
                .defaultOptions(options());
        settings.accept(builder);
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

    final void report(String key, String what) {
        String line = rule + " -- " + store.getClass().getTypeName().replaceAll(".*\\.", "") + ": " + key + ": " + what;
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

    // The lock of this test

    private boolean uses(LockUse newUse) {
        use = newUse;
        Peer peer = peer();
        if (newUse.isPossible(peer.backend.capabilities())) {
            return true;
        }
        thrown(IllegalArgumentException.class, "for a " + newUse + " of a store that has none", () -> lock(peer));
        return false;
    }

    /** Returns whether the store has a capability. Otherwise checks the refusal of a lock that needs it. */
    private boolean can(Capability capability, Function<Peer, DistributedLock> lock) {
        Peer peer = peer();
        if (peer.backend.capabilities().contains(capability)) {
            return true;
        }
        thrown(IllegalArgumentException.class, "of a store without " + capability, () -> lock.apply(peer));
        return false;
    }

    /** Returns the lock of this test as a sticky one. */
    DistributedLock sticky(Peer peer) {
        return peer.locks.lock(name, options().sticky());
    }

    /** Returns the ways to use a lock that the store has. */
    List<LockUse> uses() {
        Set<Capability> capabilities = peer().backend.capabilities();
        return Arrays.stream(LockUse.values())
                .filter(possible -> possible.isPossible(capabilities))
                .toList();
    }

    DistributedLock lock(Peer peer) {
        return use.lock(peer.locks, name);
    }

    /** Returns the lock of this test for a client that shares it with no other holder. */
    DistributedLock alone(Peer peer) {
        return alone(peer, name);
    }

    DistributedLock alone(Peer peer, String lockName) {
        return use.alone(peer.locks, lockName);
    }

    LockUse use() {
        return use;
    }

    /** Returns how long the store keeps what a silent client left. */
    Duration expiry(Peer peer) {
        return peer.backend.expiry(
                LockRequest.exclusive(name, lease, LockOwner.of("localhost", 1, peer.client, "main")));
    }

    <T> Task<T> start(Callable<T> work) {
        return new Task<>("contract-" + NUMBER.incrementAndGet(), work);
    }

    /** Starts a thread that waits for a busy lock, and returns when the client has its entry in the store's queue. */
    Task<LockHandle> startQueued(Peer peer, DistributedLock lock) {
        return queued(peer, () -> start(lock::acquire));
    }

    /** Starts an acquire of a busy lock, and returns when the store has answered that it is busy. */
    <T> T queued(Peer peer, Supplier<T> acquire) {
        int before = peer.faults.answeredBusy();
        T waiter = acquire.get();
        await("an acquire of a busy lock is answered busy", () -> peer.faults.answeredBusy() > before);
        return waiter;
    }

    /** Acquires the lock of this test, which must be free. */
    LockHandle acquire(Peer peer) {
        return acquire(lock(peer));
    }

    LockHandle acquire(DistributedLock lock) {
        return acquire(lock, store.patience(), "a free lock is granted");
    }

    /** Acquires the lock of this test without any lease having to end. */
    LockHandle acquireSoon(Peer peer) {
        return acquireSoon(lock(peer));
    }

    LockHandle acquireSoon(DistributedLock lock) {
        return acquire(lock, soon(), "another acquire is granted within " + soon().toMillis() + " ms");
    }

    private LockHandle acquire(DistributedLock lock, Duration wait, String expected) {
        try {
            return granted(lock.tryAcquire(wait), expected);
        } catch (LockException | InterruptedException e) {
            throw broken(expected, e.toString(), e);
        }
    }

    /** Returns the lock of this test with a minimum hold. */
    DistributedLock keptLock(Peer peer) {
        return peer.locks.lock(name, options().minimumHold(minimum()));
    }

    /** Acquires the lock of this test, which must be free, with a minimum hold. */
    LockHandle acquireKept(Peer peer) {
        return acquire(keptLock(peer), store.patience(), "a free lock is granted");
    }

    /** Returns the lock of this test with a lock delay. */
    DistributedLock delayedLock(Peer peer) {
        return peer.locks.lock(name, options().lockDelay(delay()));
    }

    // Time

    /** Returns a lock delay that is as long as a lease, if that is possible. */
    Duration delay() {
        return Collections.min(List.of(lease, Duration.ofMinutes(1)));
    }

    /** Returns a minimum hold that is longer than the lease, and than what a busy machine takes to look at the lock. */
    Duration minimum() {
        return lease.multipliedBy(2);
    }

    /** Returns a time that is ample for what happens at once, and shorter than what any lease or poll takes. */
    Duration soon() {
        Duration ample = Collections.min(List.of(lease.dividedBy(2), Duration.ofSeconds(2), store.patience()));
        return ample.plus(store.slack());
    }

    /** Returns the shortest wait or timeout within which the store can be expected to answer. */
    Duration brief() {
        return Duration.ofMillis(100).plus(store.slack());
    }

    /** Returns a promised bound in milliseconds, with what timed calls and this machine may add. */
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
        return new AssertionError(message(expected, seen), cause);
    }

    private String message(String expected, Object seen) {
        return rule + " -- expected: " + expected + " -- seen: " + seen + explained;
    }

    /** Returns the task's result. */
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

    /** Returns what the task throws. */
    <X extends Throwable> X failure(Task<?> task, Class<X> type, String when) {
        await(type.getSimpleName() + " " + when, task::isDone);
        return asExpected(type, when, task.failure(), task.result());
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

    LockHandle granted(Optional<LockHandle> answer, String expected) {
        return answer.orElseThrow(() -> broken(expected, "the lock is busy", null));
    }

    void expectInTime(Task<?> task, Duration bound) {
        long latest = latest(bound);
        expect(task.millis() <= latest, "back within " + latest + " ms", task.millis() + " ms");
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

    void expectRelease(LockHandle held, LockHandle.Release expected, String when) {
        LockHandle.Release seen = held.release();
        expect(seen == expected, expected + " " + when, seen);
    }

    void expectBusy(Peer other, String when) {
        expectBusy(alone(other), when);
    }

    void expectBusy(DistributedLock lock, String when) {
        Optional<LockHandle> answer = lock.tryAcquire();
        expect(answer.isEmpty(), "busy for another client " + when, "granted");
    }

    /** Expects that an acquire goes on waiting. */
    void expectWaits(Task<LockHandle> waiter, String when) {
        expect(!Waiting.until(MOMENT, waiter::isDone), "an acquire waits " + when, "granted");
    }

    /** Expects that another client acquires the lock without any lease having to end, and then leaves a clean store. */
    void expectFree(String when) {
        Peer outsider = peer();
        await("the lock is free for another client " + when, soon(), () -> isFreeFor(outsider));
        expectClean(when);
    }

    /** Tries to acquire the lock and releases it at once. */
    boolean isFreeFor(Peer outsider) {
        try {
            Optional<LockHandle> answer = alone(outsider).tryAcquire();
            answer.ifPresent(LockHandle::release);
            return answer.isPresent();
        } catch (LockException e) {
            return false;
        }
    }

    void expectClean(String when) {
        if (!Waiting.until(soon(), () -> leftovers().isEmpty())) {
            throw broken("nothing is left in the store " + when, String.join(", ", leftovers()), null);
        }
    }

    /** Collects the losses that are reported to a listener of the hold. */
    static List<LockLoss> losses(LockHandle held) {
        List<LockLoss> losses = new CopyOnWriteArrayList<>();
        held.onLost(losses::add);
        return losses;
    }
}

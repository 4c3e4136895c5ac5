package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Validity;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.crac.Resource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/** A process without threads, a logger that blocks or throws, callers whose context must not spread. */
class HardeningTest extends EngineTest {
    private static final long LATE = Duration.ofMillis(50).toNanos();

    private final LoggerContext logging = (LoggerContext) LoggerFactory.getILoggerFactory();
    private volatile boolean threadsAreOut;

    @AfterEach
    void endFaults() {
        threadsAreOut = false;
        logging.resetTurboFilterList();
    }

    // Threads that cannot be started

    @Test
    void v8_holdsAreRenewedOnceThreadsCanBeStartedAgain() throws Exception {
        LockHandle first = lock.acquire();
        store.advance(LEASE.dividedBy(4));
        LockHandle second = client.lock("b").acquire();
        failStarts("renewal");

        threadsAreOut = true;
        store.advance(LEASE.dividedBy(2));
        threadsAreOut = false;
        store.advance(LEASE.multipliedBy(3));

        assertThat(first.state()).isEqualTo(State.HELD);
        assertThat(second.state()).isEqualTo(State.HELD);
    }

    @Test
    void v8_heartbeatsContinueOnceThreadsCanBeStartedAgain() throws Exception {
        backend.heartbeatInterval = Duration.ofSeconds(1);
        LockHandle held = other.lock("a").acquire();
        failStarts("renewal");
        threadsAreOut = true;
        Task<LockHandle> waiter = startWaiting(lock::acquire);
        awaitQueued(1);
        store.advance(Duration.ofSeconds(2));

        threadsAreOut = false;
        store.advance(Duration.ofSeconds(3));

        assertThat(backend.heartbeats.get()).isPositive();
        held.release();
        get(waiter).close();
    }

    @Test
    void v8_aServerThatHangsDelaysNoOtherServersHeartbeats() throws Exception {
        backend.heartbeatInterval = Duration.ofSeconds(1);
        backend.server = name -> name;
        LockHandle a = other.lock("a").acquire();
        LockHandle b = other.lock("b").acquire();
        List<Task<LockHandle>> waiters = List.of(startWaiting(lock::acquire), startWaiting(client.lock("b")::acquire));
        awaitQueued(1);
        Await.until(
                "the other one is in the queue",
                () -> other.inspector().inspect("b").waiters().size() == 1);
        CountDownLatch bothUnderWay = new CountDownLatch(2);
        backend.heartbeating = waiting -> {
            bothUnderWay.countDown();
            awaitBoth(bothUnderWay);
        };

        store.advance(Duration.ofSeconds(1));

        assertThat(bothUnderWay.getCount()).as("servers without a heartbeat").isZero();
        a.release();
        b.release();
        for (Task<LockHandle> waiter : waiters) {
            get(waiter).close();
        }
    }

    private static void awaitBoth(CountDownLatch latch) {
        try {
            var unused = latch.await(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"request", "callback"})
    void v3_anAsynchronousAcquireEndsOnceThreadsCanBeStartedAgain(String role) throws Exception {
        failStarts(role);
        threadsAreOut = true;
        CompletableFuture<LockHandle> acquire = lock.acquireAsync();
        store.advance(Duration.ofSeconds(1));
        assertThat(acquire).isNotDone();

        threadsAreOut = false;
        Await.until("the acquire has ended", () -> {
            store.advance(Duration.ofMillis(100));
            return acquire.isDone();
        });

        assertThat(get(acquire).release()).isEqualTo(Release.RELEASED);
        expectNothingLeft();
    }

    @Test
    void v6_cleanUpContinuesOnceThreadsCanBeStartedAgain() throws Exception {
        LockHandle held = other.lock("a").acquire();
        CompletableFuture<LockHandle> waiter = lock.acquireAsync();
        awaitQueued(1);
        failStarts("cleanup");
        threadsAreOut = true;
        waiter.cancel(false);
        store.advance(Duration.ofSeconds(1));

        threadsAreOut = false;
        store.advance(Duration.ofSeconds(1));
        held.release();

        expectNothingLeft();
    }

    @Test
    void v3_aCallbackExecutorThatHasNoThreadsIsReplaced() throws Exception {
        LockClient client = open(settings().callbackExecutor(task -> {
            throw new OutOfMemoryError("planted: unable to create native thread");
        }));

        assertThat(get(client.lock("b").acquireAsync()).release()).isEqualTo(Release.RELEASED);
    }

    /**
     * Makes the starts of threads of a role fail while {@link #threadsAreOut}. Those that start run late, as on a busy
     * machine.
     */
    private void failStarts(String role) {
        for (Object part : List.of("keeper", "requestThreads", "callbacks", "cleanUp")) {
            Object owner = read(read(client, "engine"), (String) part);
            Work threads = owner instanceof Work work ? work : (Work) read(owner, "threads");
            ThreadPoolExecutor pool = (ThreadPoolExecutor) read(threads, "threads");
            var factory = pool.getThreadFactory();
            pool.setThreadFactory(task -> {
                Thread thread = factory.newThread(() -> {
                    LockSupport.parkNanos(LATE);
                    task.run();
                });
                return threadsAreOut && thread.getName().contains("-" + role) ? new Unstartable() : thread;
            });
        }
    }

    private static final class Unstartable extends Thread {
        @Override
        public synchronized void start() {
            throw new OutOfMemoryError("planted: unable to create native thread");
        }
    }

    private static Object read(Object object, String field) {
        try {
            var declared = object.getClass().getDeclaredField(field);
            declared.setAccessible(true);
            return declared.get(object);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    @Test
    void v8_theTimerRunsBeforeTheFirstHold() {
        assertThat(threads()).singleElement().asString().endsWith("-timer");
    }

    @Test
    void v8_theTimerRunsATaskAgainThatHadNoMemory() {
        ClientLog log = new ClientLog("timed");
        Timer timer = new Timer("timed", store.connect().clock(), log);
        timer.start();
        List<String> runs = new CopyOnWriteArrayList<>();
        timer.at(store.connect().clock().nanoTime(), () -> {
            runs.add("run");
            if (runs.size() < 3) {
                throw new OutOfMemoryError("planted");
            }
        });

        store.advance(Duration.ofSeconds(5));

        assertThat(runs).hasSize(3);
        timer.close();
        log.close();
    }

    @Test
    void v6_aClientThatCannotStartClosesItsBackend() {
        LockBackend refusing = overriding(LockBackend.class, backend, "start", () -> {
            throw new OutOfMemoryError("planted: unable to create native thread");
        });

        assertThatThrownBy(() -> LockClient.create(refusing)).isInstanceOf(OutOfMemoryError.class);

        assertThat(backend.closed).isTrue();
    }

    // Loggers that misbehave

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void v8_aLoggerThatMisbehavesCostsOnlyLogLines(boolean blocks) throws Exception {
        LockHandle renewed = lock.acquire();
        LockHandle lost = client.lock("b").acquire();
        List<LockLoss> losses = losses(lost);
        onLog(() -> {
            if (blocks) {
                Await.open(end);
            } else {
                throw new IllegalStateException("planted: the disk is full");
            }
        });
        store.lose("b");

        memory.pause();
        store.advance(Duration.ofSeconds(12));
        memory.resume();
        store.advance(LEASE.multipliedBy(2));

        expectLoss(LossReason.GONE, losses);
        assertThat(renewed.state()).isEqualTo(State.HELD);
        assertThat(renewed.release()).isEqualTo(Release.RELEASED);
        end.countDown();
    }

    /** Calls this whenever distlock decides whether it logs. */
    private void onLog(Runnable action) {
        logging.addTurboFilter(new TurboFilter() {
            @Override
            public FilterReply decide(
                    Marker marker, Logger logger, Level level, String format, Object[] params, Throwable thrown) {
                if (logger.getName().startsWith("io.github.distlock")) {
                    action.run();
                }
                return FilterReply.NEUTRAL;
            }
        });
    }

    // What is left in a backend

    @Test
    void v6_theBackendForgetsWaitersWhoseCleanUpGivesUp() throws Exception {
        LockHandle held = other.lock("a").acquire();
        List<CompletableFuture<LockHandle>> waiters = new ArrayList<>();
        DistributedLock fair = client.lock("a", LockOptions.defaults().fair());
        for (int i = 0; i < 4; i++) {
            waiters.add(fair.acquireAsync());
        }
        awaitQueued(4);
        memory.pause();

        waiters.forEach(waiter -> waiter.cancel(false));
        Await.until("the client has given up", () -> {
            store.advance(Duration.ofSeconds(1));
            return backend.remembered.isEmpty();
        });

        memory.resume();
        assertThat(held.release()).isEqualTo(Release.RELEASED);
    }

    @Test
    void v6_theBackendForgetsARefusedContenderWithoutAnotherRequest() {
        backend.asking = (contender, deadline) -> {
            throw new RequestRefusedException("NOPERM planted", null);
        };

        assertThatThrownBy(lock::acquire).isInstanceOf(LockException.class);

        Await.until("the backend has forgotten the contender", backend.remembered::isEmpty);
        assertThat(backend.requests).hasValue(1);
    }

    @Test
    void aRefusalToCleanUpIsLoggedOnceForManyLocks() throws Exception {
        try (CapturedLog log = CapturedLog.of(client.name())) {
            List<LockHandle> holds = new ArrayList<>();
            List<CompletableFuture<LockHandle>> acquires = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                holds.add(other.lock("lock" + i).acquire());
                acquires.add(client.lock("lock" + i).acquireAsync());
            }
            Await.until("all wait", () -> count("waiting") == 5);
            backend.withdrawing = deadline -> {
                throw new RequestRefusedException("NOPERM planted", null);
            };
            acquires.forEach(acquire -> acquire.cancel(false));
            Await.until("the backend has forgotten all", backend.remembered::isEmpty);
            Await.until("the refusal is logged", () -> !log.at(Level.ERROR).isEmpty());
            client.close();
            assertThat(log.at(Level.ERROR)).singleElement().asString().contains("refuses to clean up");
            assertThat(holds).allMatch(LockHandle::isHeld);
        }
    }

    @Test
    void aFailureHasTheWordsOfTheServerAndNotThatItWasSilent() {
        backend.asking = (contender, deadline) -> {
            throw new IllegalStateException("OOM command not allowed");
        };

        assertThatThrownBy(lock::tryAcquire)
                .isInstanceOf(LockException.class)
                .hasMessageContaining("lock \"a\"")
                .hasMessageContaining("OOM command not allowed")
                .hasMessageNotContaining("not answered");
    }

    @ParameterizedTest
    @EnumSource(names = {"TRY", "TIMED", "BLOCKING"})
    void v4_aThreadThatMustNotWaitIsRefusedAtOnce(Way way) {
        backend.threadCheck = () -> {
            throw new RequestRefusedException("this is the event thread", null);
        };

        assertThatThrownBy(() -> way.acquire(lock, LONG))
                .isInstanceOf(LockException.class)
                .hasMessageContaining("lock \"a\"")
                .hasMessageContaining("this is the event thread");
        assertThat(backend.requests).hasValue(0);
    }

    @ParameterizedTest
    @EnumSource(names = {"TRY_ASYNC", "TIMED_ASYNC", "ASYNC"})
    void v4_aThreadThatMustNotWaitMayAskAsynchronously(Way way) throws Exception {
        backend.threadCheck = () -> {
            throw new RequestRefusedException("this is the event thread", null);
        };

        assertThat(way.acquire(lock, LONG).orElseThrow().release()).isEqualTo(Release.RELEASED);
    }

    // Closing with many holds

    @Test
    void v5_closingReleasesAllHoldsInOneExchange() throws Exception {
        List<LockHandle> holds = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            holds.add(client.lock("lock" + i).acquire());
        }

        client.close();

        assertThat(holds).extracting(LockHandle::state).containsOnly(State.LOST);
        assertThat(backend.batchesOfReleases).hasValue(1);
        expectNothingLeft();
    }

    @Test
    void v5_closingRepeatsReleasesWithoutAnAnswer() throws Exception {
        List<LockHandle> holds = List.of(lock.acquire(), client.lock("b").acquire());
        var whole = backend.releasing;
        backend.releasing = (grants, deadline) -> {
            backend.releasing = whole;
            return whole.release(List.of(grants.iterator().next()), deadline);
        };

        client.close();

        assertThat(holds).extracting(LockHandle::state).containsOnly(State.LOST);
        assertThat(backend.batchesOfReleases).hasValue(2);
        expectNothingLeft();
    }

    @Test
    void v5_closingReportsHoldsThatNobodyConfirmed() throws Exception {
        try (CapturedLog log = CapturedLog.of(client.name())) {
            List<LockHandle> holds = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                holds.add(client.lock("lock" + i).acquire());
            }
            backend.releasing = (grants, deadline) -> Map.of();
            Task<Object> close = start(Executors.callable(client::close));
            Await.until("the client is closed", () -> {
                store.advance(Duration.ofMillis(100));
                return close.isDone();
            });

            Await.until(
                    "the log says how many",
                    () -> log.at(Level.WARN).stream().anyMatch(line -> line.contains("10 of 10 holds")));
            assertThat(holds).extracting(LockHandle::state).containsOnly(State.LOST);
        }
    }

    // Whose thread comes first

    @Test
    void threadsInheritNothingFromTheirFirstCaller() throws Exception {
        InheritableThreadLocal<String> user = new InheritableThreadLocal<>();
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        List<String> seen = new CopyOnWriteArrayList<>();
        AtomicReference<ClassLoader> loader = new AtomicReference<>();
        user.set("Alice");
        Thread.currentThread().setContextClassLoader(new ClassLoader(before) {});
        try {
            LockHandle first = lock.acquire();
            // The callback is registered while the lock is busy. Otherwise this thread could run it.
            CompletableFuture<Void> done = lock.acquireAsync().thenAccept(held -> {
                seen.add(String.valueOf(user.get()));
                loader.set(Thread.currentThread().getContextClassLoader());
                held.release();
            });
            first.release();
            get(done);
        } finally {
            Thread.currentThread().setContextClassLoader(before);
        }

        assertThat(seen).containsExactly("null");
        assertThat(loader.get()).isSameAs(Engine.class.getClassLoader());
    }

    @Test
    void aThreadOfTheBackendInheritsNothingEither() throws Exception {
        InheritableThreadLocal<String> user = new InheritableThreadLocal<>();
        user.set("Alice");
        List<String> seen = new CopyOnWriteArrayList<>();
        BackendContext context = backend.context;

        Thread thread = context.newThread("reader", () -> seen.add(String.valueOf(user.get())));
        thread.start();
        thread.join();

        assertThat(seen).containsExactly("null");
        assertThat(thread.getName()).isEqualTo("distlock-" + context.clientName() + "-reader");
        assertThat(thread.isDaemon()).isTrue();
    }

    // Checkpoints of the process

    @Test
    void s1_aCheckpointGivesUpHoldsAndWaiters() throws Exception {
        LockHandle held = lock.acquire();
        List<LockLoss> losses = losses(held);
        LockHandle busy = other.lock("b").acquire();
        Task<LockHandle> waiter = startWaiting(client.lock("b")::acquire);
        Resource hook = (Resource) read(read(client, "engine"), "checkpointHook");

        hook.beforeCheckpoint(null);

        expectLoss(LossReason.CHECKPOINT, losses);
        assertThat(store.size()).as("what is left on the store").isOne();
        // A cleanup counts as done a moment before the backend forgets its contender.
        Await.until("the backend has forgotten all contenders", backend.remembered::isEmpty);
        assertFails(waiter).isInstanceOf(LockException.class).hasMessageContaining("checkpointed");
        assertThatThrownBy(lock::tryAcquire).isInstanceOf(LockException.class).hasMessageContaining("checkpointed");
        assertThat(backend.disconnections).hasValue(1);

        hook.afterRestore(null);

        assertThat(lock.acquire().release()).isEqualTo(Release.RELEASED);
        assertThat(busy.release()).isEqualTo(Release.RELEASED);
        expectNothingLeft();
    }

    @Test
    void aClosedClientStaysClosedAfterARestore() throws Exception {
        Resource hook = (Resource) read(read(client, "engine"), "checkpointHook");
        client.close();

        hook.beforeCheckpoint(null);
        hook.afterRestore(null);

        assertThat(backend.disconnections).hasValue(0);
        assertThatThrownBy(lock::tryAcquire).isInstanceOf(IllegalStateException.class);
    }

    // Broken connections

    @Test
    void v8_holdsAreRenewedAtOnceWhenAConnectionHasBroken() throws Exception {
        // So long that no other renewal is due while this test runs.
        LockOptions options = LockOptions.defaults().renewedLease(Duration.ofHours(1));
        LockHandle held = client.lock("a", options).acquire();
        int before = backend.requests.get();

        backend.context.connectionLost("another server");
        store.advance(Duration.ofMillis(1));
        assertThat(backend.requests).hasValue(before);

        backend.context.connectionLost("");

        Await.until("the hold is renewed", () -> count("renewed") == 1);
        assertThat(backend.requests).hasValue(before + 1);
        assertThat(held.state()).isEqualTo(State.HELD);
    }

    @Test
    void v8_aHoldIsRenewedOnTheServerThatKeepsItAtPresent() throws Exception {
        LockOptions options = LockOptions.defaults().renewedLease(Duration.ofHours(1));
        AtomicReference<Object> server = new AtomicReference<>("first");
        backend.asking = (contender, deadline) -> onServer(contender.attempt(deadline), server);
        backend.renewing = (due, deadline) -> due.forEach(
                renewal -> renewal.renewed(Validity.of(backend.clock().now(), renewal.lease())));
        LockHandle held = client.lock("a", options).acquire();
        int before = backend.requests.get();

        server.set("second");
        backend.context.connectionLost("first");
        store.advance(Duration.ofMillis(1));
        assertThat(backend.requests).hasValue(before);
        backend.context.connectionLost("second");

        Await.until("the hold is renewed", () -> count("renewed") == 1);
        assertThat(held.state()).isEqualTo(State.HELD);
    }

    @Test
    void s6_aRenewalThatWasSentBeforeAConnectionBrokeIsRepeatedAtOnce() throws Exception {
        LockOptions options = LockOptions.defaults().renewedLease(Duration.ofHours(1));
        AtomicInteger renewals = new AtomicInteger();
        backend.renewing = (due, deadline) -> {
            Moment sentAt = backend.clock().now();
            if (renewals.incrementAndGet() == 1) {
                store.advance(Duration.ofMillis(1));
                backend.context.connectionLost("");
            }
            due.forEach(renewal -> renewal.renewed(Validity.of(sentAt, renewal.lease())));
        };
        LockHandle held = client.lock("a", options).acquire();

        store.advance(Duration.ofMillis(1));
        backend.context.connectionLost("");

        Await.until("the hold is renewed twice", () -> renewals.get() == 2);
        assertThat(held.state()).isEqualTo(State.HELD);
    }

    @Test
    void s6_aGrantThatWasSentBeforeAConnectionBrokeIsRenewedAtOnce() throws Exception {
        LockOptions options = LockOptions.defaults().renewedLease(Duration.ofHours(1));
        backend.asking = (contender, deadline) -> {
            Attempt answer = contender.attempt(deadline);
            store.advance(Duration.ofMillis(1));
            backend.context.connectionLost("");
            return answer;
        };

        LockHandle held = client.lock("a", options).acquire();

        Await.until("the hold is renewed", () -> count("renewed") == 1);
        assertThat(held.state()).isEqualTo(State.HELD);
    }

    private static Attempt onServer(Attempt answer, AtomicReference<Object> server) {
        Grant grant = ((Attempt.Granted) answer).grant();
        return Attempt.granted((Grant) Proxy.newProxyInstance(
                Grant.class.getClassLoader(),
                new Class<?>[] {Grant.class},
                (proxy, method, arguments) ->
                        method.getName().equals("server") ? server.get() : method.invoke(grant, arguments)));
    }
}

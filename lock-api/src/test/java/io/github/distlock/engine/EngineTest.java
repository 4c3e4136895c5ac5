package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockClientBuilder;
import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle;
import io.github.distlock.LockListener;
import io.github.distlock.LockLoss;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** A client of a store in memory whose clock the test moves, with a backend that can misbehave; and another client. */
@Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD)
abstract class EngineTest {
    static final Duration LEASE = LockOptions.defaults().lease();
    static final Duration LONG = Duration.ofMinutes(1);
    /** What a busy machine may add to a promised bound. */
    private static final Duration SLACK = Duration.ofSeconds(1);
    /** By how much a call may be late: V4, V5 and V7 promise 250 ms. */
    static final Duration LATE = Duration.ofMillis(250).plus(SLACK);

    private static final AtomicInteger CLIENTS = new AtomicInteger();

    private final String clientName = "tested" + CLIENTS.incrementAndGet();
    private final List<LockClient> opened = new ArrayList<>();
    final List<Event> events = new CopyOnWriteArrayList<>();
    /** What the client's listener does besides. */
    volatile Consumer<Event> listening = event -> {};
    /** Opens when the test ends: for callbacks that block. */
    final CountDownLatch end = new CountDownLatch(1);

    final InMemoryStore store = new InMemoryStore();
    final InMemoryBackend memory = store.connect();
    final TestBackend backend = new TestBackend(memory);
    final LockClient client = open(settings());
    final DistributedLock lock = client.lock("a");
    final LockClient other = open(LockClient.builder(store.connect()));

    /** One call of the client's listener; the detail is the last argument, such as the reason of a loss. */
    record Event(String kind, LockEvent event, Object detail) {}

    /** A call on a thread of its own. */
    static final class Task<T> extends FutureTask<T> {
        final Thread thread = new Thread(this, "task");

        private Task(Callable<T> call) {
            super(call);
            thread.setDaemon(true);
        }
    }

    @AfterEach
    final void closeAll() {
        end.countDown();
        memory.resume();
        opened.forEach(LockClient::close);
        assertThat(backend.forgottenTwice)
                .as("contenders that were forgotten twice")
                .hasValue(0);
    }

    /** Settings of a client on the backend that can misbehave. */
    final LockClientBuilder settings() {
        LockListener listener = (LockListener) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {LockListener.class}, (self, method, told) -> {
                    LockEvent about = told[0] instanceof LockEvent event ? event : null;
                    Event event = new Event(method.getName(), about, told[told.length - 1]);
                    events.add(event);
                    listening.accept(event);
                    return null;
                });
        return LockClient.builder(backend).name(clientName).listener(listener);
    }

    /** Closed at the end, the last one first. */
    final LockClient open(LockClientBuilder builder) {
        opened.add(0, builder.shutdownTimeout(Duration.ZERO).build());
        return opened.get(0);
    }

    static <T> Task<T> start(Callable<T> call) {
        Task<T> task = new Task<>(call);
        task.thread.start();
        return task;
    }

    static boolean onAnotherThread(Callable<Boolean> question) throws Exception {
        return get(start(question));
    }

    /** An acquire of a busy lock. When this returns, it waits. */
    @CanIgnoreReturnValue
    final <T> Task<T> startWaiting(Callable<T> acquire) {
        long before = count("waiting");
        Task<T> waiter = start(acquire);
        Await.until("an acquire waits", () -> count("waiting") > before);
        return waiter;
    }

    /** So many contenders wait in the store's queue. */
    final void awaitQueued(int count) {
        Await.until(
                "in the queue: " + count,
                () -> other.inspector().inspect("a").waiters().size() == count);
    }

    @CanIgnoreReturnValue
    static <T> T get(Future<T> future) throws Exception {
        return future.get(20, TimeUnit.SECONDS);
    }

    /** The failure of a call that is due. */
    static AbstractThrowableAssert<?, ?> assertFails(Future<?> call) {
        return assertThatThrownBy(() -> call.get(LATE.toMillis(), TimeUnit.MILLISECONDS))
                .isInstanceOf(ExecutionException.class)
                .cause();
    }

    /** Returns the losses that a listener of this hold receives. */
    static List<LockLoss> losses(LockHandle held) {
        List<LockLoss> losses = new CopyOnWriteArrayList<>();
        held.onLost(losses::add);
        return losses;
    }

    static void expectLoss(LossReason reason, List<LockLoss> losses) {
        Await.until("the loss is reported", () -> !losses.isEmpty());
        assertThat(losses).extracting(LockLoss::reason).containsExactly(reason);
    }

    /** The same object, but for one method. */
    static <T> T overriding(Class<T> type, T original, String overridden, Supplier<?> answer) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (self, method, arguments) ->
                        method.getName().equals(overridden) ? answer.get() : method.invoke(original, arguments)));
    }

    /** The part of the fencing token that the store mints. */
    static long base(LockHandle held) {
        return held.fencingToken() >> 8;
    }

    final long count(String kind) {
        return events.stream().filter(event -> event.kind.equals(kind)).count();
    }

    /** The first event of a kind, soon. */
    @CanIgnoreReturnValue
    final Event event(String kind) {
        Await.until(kind, () -> count(kind) > 0);
        return events.stream()
                .filter(event -> event.kind.equals(kind))
                .findFirst()
                .orElseThrow();
    }

    final List<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("distlock-" + clientName + "-"))
                .toList();
    }

    final void expectNothingLeft() {
        Await.until("nothing is left on the store", () -> store.size() == 0 && backend.contenders.isEmpty());
        Await.until("the backend has forgotten all contenders", backend.remembered::isEmpty);
    }
}

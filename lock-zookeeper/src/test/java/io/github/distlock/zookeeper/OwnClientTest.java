package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.tests.IgnoredSignals;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.curator.utils.DefaultZookeeperFactory;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The threads on which the backend's own client starts, runs and ends. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class OwnClientTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final LockRequest REQUEST =
            LockRequest.exclusive("lock", Duration.ofSeconds(30), LockOwner.of("host", 1, "client", "thread"));

    private final String base = SharedZooKeeper.freshPath();

    private ZooKeeperBackend backend() {
        return ZooKeeperBackend.builder(SharedZooKeeper.address())
                .basePath(base)
                .build();
    }

    private ZooKeeperBackend backend(Supplier<CuratorFramework> factory) {
        return new ZooKeeperBackend(
                (listener, changed, clock) ->
                        new OwnClient(factory, SharedZooKeeper.address(), listener, changed, clock),
                new LockPaths.Below(base),
                Duration.ofSeconds(30),
                new ServerTick(null));
    }

    @CanIgnoreReturnValue
    private static Attempt attempt(LockBackend backend) throws InterruptedException {
        return backend.contend(REQUEST, new IgnoredSignals()).attempt(Deadline.after(PATIENCE, backend.clock()));
    }

    @Test
    void s1_aDisconnectedBackendHasNoConnectionAndOpensAnother() throws Exception {
        try (FaultProxy link = FaultProxy.to(SharedZooKeeper.server());
                ZooKeeperBackend backend =
                        ZooKeeperBackend.builder(link.address()).basePath(base).build()) {
            backend.start(new RecordingContext("test"));
            Deadline deadline = Deadline.after(PATIENCE, backend.clock());
            var unused = ((Attempt.Granted) attempt(backend)).grant().release(deadline);

            backend.disconnect();

            Waiting.await("no connection is open", PATIENCE, () -> link.openConnections() == 0);
            assertThat(attempt(backend)).isInstanceOf(Attempt.Granted.class);
        }
    }

    @Test
    void v6_theThreadsOfTheClientInheritNothingFromItsFirstCaller() throws Exception {
        List<String> heirs = new CopyOnWriteArrayList<>();
        InheritableThreadLocal<String> context = new InheritableThreadLocal<>() {
            @Override
            protected String childValue(String parent) {
                heirs.add("a thread that " + Thread.currentThread().getName() + " has made");
                return parent;
            }
        };
        ClassLoader loader = new ClassLoader(getClass().getClassLoader()) {};
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        context.set("of the caller");
        Thread.currentThread().setContextClassLoader(loader);

        try (LockClient locks =
                        LockClient.builder(backend()).name(base.substring(1)).build();
                LockHandle held = locks.lock("lock").acquire()) {
            assertThat(held.isHeld()).isTrue();
            assertThat(heirs).isEmpty();
            assertThat(Thread.getAllStackTraces().keySet())
                    .noneMatch(thread -> thread != Thread.currentThread() && thread.getContextClassLoader() == loader);
            assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .anyMatch(name -> name.startsWith("distlock-" + base.substring(1) + "-zookeeper"));
        } finally {
            context.remove();
            Thread.currentThread().setContextClassLoader(before);
        }
    }

    @Test
    void v8_theNextRequestStartsAClientWhoseThreadCouldNotStart() throws Exception {
        FailingThreads threads = new FailingThreads();
        try (ZooKeeperBackend backend = backend()) {
            backend.start(threads);
            threads.toFail.set(1);

            assertThatThrownBy(() -> attempt(backend))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("unable to create native thread");

            assertThat(attempt(backend)).isInstanceOf(Attempt.Granted.class);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tick", "keepalive"})
    void v8_theNextRequestStartsAThreadOfTheSessionThatCouldNotStart(String role) throws Exception {
        RecordingContext threads = new RecordingContext("test");
        List<String> refused = new CopyOnWriteArrayList<>();
        try (ZooKeeperBackend backend = backend()) {
            backend.start(threads);
            threads.refuseThreads(made -> made.equals(role) && refused.add(made));
            assertThatThrownBy(() -> attempt(backend))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("thread");
            assertThat(refused).containsExactly(role);
            List<String> started = new CopyOnWriteArrayList<>();
            threads.refuseThreads(made -> !started.add(made));

            assertThat(attempt(backend)).isInstanceOf(Attempt.Granted.class);

            assertThat(started).contains(role);
        }
    }

    @Test
    void v8_theNextRequestMakesAnotherClientAfterAFailedStart() throws Exception {
        AtomicInteger made = new AtomicInteger();
        Supplier<CuratorFramework> factory = () -> {
            if (made.getAndIncrement() == 0) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            return CuratorFrameworkFactory.newClient(SharedZooKeeper.address(), new RetryOneTime(100));
        };
        try (ZooKeeperBackend backend = backend(factory)) {
            backend.start(new RecordingContext("test"));

            assertThat(attempt(backend)).isInstanceOf(Attempt.Granted.class);
        }
        assertThat(made).hasValue(2);
    }

    /** The first failure is that of Curator's own thread, and the second one that of the request. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void v8_aClientRecoversAfterCuratorHasFailedToReplaceItsHandle(int failures) throws Exception {
        AtomicInteger toFail = new AtomicInteger();
        CuratorFramework curator = CuratorFrameworkFactory.builder()
                .connectString(SharedZooKeeper.address())
                .ensembleTracker(false)
                .retryPolicy(new RetryOneTime(100))
                .zookeeperFactory((address, timeout, watcher, readOnly) -> {
                    if (toFail.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                        throw new OutOfMemoryError("unable to create native thread");
                    }
                    return new DefaultZookeeperFactory().newZooKeeper(address, timeout, watcher, readOnly);
                })
                .build();
        try (ZooKeeperBackend backend = backend(() -> curator)) {
            backend.start(new RecordingContext("test"));
            attempt(backend);
            toFail.set(failures);

            curator.getZookeeperClient().getZooKeeper().getTestable().injectSessionExpiration();
            Waiting.await("Curator fails to replace the handle", PATIENCE, () -> toFail.get() < failures);

            assertThat(attempt(backend)).isNotNull();
        }
    }

    @Test
    void v5_aClientWhoseClosingThreadCouldNotStartClosesWithTheNextCall() throws Exception {
        FailingThreads threads = new FailingThreads();
        ZooKeeperBackend backend = backend();
        backend.start(threads);
        attempt(backend);
        threads.toFail.set(1);

        assertThatThrownBy(backend::close).isInstanceOf(IllegalStateException.class);
        backend.close();

        Waiting.await(
                "the session has ended",
                PATIENCE,
                () -> SharedZooKeeper.children(base + "/lock").isEmpty());
    }

    /** A context with threads that do not start, as in a process that may have no more threads. */
    private static final class FailingThreads implements BackendContext {
        private final AtomicInteger toFail = new AtomicInteger();
        private final RecordingContext context = new RecordingContext("test");

        @Override
        public String clientName() {
            return context.clientName();
        }

        @Override
        public Thread newThread(String role, Runnable task) {
            if (toFail.getAndUpdate(left -> Math.max(0, left - 1)) == 0) {
                return context.newThread(role, task);
            }
            return new Thread(task, role) {
                @Override
                public synchronized void start() {
                    throw new OutOfMemoryError("unable to create native thread");
                }
            };
        }

        @Override
        public void log(Runnable statement) {
            context.log(statement);
        }

        @Override
        public void connectionLost(Object server) {
            context.connectionLost(server);
        }
    }
}

package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.deadline;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.curator.CuratorZookeeperClient;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.CuratorEvent;
import org.apache.curator.framework.api.CuratorEventType;
import org.apache.curator.framework.api.CuratorListener;
import org.apache.curator.framework.imps.CuratorFrameworkState;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.AsyncCallback.StatCallback;
import org.apache.zookeeper.AsyncCallback.VoidCallback;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.ZooKeeper.States;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which session a connection gives to requests, and when it gives none. A test says what the handle calls itself. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ConnectionTest {
    private final List<CuratorFramework> clients = new ArrayList<>();
    private final AtomicReference<CuratorListener> listener = new AtomicReference<>();
    private final Source source = new Source();
    private final RecordingContext context = new RecordingContext(SharedZooKeeper.freshPath());
    private final Connection connection = new Connection(
            (heard, changed, clock) -> {
                listener.set(heard);
                return source;
            },
            new ServerTick(SharedZooKeeper.TICK),
            LockClock.system());
    private CuratorFramework curator;
    private Handle handle;

    private static final class Handle extends ZooKeeper {
        private final AtomicInteger watches = new AtomicInteger();
        private final AtomicInteger removed = new AtomicInteger();
        private volatile @Nullable States state;

        Handle(String address, int timeout, Watcher watcher) throws IOException {
            super(address, timeout, watcher);
        }

        @Override
        public States getState() {
            States set = state;
            return set == null ? super.getState() : set;
        }

        @Override
        public void exists(String path, Watcher watcher, StatCallback callback, Object context) {
            watches.incrementAndGet();
            super.exists(path, watcher, callback, context);
        }

        @Override
        public void removeWatches(
                String path,
                Watcher watcher,
                Watcher.WatcherType type,
                boolean local,
                VoidCallback callback,
                Object context) {
            removed.incrementAndGet();
            super.removeWatches(path, watcher, type, local, callback, context);
        }
    }

    private static final class Source implements CuratorSource {
        private final AtomicInteger looks = new AtomicInteger();
        private final AtomicInteger disconnected = new AtomicInteger();
        private final AtomicInteger closed = new AtomicInteger();
        private volatile Supplier<@Nullable Started> present = () -> null;
        private volatile @Nullable Runnable replacement;
        private volatile boolean failsToClose;

        @Override
        public @Nullable Started client(BackendContext context) {
            looks.incrementAndGet();
            return present.get();
        }

        @Override
        public boolean giveUp(Started failed, BackendContext context) {
            Runnable replaces = replacement;
            if (replaces == null) {
                return false;
            }
            replaces.run();
            return true;
        }

        @Override
        public String connectString() {
            return SharedZooKeeper.address();
        }

        @Override
        public String problem() {
            return "there is no client";
        }

        @Override
        public String fullPath(String path) {
            return "/namespace" + path;
        }

        @Override
        public void disconnect(BackendContext context) {
            disconnected.incrementAndGet();
        }

        @Override
        public void close(@Nullable BackendContext context) {
            if (failsToClose) {
                throw new IllegalStateException("no thread");
            }
            closed.incrementAndGet();
        }
    }

    @BeforeEach
    void start() throws Exception {
        connection.use(context);
        curator = startCurator(SharedZooKeeper.address());
        handle = handleOf(curator);
        use(curator, false);
    }

    @AfterEach
    void end() {
        handle.state = null;
        connection.close();
        clients.forEach(CuratorFramework::close);
    }

    private CuratorFramework startCurator(String servers) throws InterruptedException {
        CuratorFramework made = CuratorFrameworkFactory.builder()
                .connectString(servers)
                .ensembleTracker(false)
                .retryPolicy(new RetryOneTime(100))
                .zookeeperFactory((address, timeout, watcher, readOnly) -> new Handle(address, timeout, watcher))
                .build();
        clients.add(made);
        made.start();
        assertThat(made.blockUntilConnected((int) TestContender.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        return made;
    }

    private static Handle handleOf(CuratorFramework client) throws Exception {
        return (Handle) client.getZookeeperClient().getZooKeeper();
    }

    private void use(CuratorFramework client, boolean isCallerSupplied) {
        CuratorSource.Started started = new CuratorSource.Started(client, null, isCallerSupplied);
        source.present = () -> started;
    }

    private static Deadline soon() {
        return Deadline.after(Duration.ofMillis(10), LockClock.system());
    }

    /** Asks for a session on another thread, which waits for one. */
    private CompletableFuture<Session> waiting() {
        int before = source.looks.get();
        CompletableFuture<Session> answer = new CompletableFuture<>();
        new Thread(() -> {
                    try {
                        answer.complete(connection.session(deadline()));
                    } catch (Throwable e) {
                        answer.completeExceptionally(e);
                    }
                })
                .start();
        await("it waits", () -> source.looks.get() > before + 2);
        return answer;
    }

    private static <T> T get(CompletableFuture<T> answer) throws Exception {
        return answer.get(TestContender.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private static Throwable failure(CompletableFuture<Session> answer) {
        return catchThrowable(() -> get(answer)).getCause();
    }

    private static void await(String expected, BooleanSupplier condition) {
        Waiting.await(expected, TestContender.PATIENCE, condition);
    }

    private long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("distlock-" + context.clientName() + "-"))
                .count();
    }

    @Test
    void api_aSessionIsThatOfTheHandle() throws Exception {
        assertThat(connection.sessionTimeout(Duration.ofDays(1))).isEqualTo(Duration.ofDays(1));
        assertThat(connection.fullPath("/path")).isEqualTo("/namespace/path");

        Session session = connection.session(deadline());

        assertThat(session.isOf(handle)).isTrue();
        assertThat(handle.watches).as("it watches the life of the session").hasValue(1);
        assertThat(connection.session(deadline())).isSameAs(session);
        assertThat(connection.sessionTimeout(Duration.ofDays(1))).isEqualTo(session.timeout());
    }

    @Test
    void v4_aRequestWithoutAClientFailsInTime() {
        source.present = () -> null;

        assertThatThrownBy(() -> connection.session(soon()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("there is no client");
    }

    @Test
    void v4_aRequestWaitsUntilTheHandleIsConnected() throws Exception {
        handle.state = States.CONNECTING;
        CompletableFuture<Session> answer = waiting();

        handle.state = null;

        assertThat(get(answer).isOf(handle)).isTrue();
    }

    @Test
    void v4_aRequestWaitsUntilItsSessionIsConnectedAgain() throws Exception {
        Session session = connection.session(deadline());
        handle.state = States.CONNECTING;
        CompletableFuture<Session> answer = waiting();

        handle.state = null;

        assertThat(get(answer)).isSameAs(session);
    }

    @Test
    void v4_aRequestOverAHandleThatIsNotConnectedAnyMoreFailsInTime() throws Exception {
        Session session = connection.session(deadline());
        handle.state = States.CONNECTING;

        assertThatThrownBy(() -> connection.session(soon())).hasMessage("there is no client");

        handle.state = null;
        assertThat(connection.session(deadline())).isSameAs(session);
    }

    @Test
    void s6_anotherHandleHasAnotherSession() throws Exception {
        Session earlier = connection.session(deadline());
        curator.getZookeeperClient().reset();

        Session session = connection.session(deadline());

        assertThat(session.isOf(handleOf(curator))).isTrue();
        assertThat(earlier.life().hasEnded()).isTrue();
        assertThat(session.life().hasEnded()).isFalse();
        await("one thread is left", () -> threads() == 1);
    }

    @Test
    void api_aFailedAuthenticationIsRefused() {
        handle.state = States.AUTH_FAILED;

        expectRefusal();
    }

    /** Reports a change of the connection, as Curator does. */
    private void hear(EventType type, KeeperState state) throws Exception {
        WatchedEvent change = new WatchedEvent(type, state, type == EventType.None ? null : "/");
        CuratorEvent event = (CuratorEvent) Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {CuratorEvent.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "getType" -> CuratorEventType.WATCHED;
                    case "getWatchedEvent" -> change;
                    default -> null;
                });
        listener.get().eventReceived(curator, event);
    }

    private void useWithoutConnection(FaultProxy link) throws Exception {
        link.refuse();
        link.cut();
        await("it is not connected", () -> !curator.getZookeeperClient().isConnected());
        handle.state = States.AUTH_FAILED;
    }

    private void expectRefusal() {
        assertThatThrownBy(() -> connection.session(deadline()))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("authentication");
    }

    private void expectNoSession() {
        assertThatThrownBy(() -> connection.session(soon())).hasMessage("there is no client");
    }

    @Test
    void v4_aClientWithoutAConnectionIsAskedForItsHandleOnlyAfterAFailedAuthentication() throws Exception {
        try (FaultProxy link = FaultProxy.to(SharedZooKeeper.server())) {
            curator = startCurator(link.address());
            handle = handleOf(curator);
            use(curator, false);
            useWithoutConnection(link);
            expectRefusal();

            hear(EventType.None, KeeperState.Disconnected);
            expectNoSession();
            hear(EventType.NodeDataChanged, KeeperState.AuthFailed);
            expectNoSession();
            hear(EventType.None, KeeperState.AuthFailed);
            expectRefusal();
        }
    }

    @Test
    void v4_aClientWithoutAConnectionIsAskedForItsHandleAfterTheEndOfItsSession() throws Exception {
        try (FaultProxy link = FaultProxy.to(SharedZooKeeper.server())) {
            curator = startCurator(link.address());
            handle = handleOf(curator);
            use(curator, false);
            Session session = connection.session(deadline());
            useWithoutConnection(link);
            hear(EventType.None, KeeperState.Disconnected);
            expectNoSession();

            session.life().end();

            expectRefusal();
        }
    }

    /** Another client follows one whose authentication has failed. */
    @Test
    void api_aClientWhoseAuthenticationHasFailedIsGivenUp() throws Exception {
        Session earlier = connection.session(deadline());
        handle.state = States.AUTH_FAILED;
        CuratorFramework next = startCurator(SharedZooKeeper.address());
        source.replacement = () -> use(next, false);

        Session session = connection.session(deadline());

        assertThat(session.isOf(handleOf(next))).isTrue();
        assertThat(earlier.life().hasEnded()).isTrue();
    }

    @Test
    void v4_aRequestThatWaitedForAClientThatWasGivenUpFails() {
        Thread present = Thread.currentThread();
        CuratorSource.Started failed = new CuratorSource.Started(curator, null, false);
        source.present = () -> null;
        CompletableFuture<Session> answer = waiting();
        handle.state = States.AUTH_FAILED;
        source.replacement = () -> source.present = () -> null;

        source.present = () -> Thread.currentThread() == present ? failed : null;
        assertThatThrownBy(() -> connection.session(soon())).hasMessage("there is no client");

        assertThat(failure(answer)).isInstanceOf(RequestRefusedException.class).hasMessageContaining("authentication");
    }

    /** Before the end of the session is on its way to the server. */
    @Test
    void s6_aSessionEndsAsSoonAsItsClientCloses() throws Exception {
        Session session = connection.session(deadline());
        AtomicReference<Boolean> hadEnded = new AtomicReference<>();
        curator.getCuratorListenable().addListener((client, event) -> {
            listener.get().eventReceived(client, event);
            if (event.getType() == CuratorEventType.CLOSING) {
                hadEnded.set(session.life().hasEnded());
            }
        });

        curator.close();

        assertThat(hadEnded.get()).isTrue();
    }

    @Test
    void v5_aClosedConnectionFailsAtOnce() throws Exception {
        Session session = connection.session(deadline());
        handle.state = States.CONNECTING;
        CompletableFuture<Session> answer = waiting();

        connection.close();

        assertThat(failure(answer)).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
        handle.state = null;
        assertThat(session.isConnected()).isTrue();
        source.present = () -> {
            throw new IllegalStateException("the source is asked");
        };
        assertThatThrownBy(() -> connection.session(deadline())).hasMessageContaining("closed");
        assertThat(source.closed).hasValue(1);
        assertThat(handle.removed)
                .as("it does not watch a caller-supplied client any more")
                .hasValue(1);
        await("no thread is left", () -> threads() == 0);
    }

    @Test
    void v5_aConnectionThatCouldNotBeClosedIsOpen() throws Exception {
        source.failsToClose = true;
        assertThatThrownBy(connection::close).hasMessage("no thread");
        source.failsToClose = false;

        assertThat(connection.session(deadline()).isOf(handle)).isTrue();
        connection.close();

        assertThat(source.closed).hasValue(1);
        await("no thread is left", () -> threads() == 0);
    }

    @Test
    void v5_aDisconnectedBackendLeavesNoThread() throws Exception {
        Session unused = connection.session(deadline());
        assertThat(threads()).isOne();

        connection.disconnect();

        assertThat(source.disconnected).hasValue(1);
        await("no thread is left", () -> threads() == 0);
    }

    @Test
    void v4_nobodyWaitsForASessionThatOnlyABlockedEventThreadCanReplace() throws Exception {
        use(curator, true);
        Session session = connection.session(deadline());
        CountDownLatch blocked = new CountDownLatch(1);
        CountDownLatch unblocked = new CountDownLatch(1);
        handle.exists(
                "/",
                false,
                (code, path, asked, stat) -> {
                    blocked.countDown();
                    await("it is unblocked", () -> unblocked.getCount() == 0);
                },
                null);
        await("it is blocked", () -> blocked.getCount() == 0);
        try {
            assertThat(session.check("/").await(deadline())).isEmpty();
            handle.state = States.CLOSED;

            assertThatThrownBy(() -> connection.session(deadline()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("blocks the event thread");
        } finally {
            unblocked.countDown();
        }
    }

    @Test
    void v4_theEventThreadGetsNoSession() throws Exception {
        CompletableFuture<Throwable> refusal = new CompletableFuture<>();

        handle.sync(
                "/",
                (code, path, asked) -> refusal.complete(catchThrowable(() -> connection.session(deadline()))),
                null);

        assertThat(get(refusal)).isInstanceOf(RequestRefusedException.class).hasMessageContaining("event thread");
    }

    /** Returns a client that answers one question, and passes each other one on. */
    private CuratorFramework answering(String question, Object answer) {
        return (CuratorFramework) Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {CuratorFramework.class},
                (proxy, method, arguments) ->
                        method.getName().equals(question) ? answer : method.invoke(curator, arguments));
    }

    @Test
    void s6_aSessionOfAClientThatClosesMeanwhileIsNotUsed() {
        use(answering("getState", CuratorFrameworkState.STOPPED), false);

        expectNoSession();
    }

    /** A client of Curator whose handle could not be made. */
    private static final class Broken extends CuratorZookeeperClient {
        private final String words;

        Broken(String words) {
            super(SharedZooKeeper.address(), 1_000, 1_000, event -> {}, new RetryOneTime(100));
            this.words = words;
        }

        @Override
        public boolean isConnected() {
            return true;
        }

        @Override
        public ZooKeeper getZooKeeper() {
            throw new IllegalStateException(words);
        }
    }

    @Test
    void api_aHandleThatCannotBeMadeIsAnErrorWithoutCredentials() {
        use(answering("getZookeeperClient", new Broken("no thread")), false);
        assertThatThrownBy(() -> connection.session(soon()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no thread")
                .hasCauseInstanceOf(IllegalStateException.class);
        use(answering("getZookeeperClient", new Broken("nothing at user:secret@host:1")), false);

        assertThatThrownBy(() -> connection.session(soon()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("@host:1")
                .hasMessageNotContaining("secret")
                .hasNoCause();
    }

    @Test
    void v5_aConnectionThatIsClosedMeanwhileLeavesNoThread() {
        context.refuseThreads(role -> {
            if (role.equals("keepalive")) {
                connection.close();
            }
            return false;
        });

        Throwable unused = catchThrowable(() -> connection.session(deadline()));

        await("no thread is left", () -> threads() == 0);
    }

    /** The beginning of a client's first session is known. */
    @Test
    void s6_onlyTheFirstSessionOfAClientBeganWithIt() throws Exception {
        LockClock standing = new TestClock(new AtomicLong(Duration.ofHours(1).toNanos()));
        Connection known =
                new Connection((heard, changed, clock) -> source, new ServerTick(SharedZooKeeper.TICK), standing);
        known.use(context);
        CuratorSource.Started started = new CuratorSource.Started(curator, standing.now(), false);
        source.present = () -> started;

        Session first = known.session(deadline());
        assertThat(first.check("/").await(deadline())).isEmpty();
        Duration most = first.timeout().dividedBy(3).multipliedBy(2);
        assertThat(first.validity().length()).isGreaterThan(most);
        curator.getZookeeperClient().reset();
        Session second = known.session(deadline());
        assertThat(second.check("/").await(deadline())).isEmpty();

        assertThat(second.validity().length()).as("nothing proves more").isLessThan(most);
        known.close();
    }

    @Test
    void v6_theTickIsAskedForOnce() throws Exception {
        Queue<String> roles = new ConcurrentLinkedQueue<>();
        context.refuseThreads(role -> {
            roles.add(role);
            return false;
        });
        Connection learning =
                new Connection((heard, changed, clock) -> source, new ServerTick(null), LockClock.system());
        learning.use(context);

        Session earlier = learning.session(deadline());
        curator.getZookeeperClient().reset();
        assertThat(learning.session(deadline())).isNotSameAs(earlier);

        assertThat(roles).containsExactly("tick", "keepalive", "keepalive");
        learning.close();
    }
}

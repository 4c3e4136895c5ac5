package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.deadline;
import static io.github.distlock.zookeeper.TestContender.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.ACLProvider;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.AsyncCallback.ChildrenCallback;
import org.apache.zookeeper.AsyncCallback.DataCallback;
import org.apache.zookeeper.AsyncCallback.VoidCallback;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.ZooKeeper.States;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.common.ZKConfig;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A session over a handle that shows what is asked of it. A test gives the answers to syncs and watches. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SessionTest {
    private static final Watcher WATCHER = event -> {};
    private static final byte[] DATA = {1, 2};
    private static final Stat STAT = new Stat();

    private final CuratorFramework curator = CuratorFrameworkFactory.builder()
            .connectString(SharedZooKeeper.address())
            .ensembleTracker(false)
            .retryPolicy(new RetryOneTime(100))
            .aclProvider(new ReadableNodes())
            .zookeeperFactory((address, timeout, watcher, readOnly) -> new Handle(address, timeout, watcher))
            .build();
    private final TestClock clock = new TestClock(new AtomicLong(1_000_000_000));
    private Handle handle;
    private Session session;

    private static final class ReadableNodes implements ACLProvider {
        @Override
        public List<ACL> getDefaultAcl() {
            return Ids.READ_ACL_UNSAFE;
        }

        @Override
        public List<ACL> getAclForPath(String path) {
            return Ids.READ_ACL_UNSAFE;
        }
    }

    private static final class Handle extends ZooKeeper {
        private final List<VoidCallback> syncs = new ArrayList<>();
        private final List<DataCallback> reads = new ArrayList<>();
        private final List<ChildrenCallback> listings = new ArrayList<>();
        private final List<String> removed = new ArrayList<>();
        private final CountDownLatch hanging = new CountDownLatch(1);
        private volatile @Nullable States state;
        private volatile boolean hangs;

        Handle(String address, int timeout, Watcher watcher) throws IOException {
            super(address, timeout, watcher);
        }

        @Override
        public States getState() {
            States set = state;
            return set == null ? super.getState() : set;
        }

        @Override
        public List<OpResult> multi(Iterable<Op> operations) throws InterruptedException, KeeperException {
            if (hangs) {
                hanging.countDown();
                new CountDownLatch(1).await();
            }
            return super.multi(operations);
        }

        @Override
        public void sync(String path, VoidCallback callback, Object context) {
            syncs.add(callback);
        }

        @Override
        public void getData(String path, Watcher watcher, DataCallback callback, Object context) {
            reads.add(callback);
        }

        @Override
        public void getChildren(String path, Watcher watcher, ChildrenCallback callback, Object context) {
            listings.add(callback);
        }

        @Override
        public void removeWatches(
                String path,
                Watcher watcher,
                Watcher.WatcherType type,
                boolean local,
                VoidCallback callback,
                Object context) {
            removed.add(type + " " + path);
        }
    }

    private void setClock(long millis) {
        clock.nanos().set(millis * 1_000_000);
    }

    @BeforeEach
    void connect() throws Exception {
        curator.start();
        assertThat(curator.blockUntilConnected((int) TestContender.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        handle = (Handle) curator.getZookeeperClient().getZooKeeper();
        session = session(false, instance());
    }

    @AfterEach
    void close() {
        curator.close();
    }

    private long instance() {
        return curator.getZookeeperClient().getInstanceIndex();
    }

    private Session session(boolean isCallerSupplied, long instance) {
        return new Session(
                curator,
                handle,
                instance,
                new ServerTick(SharedZooKeeper.TICK),
                null,
                isCallerSupplied,
                new AtomicLong(),
                clock,
                new RecordingContext("test"));
    }

    @Test
    void api_aSessionKnowsItsHandleAndItsClient() {
        assertThat(session.isOf(handle)).isTrue();
        assertThat(session.isOf(SharedZooKeeper.operator())).isFalse();
        assertThat(session.isOver(curator)).isTrue();
        assertThat(session.isOver(curator.usingNamespace("another"))).isFalse();
        assertThat(session.id()).isEqualTo(handle.getSessionId());
        assertThat(session.timeout()).isEqualTo(Duration.ofMillis(handle.getSessionTimeout()));
        assertThat(session.hasOwnClient()).isFalse();
        assertThat(session.isWatched("/")).isFalse();
    }

    @Test
    void v1_aNodeSaysHowLongItOutlivesItsOwner() {
        OwnerData silent = new OwnerData(request().owner(), Duration.ZERO, 1);
        OwnerData other = new OwnerData(request().owner(), Duration.ofMinutes(1), 1);

        assertThat(session.expiry(silent)).isEqualTo(session.timeout().plus(SharedZooKeeper.TICK));
        assertThat(session.expiry(other)).isEqualTo(Duration.ofMinutes(1).plus(SharedZooKeeper.TICK));
    }

    @Test
    void v6_theLongestReplyIsThatOfTheClient() {
        assertThat(session.longestReply()).isEqualTo(ZKClientConfig.CLIENT_MAX_PACKET_LENGTH_DEFAULT);

        session.config().setProperty(ZKConfig.JUTE_MAXBUFFER, "1234");

        assertThat(session.longestReply()).isEqualTo(1234);
    }

    @Test
    void s6_aSessionLivesForAsLongAsItsHandleAndIsUsableWhileThatIsConnected() {
        assertThat(session.isConnected()).isTrue();
        assertThat(session.isAlive()).isTrue();

        handle.state = States.CONNECTEDREADONLY;
        assertThat(session.isConnected()).isFalse();
        assertThat(session.isAlive()).isTrue();

        handle.state = States.CLOSED;
        assertThat(session.isConnected()).isFalse();
        assertThat(session.isAlive()).isFalse();
        assertThat(session.hasEnded()).as("no event has said so").isFalse();
    }

    @Test
    void s6_aSessionThatHasEndedIsNotUsable() {
        assertThat(session.hasEnded()).isFalse();

        session.life().end();

        assertThat(session.hasEnded()).isTrue();
        assertThat(session.isConnected()).isFalse();
        assertThat(session.isAlive()).isFalse();
    }

    @Test
    void s6_aSessionEndsWhenCuratorHasAnotherHandle() {
        Session earlier = session(false, instance() - 1);

        assertThat(earlier.hasEnded()).isTrue();
        assertThat(earlier.isConnected()).isFalse();
    }

    @Test
    void s6_aSessionEndsWithItsClient() {
        session.endIfClientIsClosed();
        assertThat(session.hasEnded()).isFalse();
        curator.close();

        session.endIfClientIsClosed();

        assertThat(session.life().hasEnded()).isTrue();
    }

    @Test
    void api_onlyACallerSuppliedClientGivesNodesItsAcl() {
        assertThat(session.acl("/node")).isEqualTo(Ids.OPEN_ACL_UNSAFE);
        assertThat(session(true, instance()).acl("/node")).isEqualTo(Ids.READ_ACL_UNSAFE);
    }

    private Duration lengthAfterWrite() throws Exception {
        assertThat(session.check("/").await(deadline())).isEmpty();
        return session.validity().length();
    }

    private void keepAlive(long millis, Code code) {
        setClock(millis);
        session.keepAlive();
        assertThat(handle.syncs).hasSize(1);
        handle.syncs.remove(0).processResult(code.intValue(), "/", null);
    }

    @Test
    void s6_aSessionIsWorthMoreByTheAnswersToItsRequests() throws Exception {
        for (long millis : List.of(2_000, 2_300, 2_400)) {
            keepAlive(millis, Code.OK);
        }

        setClock(2_500);

        assertThat(lengthAfterWrite()).isGreaterThan(session.timeout().dividedBy(2));
    }

    @Test
    void s6_aSessionIsWorthMoreByARequestThatFailedWithItsConnection() throws Exception {
        keepAlive(2_000, Code.CONNECTIONLOSS);

        setClock(2_100);

        assertThat(lengthAfterWrite()).isGreaterThan(session.timeout().dividedBy(2));
    }

    @Test
    void s6_anotherFailureProvesNothing() throws Exception {
        for (long millis : List.of(2_000, 2_300, 2_400)) {
            keepAlive(millis, Code.SESSIONEXPIRED);
        }

        setClock(2_500);

        assertThat(lengthAfterWrite()).isLessThan(session.timeout().dividedBy(2));
    }

    @Test
    void api_aWarningIsLoggedOnce() {
        try (CapturedLog log = new CapturedLog()) {
            session.warnOnce("/one", "words about one");
            session.warnOnce("/one", "words about one");
            session.warnOnce("/two", "words about two");

            assertThat(log.lines())
                    .filteredOn(line -> line.startsWith("words about"))
                    .containsExactly("words about one", "words about two");
        }
    }

    @Test
    void v2_theAnswerToARequestForAWatchSaysWhetherThereIsOne() {
        List<Object> heard = new ArrayList<>();
        session.watch("/node", WATCHER, (code, data, stat) -> heard.addAll(List.of(code, data, stat)));
        handle.state = States.CLOSED;

        handle.reads.get(0).processResult(Code.OK.intValue(), "/node", null, DATA, STAT);

        assertThat(heard).containsExactly(Code.OK, DATA, STAT);
        assertThat(session.life().hasEnded()).isFalse();
    }

    @Test
    void s6_aWatchThatFailsWithItsHandleEndsTheSession() {
        List<Code> heard = new ArrayList<>();
        session.watch("/node", WATCHER, (code, data, stat) -> heard.add(code));
        session.watchChildren("/node", WATCHER, (code, children) -> heard.add(code));

        handle.reads.get(0).processResult(Code.CONNECTIONLOSS.intValue(), "/node", null, null, null);
        assertThat(session.life().hasEnded()).as("the handle lives").isFalse();
        handle.state = States.CLOSED;
        handle.reads.get(0).processResult(Code.SESSIONEXPIRED.intValue(), "/node", null, null, null);

        assertThat(heard).containsExactly(Code.CONNECTIONLOSS, Code.SESSIONEXPIRED);
        assertThat(session.life().hasEnded()).isTrue();
    }

    @Test
    void v2_theAnswerToARequestForAWatchOnChildrenHasThem() throws Exception {
        List<Object> heard = new ArrayList<>();
        session.watchChildren("/node", WATCHER, (code, children) -> heard.addAll(List.of(code, children)));
        Answer<List<String>> found = session.watchedChildren("/node", WATCHER);
        Answer<List<String>> missing = session.watchedChildren("/node", WATCHER);
        handle.state = States.CLOSED;

        handle.listings.get(0).processResult(Code.OK.intValue(), "/node", null, List.of("child"));
        handle.listings.get(1).processResult(Code.OK.intValue(), "/node", null, List.of("child"));
        assertThat(session.life().hasEnded()).isFalse();
        handle.listings.get(2).processResult(Code.NONODE.intValue(), "/node", null, null);

        assertThat(heard).containsExactly(Code.OK, List.of("child"));
        assertThat(found.await(deadline())).containsExactly("child");
        assertThatThrownBy(() -> missing.await(deadline())).isInstanceOf(KeeperException.NoNodeException.class);
        assertThat(session.life().hasEnded()).isTrue();
    }

    @Test
    void v2_aRequestForAWatchOnChildrenThatFailsHasNone() {
        List<Object> heard = new ArrayList<>();
        session.watchChildren("/node", WATCHER, (code, children) -> heard.addAll(List.of(code, children)));
        handle.state = States.CLOSED;

        handle.listings.get(0).processResult(Code.NONODE.intValue(), "/node", null, null);

        assertThat(heard).containsExactly(Code.NONODE, List.of());
        assertThat(session.life().hasEnded()).isTrue();
    }

    @Test
    void v6_aWatchIsRemovedFromTheClient() {
        session.removeWatch("/node", WATCHER);
        session.removeChildWatch("/directory", WATCHER);
        session.close();
        assertThat(handle.removed).containsExactly("Data /node", "Children /directory");

        session.life().watch();
        session.close();

        assertThat(handle.removed).last().isEqualTo("Data /");
    }

    /** Blocks the event thread, has a session find that out, and passes what it says on. */
    private void whileBlocked(Session supplied, Runnable work) throws Exception {
        CountDownLatch blocked = new CountDownLatch(1);
        CountDownLatch unblocked = new CountDownLatch(1);
        handle.exists(
                "/",
                false,
                (code, path, context, stat) -> {
                    blocked.countDown();
                    awaitOpen(unblocked);
                },
                null);
        awaitOpen(blocked);
        try {
            assertThat(supplied.check("/").await(deadline())).isEmpty();
            work.run();
        } finally {
            unblocked.countDown();
            supplied.close();
        }
    }

    private static void awaitOpen(CountDownLatch latch) {
        Waiting.await("the other thread is there", TestContender.PATIENCE, () -> latch.getCount() == 0);
    }

    @Test
    void v4_aSessionKnowsThatItsEventThreadIsBlockedAndItsHandleDead() throws Exception {
        Session supplied = session(true, instance());
        assertThat(supplied.isEventThreadBlocked()).isFalse();
        assertThat(session.isEventThreadBlocked()).isFalse();
        handle.state = States.CLOSED;
        assertThat(supplied.isDeadWithBlockedEventThread()).isFalse();
        handle.state = null;

        whileBlocked(supplied, () -> {
            assertThat(supplied.isEventThreadBlocked()).isTrue();
            assertThat(supplied.isDeadWithBlockedEventThread()).isFalse();
            handle.state = States.CLOSED;
            assertThat(supplied.isDeadWithBlockedEventThread()).isTrue();
            handle.state = null;
        });
    }

    @Test
    void v4_anotherHandleMayFollowADeadOneAlthoughTheEventThreadIsBlocked() throws Exception {
        Session earlier = session(true, instance() - 1);

        whileBlocked(earlier, () -> {
            handle.state = States.CLOSED;
            assertThat(earlier.isDeadWithBlockedEventThread()).isFalse();
            handle.state = null;
        });
    }

    @Test
    void v5_aClosedSessionEndsARequestThatHangs() throws Exception {
        Session supplied = session(true, instance());

        whileBlocked(supplied, () -> {
            handle.hangs = true;
            Answer<?> answer = supplied.check("/");
            awaitOpen(handle.hanging);

            supplied.close();

            assertThatThrownBy(() -> answer.await(deadline())).isInstanceOf(KeeperException.SystemErrorException.class);
        });
    }
}

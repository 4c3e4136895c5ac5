package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.deadline;
import static io.github.distlock.zookeeper.TestContender.request;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Signals;
import io.github.distlock.tests.RecordingContext;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.AsyncCallback.ChildrenCallback;
import org.apache.zookeeper.AsyncCallback.Create2Callback;
import org.apache.zookeeper.AsyncCallback.DataCallback;
import org.apache.zookeeper.AsyncCallback.MultiCallback;
import org.apache.zookeeper.AsyncCallback.StatCallback;
import org.apache.zookeeper.AsyncCallback.VoidCallback;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Contenders over a handle that does something before a request, or changes what the server says of itself. */
class ContenderStepsTest extends ContendersOfOneLock {
    private static final Duration SESSION = ZooKeeperFactory.SESSION;
    private static final Duration KEPT = Duration.ofMinutes(1);
    private static final long LARGEST_BASE = (1L << 55) - 1;

    private final ZooKeeper operator = SharedZooKeeper.operator();
    private final List<String> removed = new CopyOnWriteArrayList<>();
    private final List<ZooKeeper> left = new CopyOnWriteArrayList<>();
    private final AtomicReference<Step> next = new AtomicReference<>();
    private final Clock clock = new Clock(new AtomicLong());
    private final CuratorFramework curator = CuratorFrameworkFactory.builder()
            .connectString(SharedZooKeeper.address())
            .ensembleTracker(false)
            .retryPolicy(new RetryOneTime(100))
            .sessionTimeoutMs((int) SESSION.toMillis())
            .zookeeperFactory((address, timeout, watcher, readOnly) -> new Handle(address, timeout, watcher))
            .build();
    private final Connection connection = new Connection(
            (listener, changed, used) -> new SuppliedClient(curator, listener),
            new ServerTick(SharedZooKeeper.TICK),
            clock);
    private volatile @Nullable Long number;
    private volatile @Nullable Long transaction;
    private volatile @Nullable Long leaderTime;
    private volatile boolean hidesEvents;
    private volatile boolean sessionsOutliveHandles;
    private volatile long passedAt;

    /** The clock of this machine, some time ahead. */
    private record Clock(AtomicLong ahead) implements LockClock {
        @Override
        public long nanoTime() {
            return System.nanoTime() + ahead.get();
        }

        @Override
        public long wallMillis() {
            return System.currentTimeMillis() + ahead.get() / 1_000_000;
        }

        @Override
        public Parker parker() {
            return LockClock.system().parker();
        }
    }

    /** What comes before a request with a path that fits. */
    private record Step(Request request, Predicate<String> fits, Work work) {}

    private enum Request {
        LOOK,
        TRANSACTION
    }

    private interface Work {
        void run() throws Exception;
    }

    private final class Handle extends ZooKeeper {
        Handle(String address, int timeout, Watcher watcher) throws IOException {
            super(address, timeout, watcher);
        }

        /** Returns whether the request arrives at the server. */
        private boolean isSent(Request request, String path) {
            Step step = next.get();
            if (step == null || step.request != request || !step.fits.test(path)) {
                return true;
            }
            next.set(null);
            try {
                step.work.run();
                return true;
            } catch (IOException e) {
                return false;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }

        /** Curator closes the handle of an earlier session. */
        @Override
        public void close() throws InterruptedException {
            if (sessionsOutliveHandles) {
                left.add(this);
            } else {
                super.close();
            }
        }

        @Override
        public void create(
                String path, byte[] data, List<ACL> acl, CreateMode mode, Create2Callback callback, Object context) {
            Long chosen = number;
            Create2Callback changed = (code, asked, same, made, stat) -> {
                if (stat != null) {
                    set(transaction, stat::setCzxid);
                    set(leaderTime, stat::setCtime);
                }
                callback.processResult(code, asked, same, made, stat);
            };
            if (chosen != null && mode.isSequential()) {
                super.create(path + "%010d".formatted(chosen), data, acl, CreateMode.EPHEMERAL, changed, context);
            } else {
                super.create(path, data, acl, mode, changed, context);
            }
        }

        @Override
        public void multi(Iterable<Op> operations, MultiCallback callback, Object context) {
            assertThat(isSent(Request.TRANSACTION, operations.iterator().next().getPath()))
                    .isTrue();
            super.multi(
                    operations,
                    (code, asked, same, results) -> {
                        for (OpResult result : results == null ? List.<OpResult>of() : results) {
                            if (result instanceof OpResult.SetDataResult written) {
                                set(leaderTime, written.getStat()::setMtime);
                            }
                        }
                        callback.processResult(code, asked, same, results);
                    },
                    context);
        }

        @Override
        public void exists(String path, @Nullable Watcher watcher, StatCallback callback, Object context) {
            if (isSent(Request.LOOK, path)) {
                super.exists(path, watcher, callback, context);
            } else {
                callback.processResult(Code.CONNECTIONLOSS.intValue(), path, context, null);
            }
        }

        @Override
        public void getChildren(String path, @Nullable Watcher watcher, ChildrenCallback callback, Object context) {
            if (isSent(Request.LOOK, path)) {
                super.getChildren(path, watcher, callback, context);
            } else {
                callback.processResult(Code.CONNECTIONLOSS.intValue(), path, context, null);
            }
        }

        @Override
        public void getData(String path, @Nullable Watcher watcher, DataCallback callback, Object context) {
            Watcher heard = watcher == null
                    ? null
                    : event -> {
                        if (!hidesEvents) {
                            watcher.process(event);
                        }
                    };
            super.getData(path, heard, callback, context);
        }

        @Override
        public void removeWatches(
                String path,
                Watcher watcher,
                Watcher.WatcherType type,
                boolean local,
                VoidCallback callback,
                Object context) {
            removed.add(path);
        }
    }

    private static void set(@Nullable Long value, Consumer<Long> setter) {
        if (value != null) {
            setter.accept(value);
        }
    }

    /** Counts how often the contender is woken. */
    private record WakeUps(AtomicInteger count) implements Signals {
        @Override
        public void wakeUp() {
            count.incrementAndGet();
        }

        @Override
        public void wanted() {}

        @Override
        public void suspect() {}

        @Override
        public void gone() {}
    }

    private final WakeUps wakeUps = new WakeUps(new AtomicInteger());

    @BeforeEach
    void start() throws Exception {
        connection.use(new RecordingContext("test"));
        curator.start();
        assertThat(curator.blockUntilConnected((int) TestContender.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
    }

    @AfterEach
    void end() throws InterruptedException {
        sessionsOutliveHandles = false;
        connection.close();
        curator.close();
        for (ZooKeeper handle : left) {
            handle.close();
        }
    }

    private ZooKeeperContender contender(LockRequest request) {
        return new ZooKeeperContender(new LockDirectory(connection, "lock", directory), request, wakeUps);
    }

    private static Grant acquire(ZooKeeperContender contender) throws InterruptedException {
        Attempt answer = contender.attempt(deadline());
        assertThat(answer).isInstanceOf(Attempt.Granted.class);
        return ((Attempt.Granted) answer).grant();
    }

    private static Attempt.Busy findBusy(ZooKeeperContender contender) throws InterruptedException {
        Attempt answer = contender.attempt(deadline());
        assertThat(answer).isInstanceOf(Attempt.Busy.class);
        return (Attempt.Busy) answer;
    }

    private void awaitSet(ZooKeeperContender contender) throws InterruptedException {
        Session present = connection.session(deadline());
        await("the watches are set", () -> requireNonNull(contender.watch()).isSet(present));
    }

    private void before(Request request, Predicate<String> fits, Work work) {
        next.set(new Step(request, fits, work));
    }

    private void expectRefusal(String words) {
        assertThatThrownBy(() -> contender(request()).attempt(deadline()))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining(words);
        assertThat(nodes()).isEmpty();
    }

    private long base(String node) throws Exception {
        return operator.exists(directory + "/" + node, false).getCzxid();
    }

    @Test
    void s1_theNumberAfterTheLastOneIsRefusedAndLeavesNothing() throws Exception {
        number = Sequence.LAST;
        release(acquire(contender(request())));

        number = Sequence.LAST + 1;

        expectRefusal("sequence numbers");
    }

    @Test
    void s3_aTransactionNumberThatIsNoBaseIsRefusedAndLeavesNothing() throws Exception {
        for (long base : List.of(1L, LARGEST_BASE)) {
            transaction = base;
            Grant held = acquire(contender(request()));
            assertThat(held.fencingBase()).isEqualTo(base);
            release(held);
        }
        for (long none : List.of(0L, LARGEST_BASE + 1)) {
            transaction = none;
            expectRefusal("transaction number");
        }
    }

    /** Makes the validity of the session stale. */
    private void passTime() {
        clock.ahead.addAndGet(SESSION.multipliedBy(3).dividedBy(4).toNanos());
        passedAt = clock.nanoTime();
    }

    /** Makes the validity stale once the contender has its node, and does something before that is checked. */
    private void beforeProof(Work work) {
        before(Request.LOOK, directory::equals, () -> {
            passTime();
            before(Request.TRANSACTION, path -> path.contains("-lock-"), work);
        });
    }

    @Test
    void s2_aGrantWithAStaleValidityIsProvedAgain() throws Exception {
        beforeProof(() -> before(Request.LOOK, directory::equals, () -> {
            throw new IOException("the contender looks again");
        }));

        Grant held = acquire(contender(request()));

        assertThat(passedAt).isNotZero();
        assertThat(held.validity().from().nanoTime() - passedAt).isNotNegative();
    }

    @Test
    void s1_aContenderGivesUpItsNodeOfAnEarlierSession() throws Exception {
        ZooKeeperContender contender = contender(request());
        Grant before = acquire(contender);
        sessionsOutliveHandles = true;
        curator.getZookeeperClient().reset();

        Grant held = acquire(contender);

        assertThat(left).as("the former session is alive").hasSize(1);
        assertThat(held.fencingBase()).isGreaterThan(before.fencingBase());
        assertThat(nodes()).hasSize(1);
    }

    @Test
    void s1_aContenderWhoseNodeIsGoneBeforeItsProofQueuesAgain() throws Exception {
        beforeProof(() -> deleteNode(0));

        Grant held = acquire(contender(request()));

        assertThat(nodes()).hasSize(1);
        assertThat(held.fencingBase()).isEqualTo(base(nodes().get(0)));
    }

    @Test
    void s7_aContenderWhoseNodeMayNotBeReadAnyMoreIsRefusedAndLeavesNothing() throws Exception {
        List<ACL> noReads = Collections.singletonList(new ACL(ZooDefs.Perms.WRITE, ZooDefs.Ids.ANYONE_ID_UNSAFE));
        beforeProof(() -> {
            var unused = operator.setACL(directory + "/" + nodes().get(0), noReads, -1);
        });

        expectRefusal("READ on " + directory);
    }

    @Test
    void s15_aContenderWhoseNodeIsGoneBeforeItsCompanionQueuesAgain() throws Exception {
        before(Request.TRANSACTION, path -> path.contains("-delay-lock-"), () -> deleteNode(0));

        Grant held = acquire(contender(request().withLockDelay(KEPT)));

        assertThat(nodes()).hasSize(2);
        String node = nodes().stream().filter(NodeName::isDelayed).findFirst().orElseThrow();
        assertThat(held.fencingBase()).isEqualTo(base(node));
    }

    /** Keeps the lock, and returns when its time is over, by the leader's clock. */
    private long keep() throws Exception {
        Grant held = new TestContender(one, request().withMinimumHold(KEPT)).acquire();
        assertThat(held.keep(KEPT, deadline())).isEqualTo(Grant.Release.RELEASED);
        return operator.exists(directory + "/" + nodes().get(0), false).getMtime() + KEPT.toMillis();
    }

    @Test
    void s13_aTryDeletesAKeptLockInTheMillisecondInWhichItsTimeIsOver() throws Exception {
        long end = keep();
        leaderTime = end - 1;
        assertThat(findBusy(contender(request().withoutWaiting())).retryAfter()).isEqualTo(Duration.ofMillis(1));

        leaderTime = end;
        var unused = acquire(contender(request().withoutWaiting()));

        assertThat(nodes()).hasSize(1).noneMatch(NodeName::isKept);
    }

    @Test
    void s13_aWaiterWithAWatchAsksAgainWhenTheTimeOfAKeptLockIsOver() throws Exception {
        Duration left = Duration.ofMillis(700);
        leaderTime = keep() - left.toMillis();
        ZooKeeperContender waiter = contender(request());
        assertThat(findBusy(waiter).retryAfter()).isEqualTo(left);
        awaitSet(waiter);

        Duration later = findBusy(waiter).retryAfter();

        assertThat(later).isPositive().isLessThanOrEqualTo(left);
    }

    @Test
    void s1_aWatchSpeaksForNoLaterNodeOfItsContender() throws Exception {
        Grant held = waiting(one).acquire();
        ZooKeeperContender waiter = contender(request());
        var unused = findBusy(waiter);
        awaitSet(waiter);
        release(held);
        await("the deletion is its grant", () -> wakeUps.count.get() == 1);
        hidesEvents = true;
        deleteNode(0);
        waiting(one).acquire();
        passTime();
        before(
                Request.LOOK,
                directory::equals,
                () -> before(Request.LOOK, directory::equals, () -> {
                    throw new IOException("the connection is lost");
                }));
        assertThatThrownBy(() -> waiter.attempt(deadline())).isInstanceOf(IllegalStateException.class);

        assertThat(findBusy(waiter).retryAfter()).isPositive();
    }

    /** The event of the deletion may come later than the answer to it. */
    @Test
    void v6_aWaiterThatGivesUpRemovesItsWatchOnThePredecessorAlone() throws Exception {
        waiting(one).acquire();
        ZooKeeperContender waiter = contender(request());
        var unused = findBusy(waiter);
        awaitSet(waiter);
        hidesEvents = true;

        waiter.withdraw(deadline());

        assertThat(removed).containsExactly(directory + "/" + nodes().get(0));
    }
}

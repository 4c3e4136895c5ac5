package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.contending;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockMode;
import io.github.distlock.tests.RecordingContext;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.AsyncCallback.ChildrenCallback;
import org.apache.zookeeper.AsyncCallback.DataCallback;
import org.apache.zookeeper.AsyncCallback.VoidCallback;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What happens between a {@link PredecessorWatch} and its requests. */
class WatchRacesTest extends ContendersOfOneLock {
    private final AtomicReference<Client> client = new AtomicReference<>();
    private final AtomicReference<Step> next = new AtomicReference<>();
    private final CuratorFramework curator = CuratorFrameworkFactory.builder()
            .connectString(SharedZooKeeper.address())
            .ensembleTracker(false)
            .retryPolicy(new RetryOneTime(100))
            .sessionTimeoutMs((int) ZooKeeperFactory.SESSION.toMillis())
            .zookeeperFactory((address, timeout, watcher, readOnly) -> {
                client.set(new Client(address, timeout, watcher));
                return client.get();
            })
            .build();
    private final LockBackend supplied =
            ZooKeeperBackend.builder(curator).basePath(base).build();

    /** What comes before the request for a watch on a path that fits. */
    private record Step(Predicate<String> fits, CountDownLatch begun, Runnable work) {}

    /** A handle that has its watches counted, and its requests for watches preceded by a step. */
    private final class Client extends ZooKeeper {
        private final List<String> removed = new CopyOnWriteArrayList<>();

        Client(String address, int timeout, Watcher watcher) throws IOException {
            super(address, timeout, watcher);
        }

        private void runStep(String path) {
            Step step = next.get();
            if (step != null && step.fits.test(path)) {
                next.set(null);
                step.work.run();
                step.begun.countDown();
            }
        }

        @Override
        public void getData(String path, Watcher watcher, DataCallback callback, Object context) {
            runStep(path);
            super.getData(path, watcher, callback, context);
        }

        @Override
        public void getChildren(String path, Watcher watcher, ChildrenCallback callback, Object context) {
            runStep(path);
            super.getChildren(path, watcher, callback, context);
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
            super.removeWatches(path, watcher, type, local, callback, context);
        }

        private boolean watches(String path) {
            return getDataWatches().contains(path) || getChildWatches().contains(path);
        }
    }

    @BeforeEach
    void start() {
        curator.start();
        supplied.start(new RecordingContext("test"));
    }

    @AfterEach
    void end() {
        supplied.close();
        curator.close();
    }

    private CountDownLatch beforeWatching(Predicate<String> fits, Runnable work) {
        CountDownLatch begun = new CountDownLatch(1);
        next.set(new Step(fits, begun, work));
        return begun;
    }

    private static void awaitOpen(CountDownLatch latch) {
        await("the other thread is there", () -> latch.getCount() == 0);
    }

    /** The answers come behind those to earlier requests. The second request is behind those of earlier answers. */
    private void awaitAnswers() {
        for (int i = 0; i < 2; i++) {
            CountDownLatch answered = new CountDownLatch(1);
            requireNonNull(client.get()).sync("/", (code, path, context) -> answered.countDown(), null);
            awaitOpen(answered);
        }
    }

    private String path(int position) {
        return directory + "/" + nodes().get(position);
    }

    private boolean watches(String path) {
        return requireNonNull(client.get()).watches(path);
    }

    private List<String> removed() {
        return requireNonNull(client.get()).removed;
    }

    @Test
    void v2_aWaiterWhosePredecessorGoesBeforeItIsWatchedIsWoken() throws Exception {
        Grant held = waiting(one).acquire();
        String first = path(0);
        var unused = beforeWatching(first::equals, () -> SharedZooKeeper.delete(first));
        TestContender waiter = waiting(supplied);

        waiter.findBusy();

        await("it is woken", () -> waiter.wakeUps.get() == 1);
        assertThat(waiter.acquire().fencingBase()).isGreaterThan(held.fencingBase());
    }

    @Test
    void v2_aWaiterWhoseNodeGoesBeforeItIsWatchedIsWoken() throws Exception {
        waiting(one).acquire();
        String first = path(0);
        var unused = beforeWatching(path -> path.contains("-lock-") && !path.equals(first), () -> deleteNode(1));
        TestContender waiter = waiting(supplied);

        waiter.findBusy();

        await("it is woken", () -> waiter.wakeUps.get() == 1);
        waiter.findBusy();
        assertThat(nodes()).hasSize(2);
    }

    @Test
    void v6_noWatchOnItsOwnNodeIsLeftForAWaiterThatEndsBeforeTheRequest() throws Exception {
        waiting(one).acquire();
        String first = path(0);
        CountDownLatch isBusy = new CountDownLatch(1);
        TestContender waiter = waiting(supplied);
        CountDownLatch ended = beforeWatching(path -> path.contains("-lock-") && !path.equals(first), () -> {
            awaitOpen(isBusy);
            waiter.contender.forget();
        });

        waiter.findBusy();
        isBusy.countDown();
        awaitOpen(ended);
        awaitAnswers();

        assertThat(watches(path(1))).isFalse();
        assertThat(watches(first)).isFalse();
    }

    @Test
    void v6_noWatchOnTheDirectoryIsLeftForAWaiterThatEndsBeforeItAsksAgain() throws Exception {
        LockMode permit = LockMode.permits(1, 1);
        contending(one, permit).acquire();
        TestContender waiter = TestContender.busyOf(supplied, permit);
        assertThat(watches(directory)).isTrue();
        CountDownLatch ended = beforeWatching(directory::equals, waiter.contender::forget);

        contending(one, permit).findBusy();
        awaitOpen(ended);
        awaitAnswers();

        assertThat(watches(directory)).isFalse();
    }

    @Test
    void v6_noWatchOnTheDirectoryIsLeftForAWaiterForPermitsThatEnds() throws Exception {
        LockMode permit = LockMode.permits(1, 1);
        contending(one, permit).acquire();
        TestContender waiter = TestContender.busyOf(supplied, permit);

        waiter.contender.forget();
        awaitAnswers();

        assertThat(watches(directory)).isFalse();
    }

    @Test
    void v6_noWatchOnTheDirectoryIsLeftForAHoldOfPermitsThatTheEngineForgets() throws Exception {
        LockMode permit = LockMode.permits(1, 1);
        Grant held = contending(one, permit).acquire();
        TestContender waiter = TestContender.busyOf(supplied, permit);
        release(held);
        await("the waiter is woken", () -> waiter.wakeUps.get() > 0);
        waiter.acquire();

        waiter.contender.forget();
        awaitAnswers();

        assertThat(watches(directory)).isFalse();
    }

    @Test
    void v6_aWaiterWhosePredecessorHasChangedRemovesItsOtherWatch() throws Exception {
        waiting(one).acquire();
        TestContender waiter = TestContender.waitingBusy(supplied);
        SharedZooKeeper.operator().setData(path(0), new byte[0], -1);
        await("the waiter is woken", () -> waiter.wakeUps.get() > 0);

        waiter.findBusy();

        assertThat(removed()).containsExactly(path(1));
    }
}

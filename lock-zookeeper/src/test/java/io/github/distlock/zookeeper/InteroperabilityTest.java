package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.NodeExistsException;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

/** One path, used by this library, by Curator's mutex and by kazoo's lock in Python processes. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class InteroperabilityTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int TIMES = 50;

    private final String base = SharedZooKeeper.freshPath();
    private final String path = base + "/lock";
    private final CuratorFramework curator =
            CuratorFrameworkFactory.newClient(SharedZooKeeper.address(), new RetryOneTime(100));
    private final LockClient locks = LockClient.builder(ZooKeeperBackend.builder(SharedZooKeeper.address())
                    .basePath(base)
                    .build())
            .requestTimeout(Duration.ofSeconds(5))
            .defaultOptions(LockOptions.defaults().fair())
            .build();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Queue<String> order = new ConcurrentLinkedQueue<>();

    /** A way to use the lock. A thread that acquires it also releases it. */
    private interface Competitor {
        void acquire() throws Exception;

        void release() throws Exception;
    }

    @BeforeEach
    void start() {
        curator.start();
    }

    @AfterEach
    void close() {
        threads.shutdownNow();
        locks.close();
        curator.close();
    }

    private Competitor ours() {
        return new Competitor() {
            private LockHandle held;

            @Override
            public void acquire() throws Exception {
                held = locks.lock("lock").acquire();
            }

            @Override
            public void release() {
                held.close();
            }
        };
    }

    private Competitor curators() {
        InterProcessMutex mutex = new InterProcessMutex(curator, path);
        return new Competitor() {
            @Override
            public void acquire() throws Exception {
                mutex.acquire();
            }

            @Override
            public void release() throws Exception {
                mutex.release();
            }
        };
    }

    private static Competitor of(KazooProcess kazoo) {
        return new Competitor() {
            @Override
            public void acquire() {
                kazoo.acquire();
            }

            @Override
            public void release() {
                kazoo.release();
            }
        };
    }

    /** Queues the competitors one after the other behind a holder, and returns the order in which they acquire. */
    private List<String> served(List<Competitor> competitors, List<String> names) throws Exception {
        LockHandle first = locks.lock("lock").acquire();
        List<Future<?>> ends = new ArrayList<>();
        for (int i = 0; i < competitors.size(); i++) {
            Competitor competitor = competitors.get(i);
            String name = names.get(i);
            ends.add(threads.submit(() -> {
                competitor.acquire();
                order.add(name);
                competitor.release();
                return name;
            }));
            int nodes = i + 2;
            Waiting.await(
                    nodes + " nodes",
                    PATIENCE,
                    () -> SharedZooKeeper.children(path).size() == nodes);
        }
        first.close();
        for (Future<?> end : ends) {
            var unused = end.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
        return List.copyOf(order);
    }

    @Test
    void v3_kazooWithTheExtraPatternIsServedInOrder() throws Exception {
        List<String> names = List.of("kazoo 1", "ours 1", "kazoo 2", "ours 2");
        try (KazooProcess one = KazooProcess.withExtraPattern(path);
                KazooProcess two = KazooProcess.withExtraPattern(path)) {
            assertThat(served(List.of(of(one), ours(), of(two), ours()), names)).isEqualTo(names);
        }
    }

    @Test
    void v3_curatorAndKazooWithTheCommonLayoutAreServedInOrder() throws Exception {
        List<String> names = List.of("kazoo 1", "curator 1", "ours", "kazoo 2", "curator 2", "ours 2");
        try (KazooProcess one = KazooProcess.withCommonLayout(path);
                KazooProcess two = KazooProcess.withCommonLayout(path)) {
            List<Competitor> competitors = List.of(of(one), curators(), ours(), of(two), curators(), ours());
            assertThat(served(competitors, names)).isEqualTo(names);
        }
    }

    @Test
    void s1_kazooWithTheExtraPatternExcludesOursAndIsExcluded() throws Exception {
        try (KazooProcess kazoo = KazooProcess.withExtraPattern(path)) {
            assertThat(overlaps(List.of(() -> kazoo.work(TIMES), () -> work(ours()), () -> work(ours()))))
                    .isZero();
        }
    }

    @Test
    void s1_curatorAndKazooWithTheCommonLayoutExcludeEachOtherAndOurs() throws Exception {
        try (KazooProcess kazoo = KazooProcess.withCommonLayout(path)) {
            assertThat(overlaps(List.of(() -> kazoo.work(TIMES), () -> work(curators()), () -> work(ours()))))
                    .isZero();
        }
    }

    private int overlaps(List<Callable<Integer>> workers) throws Exception {
        List<Future<Integer>> ends = new ArrayList<>();
        workers.forEach(worker -> ends.add(threads.submit(worker)));
        int overlaps = 0;
        for (Future<Integer> end : ends) {
            overlaps += end.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
        return overlaps;
    }

    private int work(Competitor competitor) throws Exception {
        String inside = KazooProcess.inside(path);
        ZooKeeper operator = SharedZooKeeper.operator();
        int overlaps = 0;
        for (int i = 0; i < TIMES; i++) {
            competitor.acquire();
            try {
                var unused = operator.create(inside, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
                operator.delete(inside, -1);
            } catch (NodeExistsException e) {
                overlaps++;
            } finally {
                competitor.release();
            }
        }
        return overlaps;
    }
}

package io.github.distlock.zookeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockStatus;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.ACLProvider;
import org.apache.curator.framework.imps.CuratorFrameworkState;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.data.ACL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Backends over caller-supplied Curator clients, and locks shared with Curator's mutex. */
@Timeout(60)
@ResourceLock("starts servers and processes")
class CuratorTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final String base = SharedZooKeeper.freshPath();
    private final CuratorFramework curator = started(CuratorFrameworkFactory.builder());

    private CuratorFramework started(CuratorFrameworkFactory.Builder builder) {
        CuratorFramework made = builder.connectString(SharedZooKeeper.address())
                .sessionTimeoutMs(5000)
                .retryPolicy(new ExponentialBackoffRetry(50, 3))
                .build();
        made.start();
        return made;
    }

    /** Creates a client with a long request timeout, because servers answer slowly while other servers start. */
    private static LockClient client(ZooKeeperBackend backend) {
        return LockClient.builder(backend).requestTimeout(Duration.ofSeconds(5)).build();
    }

    private ZooKeeperBackend backend(CuratorFramework client) {
        return ZooKeeperBackend.builder(client).basePath(base).build();
    }

    @AfterEach
    void close() {
        curator.close();
    }

    @Test
    void s1_ourLocksAndCuratorsMutexExcludeEachOther() throws Exception {
        InterProcessMutex mutex = new InterProcessMutex(curator, "/" + base.substring(1) + "/lock");
        try (LockClient locks = client(ZooKeeperBackend.builder(SharedZooKeeper.address())
                .basePath(base)
                .build())) {
            DistributedLock lock = locks.lock("lock");
            for (int i = 0; i < 3; i++) {
                mutex.acquire();
                assertTrue(lock.tryAcquire().isEmpty());
                CompletableFuture<LockHandle> waiter = lock.acquireAsync();
                awaitWaiter();
                LockStatus status = locks.inspector().inspect("lock");
                assertFalse(status.holders().isEmpty());
                assertEquals(1, status.waiters().size());
                mutex.release();
                LockHandle held = waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                assertFalse(mutex.acquire(50, TimeUnit.MILLISECONDS));
                CompletableFuture<Boolean> other = new CompletableFuture<>();
                Thread thread = new Thread(() -> {
                    try {
                        other.complete(mutex.acquire(PATIENCE.toSeconds(), TimeUnit.SECONDS));
                        mutex.release();
                    } catch (Exception e) {
                        other.completeExceptionally(e);
                    }
                });
                thread.start();
                awaitWaiter();
                held.close();
                assertTrue(other.get());
                thread.join();
            }
        }
    }

    private void awaitWaiter() {
        Waiting.await(
                "a waiter",
                PATIENCE,
                () -> SharedZooKeeper.children(base + "/lock").size() == 2);
    }

    @Test
    void v5_aSuppliedClientStaysOpenAndNoNodeOrWatchRemains() throws Exception {
        curator.blockUntilConnected();
        LockClient other = client(ZooKeeperBackend.builder(SharedZooKeeper.address())
                .basePath(base)
                .build());
        LockHandle busy = other.lock("busy").acquire();
        try (LockClient locks = client(backend(curator))) {
            locks.lock("lock").acquire().close();
            CompletableFuture<Optional<LockHandle>> waiting = locks.lock("busy").tryAcquireAsync(Duration.ofSeconds(4));
            Waiting.await(
                    "a watch of the waiter",
                    PATIENCE,
                    () -> !SharedZooKeeper.watched(base).isEmpty());
            assertTrue(waiting.get().isEmpty());
            LockHandle held = locks.lock("lock").acquire();
            Waiting.letPass(Duration.ofMillis(1500));
            assertTrue(held.isHeld());
            held.close();
        }
        assertEquals(CuratorFrameworkState.STARTED, curator.getState());
        assertEquals(List.of(), SharedZooKeeper.children(base + "/lock"));
        assertEquals(1, SharedZooKeeper.children(base + "/busy").size());
        busy.close();
        other.close();
        Waiting.await(
                "no watches", PATIENCE, () -> SharedZooKeeper.watched(base).isEmpty());
        assertTrue(curator.checkExists().forPath("/zookeeper") != null);
    }

    @Test
    void api_theNamespaceOfASuppliedClientApplies() throws Exception {
        String namespace = base.substring(1) + "ns";
        try (CuratorFramework client = started(CuratorFrameworkFactory.builder().namespace(namespace))) {
            expectLocksBelow(namespace, client);
        }
        expectLocksBelow(namespace, curator.usingNamespace(namespace));
    }

    private static void expectLocksBelow(String namespace, CuratorFramework client) throws Exception {
        try (LockClient locks = client(ZooKeeperBackend.of(client));
                LockHandle held = locks.lock("lock").acquire()) {
            assertTrue(held.isHeld());
            assertEquals(
                    1,
                    SharedZooKeeper.children("/" + namespace + "/distlock/lock").size());
            assertFalse(new InterProcessMutex(client, "/distlock/lock").acquire(50, TimeUnit.MILLISECONDS));
        }
    }

    @Test
    void api_theAclsOfASuppliedClientApply() throws Exception {
        List<ACL> acls = List.of(new ACL(ZooDefs.Perms.ALL & ~ZooDefs.Perms.ADMIN, ZooDefs.Ids.ANYONE_ID_UNSAFE));
        CuratorFramework client = started(CuratorFrameworkFactory.builder().aclProvider(new ACLProvider() {
            @Override
            public List<ACL> getDefaultAcl() {
                return acls;
            }

            @Override
            public List<ACL> getAclForPath(String path) {
                return acls;
            }
        }));
        try (client;
                LockClient locks = client(backend(client));
                LockHandle held = locks.lock("lock").acquire()) {
            assertTrue(held.isHeld());
            String node =
                    base + "/lock/" + SharedZooKeeper.children(base + "/lock").get(0);
            for (String path : List.of(base, base + "/lock", node)) {
                assertEquals(acls, SharedZooKeeper.operator().getACL(path, null), path);
            }
        }
    }

    @Test
    void api_missingPermissionsFailAtOnce() throws Exception {
        SharedZooKeeper.operator().create(base, new byte[0], ZooDefs.Ids.READ_ACL_UNSAFE, CreateMode.PERSISTENT);
        try (LockClient locks = client(backend(curator))) {
            long begin = System.nanoTime();
            LockException refused =
                    assertThrows(LockException.class, () -> locks.lock("lock").acquire());
            assertTrue(refused.getMessage().contains("NoAuth"), refused.getMessage());
            assertTrue(System.nanoTime() - begin < 10_000_000_000L);
        }
    }

    @Test
    void v6_theClientRecreatesADirectoryThatTheServerHasRemoved() throws Exception {
        try (LockClient locks = client(backend(curator))) {
            for (int i = 0; i < 3; i++) {
                locks.lock("lock").acquire().close();
                Waiting.await("the server removes it", PATIENCE, () -> !SharedZooKeeper.exists(base + "/lock"));
            }
        }
    }

    @Test
    void s1_locksWithDistinctNamesDoNotExcludeEachOther() throws Exception {
        try (LockClient locks = client(backend(curator))) {
            List<String> names =
                    List.of("a/b", "a%2Fb", ".", "..", "zookeeper", "ü", "x".repeat(1024), "日".repeat(341), "a b");
            List<LockHandle> held = new ArrayList<>();
            for (String name : names) {
                held.add(locks.lock(name).tryAcquire().orElseThrow());
            }
            for (String name : names) {
                assertTrue(locks.lock(name).tryAcquire().isEmpty());
            }
            held.forEach(LockHandle::close);
        }
    }

    @Test
    void api_aMissingChrootFailsAtOnce() throws Exception {
        try (LockClient locks = client(ZooKeeperBackend.connect(SharedZooKeeper.address() + "/no/such/chroot"))) {
            LockException refused =
                    assertThrows(LockException.class, () -> locks.lock("lock").acquire());
            assertTrue(refused.getMessage().contains("chroot"), refused.getMessage());
        }
        SharedZooKeeper.operator().create(base, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        try (LockClient locks = client(ZooKeeperBackend.connect(SharedZooKeeper.address() + base));
                LockHandle held = locks.lock("lock").acquire()) {
            Waiting.letPass(Duration.ofMillis(1500));
            assertTrue(held.isHeld());
            assertEquals(1, SharedZooKeeper.children(base + "/distlock/lock").size());
        }
    }
}

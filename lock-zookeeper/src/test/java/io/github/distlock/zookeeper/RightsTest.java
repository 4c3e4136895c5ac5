package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.waiting.Waiting;
import java.nio.charset.StandardCharsets;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.ACLProvider;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.server.auth.DigestAuthenticationProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A client with digest authentication that has certain rights and no others. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RightsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final String USER = "user:secret";
    private static final String OPERATOR = "operator:other";
    private static final int ON_DIRECTORIES = Perms.CREATE | Perms.READ | Perms.DELETE;

    private final String base = SharedZooKeeper.freshPath();
    private final CuratorFramework operator = client(OPERATOR, 0, 0);

    private CuratorFramework client(String credentials, int onDirectories, int onNodes) {
        CuratorFramework made = CuratorFrameworkFactory.builder()
                .connectString(SharedZooKeeper.address())
                .retryPolicy(new RetryOneTime(100))
                .authorization("digest", credentials.getBytes(StandardCharsets.UTF_8))
                .aclProvider(new ACLProvider() {
                    @Override
                    public List<ACL> getDefaultAcl() {
                        return getAclForPath(base);
                    }

                    @Override
                    public List<ACL> getAclForPath(String path) {
                        boolean isDirectory = path.lastIndexOf('/') == base.length();
                        return acl(isDirectory ? onDirectories : path.equals(base) ? Perms.CREATE : onNodes);
                    }
                })
                .build();
        made.start();
        return made;
    }

    /** Returns an ACL that gives the user some rights, and the operator all. */
    private static List<ACL> acl(int ofUser) {
        return List.of(new ACL(ofUser, id(USER)), new ACL(Perms.ALL, id(OPERATOR)));
    }

    private static Id id(String credentials) {
        try {
            return new Id("digest", DigestAuthenticationProvider.generateDigest(credentials));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private LockClient locks(CuratorFramework client) {
        return LockClient.create(ZooKeeperBackend.builder(client).basePath(base).build());
    }

    @BeforeEach
    void createBase() throws Exception {
        operator.create().withACL(acl(Perms.CREATE)).forPath(base);
    }

    @AfterEach
    void close() {
        operator.close();
    }

    @Test
    void api_createReadAndDeleteSuffice() throws Exception {
        try (CuratorFramework user = client(USER, ON_DIRECTORIES, Perms.READ);
                CuratorFramework another = client(USER, ON_DIRECTORIES, Perms.READ);
                LockClient locks = locks(user);
                LockClient others = locks(another)) {
            LockHandle held = locks.lock("lock").acquire();
            CompletableFuture<LockHandle> waiter = others.lock("lock").acquireAsync();
            Waiting.await("a waiter", PATIENCE, () -> nodes() == 2);
            Waiting.letPass(Duration.ofSeconds(2));

            assertThat(held.state()).as("after a renewal").isEqualTo(LockHandle.State.HELD);
            assertThat(locks.inspector().inspect("lock").waiters()).hasSize(1);
            assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED);
            LockHandle next = waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertThat(next.release()).isEqualTo(LockHandle.Release.RELEASED);
            assertThat(nodes()).isZero();
        }
    }

    @Test
    void s13_theSameRightsSufficeForAKeptLock() throws Exception {
        LockOptions options = LockOptions.defaults().minimumHold(Duration.ofSeconds(1));
        try (CuratorFramework user = client(USER, ON_DIRECTORIES, Perms.READ);
                CuratorFramework another = client(USER, ON_DIRECTORIES, Perms.READ);
                LockClient locks = locks(user);
                LockClient others = locks(another)) {
            LockHandle held = locks.lock("lock", options).acquire();
            CompletableFuture<LockHandle> waiter = others.lock("lock").acquireAsync();
            Waiting.await("a waiter", PATIENCE, () -> nodes() == 2);

            assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED);

            LockHandle next = waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertThat(next.release()).isEqualTo(LockHandle.Release.RELEASED);
            assertThat(nodes()).isZero();
        }
    }

    private int nodes() {
        try {
            return operator.getChildren().forPath(base + "/lock").size();
        } catch (NoNodeException e) {
            return 0; // The server has deleted the empty directory.
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @CsvSource({"READ, DELETE", "CREATE, DELETE", "CREATE, READ"})
    void api_aMissingRightOnTheDirectoryIsRefusedAtOnce(String first, String second) throws Exception {
        int rights = right(first) | right(second);
        String missing = ON_DIRECTORIES - rights == Perms.CREATE
                ? "CREATE"
                : ON_DIRECTORIES - rights == Perms.READ ? "READ" : "DELETE";
        operator.create().withACL(acl(rights)).forPath(base + "/lock");
        try (CuratorFramework user = client(USER, ON_DIRECTORIES, Perms.READ);
                LockClient locks = locks(user)) {
            expectRefusal(locks, missing + " on " + base + "/lock");
        }
    }

    @Test
    void api_aMissingRightOnTheNodeIsRefusedAtOnce() {
        try (CuratorFramework user = client(USER, ON_DIRECTORIES, Perms.WRITE);
                LockClient locks = locks(user)) {
            expectRefusal(locks, "READ on " + base + "/lock/");
        }
    }

    @Test
    void s7_aRefusalLeavesNoNodeIfARightWasTakenAway() throws Exception {
        // Servers delete an empty directory that a client has made, and its rights with it.
        operator.create().withACL(acl(Perms.ALL)).forPath(base + "/lock");
        try (CuratorFramework user = client(USER, ON_DIRECTORIES, Perms.READ);
                LockClient locks = locks(user)) {
            locks.lock("lock").acquire().close();
            operator.setACL().withACL(acl(Perms.CREATE | Perms.DELETE)).forPath(base + "/lock");

            expectRefusal(locks, "READ on " + base + "/lock");
        }
    }

    @Test
    void api_aMissingRightOnTheParentIsRefusedAtOnce() throws Exception {
        operator.setACL().withACL(acl(Perms.READ)).forPath(base);
        try (CuratorFramework user = client(USER, ON_DIRECTORIES, Perms.READ);
                LockClient locks = locks(user)) {
            assertThatThrownBy(() -> locks.lock("lock").acquire())
                    .hasCauseInstanceOf(RequestRefusedException.class)
                    .hasMessageContaining("CREATE on " + base);
        }
    }

    @Test
    void api_permitsNeedTheRightToWriteNodes() throws Exception {
        try (CuratorFramework reader = client(USER, ON_DIRECTORIES, Perms.READ);
                CuratorFramework writer = client(USER, ON_DIRECTORIES, Perms.READ | Perms.WRITE);
                LockBackend one = started(reader);
                LockBackend other = started(writer)) {
            assertThatThrownBy(() -> TestContender.contending(one, LockMode.permits(1, 1))
                            .attempt())
                    .isInstanceOf(RequestRefusedException.class)
                    .hasMessageContaining("WRITE on " + base + "/lock/");
            assertThat(nodes()).isZero();

            TestContender.contending(other, LockMode.permits(1, 1)).acquire();
        }
    }

    @Test
    void s5_withoutTheRightToWriteItsNodeAHoldStaysAndGetsNoOtherBase() throws Exception {
        try (CuratorFramework user = client(USER, ON_DIRECTORIES, Perms.READ);
                LockBackend backend = started(user)) {
            Grant held = TestContender.waiting(backend).acquire();

            assertThatThrownBy(() -> held.nextBase(TestContender.deadline()))
                    .isInstanceOf(RequestRefusedException.class)
                    .hasMessageContaining("WRITE on " + base + "/lock/");

            assertThat(held.release(TestContender.deadline())).isEqualTo(Grant.Release.RELEASED);
        }
    }

    @Test
    void api_createReadAndDeleteSufficeForReadersAndWriters() throws Exception {
        try (CuratorFramework user = client(USER, ON_DIRECTORIES, Perms.READ);
                LockBackend backend = started(user)) {
            Grant reading = TestContender.contending(backend, LockMode.WRITE)
                    .acquire()
                    .downgrade(TestContender.deadline())
                    .orElseThrow();
            TestContender.busyOf(backend, LockMode.WRITE).withdraw();
            TestContender.contending(backend, LockMode.READ).acquire();

            assertThat(reading.release(TestContender.deadline())).isEqualTo(Grant.Release.RELEASED);
        }
    }

    private LockBackend started(CuratorFramework client) {
        LockBackend made = ZooKeeperBackend.builder(client).basePath(base).build();
        made.start(new RecordingContext("test"));
        return made;
    }

    private void expectRefusal(LockClient locks, String missing) {
        long begin = System.nanoTime();
        assertThatThrownBy(() -> locks.lock("lock").acquire())
                .isInstanceOf(LockException.class)
                .hasCauseInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("NoAuth")
                .hasMessageContaining(missing);
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(10));
        Waiting.await("no node is left", PATIENCE, () -> nodes() == 0);
    }

    private static int right(String name) {
        return switch (name) {
            case "CREATE" -> Perms.CREATE;
            case "READ" -> Perms.READ;
            default -> Perms.DELETE;
        };
    }
}

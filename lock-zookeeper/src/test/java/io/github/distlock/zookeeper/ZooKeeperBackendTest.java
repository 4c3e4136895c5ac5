package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockOwner;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.IgnoredSignals;
import io.github.distlock.tests.RecordingContext;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.imps.CuratorFrameworkState;
import org.apache.curator.retry.RetryOneTime;
import org.junit.jupiter.api.Test;

/** The behavior that needs no server. */
class ZooKeeperBackendTest {
    private static final LockRequest REQUEST =
            LockRequest.exclusive("name", Duration.ofSeconds(30), LockOwner.of("host", 1, "client", "thread"));

    @Test
    void api_invalidInputIsRefusedBeforeAnyRequest() {
        assertThatThrownBy(() -> ZooKeeperBackend.connect(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("connectString");
        assertThatThrownBy(() -> ZooKeeperBackend.of(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("curator");
        for (String bad : List.of("", " ", "host:2181/bad//chroot")) {
            assertThatThrownBy(() -> ZooKeeperBackend.connect(bad))
                    .as(bad)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("connectString");
        }
        ZooKeeperBackendBuilder builder = ZooKeeperBackend.builder("localhost:2181");
        assertThatThrownBy(() -> builder.basePath("relative")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.basePath(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("path");
        assertThatThrownBy(() -> builder.paths(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("mapping");
        assertThatThrownBy(() -> builder.sessionTimeout(Duration.ofMillis(499)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("timeout");
        assertThatThrownBy(() -> builder.sessionTimeout(Duration.ofDays(25)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("timeout");
        assertThatThrownBy(() -> builder.tick(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("tick");
    }

    @Test
    void api_theMessageAboutAnInvalidConnectStringHasNoCredentials() {
        assertThatThrownBy(() -> ZooKeeperBackend.connect("zk://user:secret@host:2181"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("connectString")
                .hasMessageContaining("@host:2181")
                .hasMessageNotContaining("secret")
                .hasNoCause();
    }

    @Test
    void api_theBackendReportsItsCapabilities() {
        try (ZooKeeperBackend backend = ZooKeeperBackend.connect("localhost:1")) {
            assertThat(backend.capabilities())
                    .containsExactlyInAnyOrder(
                            Capability.FAIR,
                            Capability.INSPECT,
                            Capability.LIST,
                            Capability.FORCE_RELEASE,
                            Capability.READ_WRITE,
                            Capability.PERMITS,
                            Capability.STICKY,
                            Capability.RELEASE_REQUESTS,
                            Capability.LOCK_DELAY);
            assertThat(backend.minimumLease()).isEqualTo(Duration.ofMillis(100));
        }
    }

    @Test
    void v1_aCrashedHoldersLockIsFreeAfterItsSessionAndATick() {
        try (ZooKeeperBackend known = ZooKeeperBackend.builder("localhost:1")
                        .sessionTimeout(Duration.ofSeconds(10))
                        .tick(Duration.ofSeconds(2))
                        .build();
                ZooKeeperBackend unknown = ZooKeeperBackend.connect("localhost:1")) {
            assertThat(known.expiry(REQUEST)).isEqualTo(Duration.ofSeconds(12));
            assertThat(unknown.expiry(REQUEST)).isEqualTo(Duration.ofSeconds(45));
        }
    }

    @Test
    void api_aMappingOfNamesCannotBeListed() throws Exception {
        try (ZooKeeperBackend backend = ZooKeeperBackend.builder("localhost:1")
                .paths(name -> "/locks/" + name)
                .build()) {
            assertThat(backend.capabilities())
                    .containsExactlyInAnyOrder(
                            Capability.FAIR,
                            Capability.INSPECT,
                            Capability.FORCE_RELEASE,
                            Capability.READ_WRITE,
                            Capability.PERMITS,
                            Capability.STICKY,
                            Capability.RELEASE_REQUESTS,
                            Capability.LOCK_DELAY);
            Deadline deadline = Deadline.after(Duration.ZERO, backend.clock());
            assertThatThrownBy(() -> backend.list("", Optional.empty(), deadline))
                    .isInstanceOf(UnsupportedOperationException.class);
        }
    }

    @Test
    void s6_holdsEndWithTheSessionAndAreRenewedSeveralTimesPerTick() {
        try (ZooKeeperBackend backend = ZooKeeperBackend.builder("localhost:1")
                .sessionTimeout(Duration.ofSeconds(30))
                .tick(Duration.ofSeconds(2))
                .build()) {
            assertThat(backend.isBoundToSession()).isTrue();
            assertThat(backend.heartbeatInterval()).isEqualTo(Duration.ofMillis(1_500));
            assertThat(backend.expiry(REQUEST.withLockDelay(Duration.ofSeconds(5))))
                    .isEqualTo(Duration.ofSeconds(37));
        }
    }

    @Test
    void v4_anAttemptWithoutAServerReturnsInTime() {
        try (ZooKeeperBackend backend = ZooKeeperBackend.connect("localhost:1")) {
            long begin = System.nanoTime();
            assertThatThrownBy(() -> attempt(backend)).hasMessageContaining("localhost:1");
            // Curator itself waits for 15 s. The contract measures V4; this includes the loading of Curator's classes.
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(10));
        }
    }

    @Test
    void api_aSuppliedClientMayBeStartedLater() {
        try (CuratorFramework curator = CuratorFrameworkFactory.newClient("localhost:1", new RetryOneTime(1));
                ZooKeeperBackend backend = ZooKeeperBackend.of(curator)) {
            assertThatThrownBy(() -> attempt(backend)).hasMessageContaining("not been started");
            assertThat(curator.getState()).isEqualTo(CuratorFrameworkState.LATENT);
        }
    }

    @Test
    void api_requestsOverAClosedSuppliedClientAreRefused() {
        CuratorFramework curator = CuratorFrameworkFactory.newClient("localhost:1", new RetryOneTime(1));
        curator.start();
        curator.close();
        try (ZooKeeperBackend backend = ZooKeeperBackend.of(curator)) {
            assertThatThrownBy(() -> attempt(backend)).isInstanceOf(RequestRefusedException.class);
        }
    }

    @Test
    void v5_attemptsFailAfterClose() {
        ZooKeeperBackend backend = ZooKeeperBackend.connect("localhost:1");
        backend.close();
        backend.close();
        assertThatThrownBy(() -> attempt(backend))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void api_anInvalidMappedPathIsRefused() {
        try (ZooKeeperBackend backend =
                ZooKeeperBackend.builder("localhost:1").paths(name -> name).build()) {
            assertThatThrownBy(() -> attempt(backend))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("lock \"name\"");
        }
    }

    @Test
    void api_theErrorOfAFailedMappingNamesTheLock() {
        IllegalStateException failure = new IllegalStateException("no such tenant");
        try (ZooKeeperBackend backend = ZooKeeperBackend.builder("localhost:1")
                .paths(name -> {
                    throw failure;
                })
                .build()) {
            assertThatThrownBy(() -> attempt(backend))
                    .hasMessageContaining("lock \"name\"")
                    .hasMessageContaining("no such tenant")
                    .hasCause(failure);
        }
    }

    @Test
    void api_errorsAboutAMissingConnectionHaveNoCredentials() {
        String address = "user:secret@localhost:1";
        try (CuratorFramework curator = CuratorFrameworkFactory.newClient(address, new RetryOneTime(1));
                ZooKeeperBackend supplied = ZooKeeperBackend.of(curator);
                ZooKeeperBackend own = ZooKeeperBackend.connect(address)) {
            curator.start();
            for (ZooKeeperBackend backend : List.of(own, supplied)) {
                assertThatThrownBy(() -> attempt(backend))
                        .hasMessageContaining("@localhost:1")
                        .hasMessageNotContaining("secret");
            }
        }
    }

    private static void attempt(ZooKeeperBackend backend) throws InterruptedException {
        backend.start(new RecordingContext("test"));
        Deadline deadline = Deadline.after(Duration.ofMillis(200), backend.clock());
        assertThat(backend.contend(REQUEST, new IgnoredSignals()).attempt(deadline))
                .isNotNull();
    }
}

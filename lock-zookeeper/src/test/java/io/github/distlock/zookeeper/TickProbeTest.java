package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.tests.IgnoredSignals;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

/** What a client learns about the tick of its servers, and how an idle session proves that it lives. */
@Order(1)
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers for whole classes")
class TickProbeTest {
    /** A client repeats a question about the tick after 30 s if the server has not answered it in time. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final Duration TICK = Duration.ofMillis(500);
    private static final Duration SESSION = Duration.ofSeconds(8);
    private static final LockRequest REQUEST =
            LockRequest.exclusive("lock", Duration.ofSeconds(30), LockOwner.of("host", 1, "client", "thread"));
    private static final LockRequest ANOTHER =
            LockRequest.exclusive("another", Duration.ofSeconds(30), REQUEST.owner());

    /** A server with the limits of a server whose configuration sets none. */
    private static ZooKeeperServer server;

    private final CapturedLog log = new CapturedLog();

    @BeforeAll
    static void startServer() {
        server = ZooKeeperServer.start(ZooKeeperSettings.defaults()
                .tickTime(TICK)
                .minSessionTimeout(TICK.multipliedBy(2))
                .maxSessionTimeout(TICK.multipliedBy(20)));
    }

    @AfterAll
    static void closeServer() {
        server.close();
    }

    @AfterEach
    void release() {
        log.close();
    }

    private static ZooKeeperBackend started(ZooKeeperBackend backend) {
        backend.start(new RecordingContext("test"));
        return backend;
    }

    private static ZooKeeperBackend backend(String servers) {
        return started(ZooKeeperBackend.builder(servers).sessionTimeout(SESSION).build());
    }

    private static ZooKeeperBackend backendThatKnowsTheTick(FaultProxy link) {
        return started(ZooKeeperBackend.builder(link.address())
                .sessionTimeout(SESSION)
                .tick(TICK)
                .build());
    }

    @CanIgnoreReturnValue
    private static Attempt.Granted acquire(ZooKeeperBackend backend) throws InterruptedException {
        Deadline deadline = Deadline.after(PATIENCE, backend.clock());
        Attempt.Granted granted =
                (Attempt.Granted) backend.contend(REQUEST, new IgnoredSignals()).attempt(deadline);
        var unused = granted.grant().release(deadline);
        return granted;
    }

    private void expectTick(ZooKeeperBackend backend) {
        Waiting.await(
                "the tick is learned", PATIENCE, () -> backend.expiry(REQUEST).equals(SESSION.plus(TICK)));
        assertThat(warnings()).isEmpty();
    }

    /** Other tests run at the same time, with other session timeouts. */
    private List<String> warnings() {
        return log.lines().stream()
                .filter(message -> message.contains(SESSION.toString()))
                .toList();
    }

    @Test
    void v8_theClientLearnsTheTickOfItsServer() throws Exception {
        try (ZooKeeperBackend backend = backend(server.address())) {
            acquire(backend);

            expectTick(backend);
        }
    }

    @Test
    void v8_aClientLearnsTheTickAlthoughAServerIsDown() throws Exception {
        try (FaultProxy down = FaultProxy.to(server);
                ZooKeeperBackend backend = backend(server.address() + "," + down.address())) {
            down.refuse();
            acquire(backend);

            expectTick(backend);
        }
    }

    @Test
    void v8_aBackendOverASuppliedClientLearnsTheTick() throws Exception {
        try (CuratorFramework curator = CuratorFrameworkFactory.newClient(
                        server.address(), (int) SESSION.toMillis(), 15_000, new RetryOneTime(100));
                ZooKeeperBackend backend = started(ZooKeeperBackend.of(curator))) {
            curator.start();
            acquire(backend);

            expectTick(backend);
        }
    }

    @Test
    void v8_configuredLimitsTellNoTickAndTheClientWarnsOnce() throws Exception {
        try (ZooKeeperBackend backend = backend(SharedZooKeeper.address())) {
            acquire(backend);

            Waiting.await("a warning", PATIENCE, () -> !warnings().isEmpty());
            assertThat(backend.expiry(REQUEST)).isEqualTo(SESSION.plus(SESSION.dividedBy(2)));
            assertThat(warnings())
                    .singleElement()
                    .asString()
                    .contains("unknown")
                    .contains("tick(...)");
        }
    }

    @Test
    void v8_theClientWarnsOfASessionWithFewTicks() throws Exception {
        try (ZooKeeperBackend backend = started(ZooKeeperBackend.builder(server.address())
                .sessionTimeout(SESSION)
                .tick(Duration.ofSeconds(2))
                .build())) {
            acquire(backend);

            assertThat(warnings()).singleElement().asString().contains("PT8S").contains("PT2S");
        }
    }

    @Test
    void v6_theProbeLeavesNoConnection() throws Exception {
        try (FaultProxy link = FaultProxy.to(server);
                ZooKeeperBackend backend = backend(link.address())) {
            acquire(backend);
            expectTick(backend);

            Waiting.await("one connection is open", PATIENCE, () -> link.openConnections() == 1);
        }
    }

    @Test
    void v8_aHoldOutlivesASlowLink() throws Exception {
        Duration session = Duration.ofSeconds(6);
        try (FaultProxy link = FaultProxy.to(server)) {
            ZooKeeperBackend backend = ZooKeeperBackend.builder(link.address())
                    .sessionTimeout(session)
                    .build();
            try (LockClient locks = LockClient.create(backend)) {
                LockHandle held = locks.lock("slow").acquire();
                Waiting.until(PATIENCE, () -> backend.expiry(REQUEST).equals(session.plus(TICK)));
                link.delayReplies(Duration.ofMillis(400));

                Waiting.letPass(session.multipliedBy(2));

                assertThat(held.isHeld()).isTrue();
                link.heal();
            }
        }
    }

    /** The connection is lost meanwhile. Moving the session to another one restarts the session's timer. */
    @Test
    void s2_aGrantAfterASilenceHasValidityAtOnce() throws Exception {
        try (FaultProxy link = FaultProxy.to(server);
                ZooKeeperBackend backend = backendThatKnowsTheTick(link)) {
            Deadline deadline = Deadline.after(PATIENCE, backend.clock());
            assertThat(backend.contend(ANOTHER, new IgnoredSignals()).attempt(deadline))
                    .isInstanceOf(Attempt.Granted.class);
            acquire(backend);
            Waiting.letPass(SESSION);
            link.silence();
            Waiting.letPass(SESSION.dividedBy(2));
            long before = link.connections();
            link.heal();
            Waiting.await("another connection", PATIENCE, () -> link.connections() > before);
            // The event thread hears of the requests that were lost, and then of the data of the other node.
            assertThat(backend.inspect("another", deadline).holders()).hasSize(1);

            Duration validity = acquire(backend).grant().validity().length();

            assertThat(validity).isGreaterThan(SESSION.dividedBy(2));
        }
    }

    /** Without requests in between, the first write would be worth no more than that of an unknown session. */
    @Test
    void s6_aGrantAfterIdlenessIsWorthAsMuchAsItsSessionProves() throws Exception {
        try (FaultProxy link = FaultProxy.to(server);
                ZooKeeperBackend backend = backendThatKnowsTheTick(link)) {
            acquire(backend);
            Waiting.letPass(SESSION);

            Duration validity = acquire(backend).grant().validity().length();

            assertThat(validity).isGreaterThan(SESSION.dividedBy(2));
        }
    }
}

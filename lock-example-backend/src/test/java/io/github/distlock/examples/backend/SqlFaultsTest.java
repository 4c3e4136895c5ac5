package io.github.distlock.examples.backend;

import static io.github.distlock.tests.servers.FaultProxy.containing;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockOwner;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.IgnoredSignals;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Faults that the contract cannot inject because they need knowledge of the store. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class SqlFaultsTest {
    private static final String TABLE = "faults";
    private static final Duration LEASE = Duration.ofMinutes(1);

    @Test
    void s7_aRequestThatArrivesAfterTheWithdrawalDoesNotTakeTheLock() throws Exception {
        try (H2Server server = H2Server.start();
                FaultProxy network = FaultProxy.to(server);
                SqlBackend backend = connect(network.address())) {
            assertEquals(
                    Grant.Release.RELEASED, granted(contender(backend, "late")).release(within(5_000)));
            Fault late = network.delayNextRequest(containing("late"), Duration.ofSeconds(3));
            Contender withdrawn = contender(backend, "late");
            assertThrows(IllegalStateException.class, () -> withdrawn.attempt(within(1_000)));
            withdrawn.withdraw(within(5_000));
            long repliesBefore = network.replies();
            late.awaitStrike(Duration.ofSeconds(10));
            Waiting.await("a reply", Duration.ofSeconds(10), () -> network.replies() > repliesBefore);
            assertEquals(List.of(), holders(server));
        }
    }

    @Test
    void s3_basesRiseAfterTheServerHasLostItsData() throws Exception {
        try (H2Server server = H2Server.start();
                SqlBackend backend = connect(server.address())) {
            long before = granted(contender(backend, "lost")).fencingBase();
            server.kill();
            server.restart(false);
            try (SqlBackend another = connect(server.address())) {
                long after = granted(contender(another, "lost")).fencingBase();
                assertTrue(after > before, after + " > " + before);
            }
        }
    }

    @Test
    void s1_aRestartedServerKeepsItsHolds() throws Exception {
        try (H2Server server = H2Server.start();
                SqlBackend backend = connect(server.address())) {
            Grant held = granted(contender(backend, "kept"));
            server.kill();
            server.restart(true);
            try (SqlBackend another = connect(server.address())) {
                assertInstanceOf(Attempt.Busy.class, contender(another, "kept").attempt(within(5_000)));
                assertThrows(IllegalStateException.class, () -> held.release(within(5_000)), "over a dead connection");
                assertEquals(Grant.Release.RELEASED, held.release(within(5_000)));
            }
        }
    }

    @Test
    void api_aWrongPasswordIsRefusedWithTheServersMessage() {
        try (H2Server server = H2Server.start();
                SqlBackend backend = connect(server.address(), ";USER=nobody;PASSWORD=x")) {
            RequestRefusedException refusal = assertThrows(
                    RequestRefusedException.class, () -> contender(backend, "x").attempt(within(5_000)));
            assertTrue(refusal.getMessage().contains("Wrong user name or password"), refusal.getMessage());
        }
    }

    private static SqlBackend connect(String address) {
        return connect(address, "");
    }

    private static SqlBackend connect(String address, String settings) {
        SqlBackend backend = SqlBackend.connect(H2Server.url(address) + settings, TABLE);
        backend.start(new RecordingContext("faults"));
        return backend;
    }

    private static Contender contender(SqlBackend backend, String name) {
        LockOwner owner = LockOwner.of("localhost", 1, "faults", "main");
        return backend.contend(LockRequest.exclusive(name, LEASE, owner).withoutWaiting(), new IgnoredSignals());
    }

    private static Deadline within(long millis) {
        return Deadline.after(Duration.ofMillis(millis), LockClock.system());
    }

    private static Grant granted(Contender contender) throws InterruptedException {
        return assertInstanceOf(Attempt.Granted.class, contender.attempt(within(5_000)))
                .grant();
    }

    private static List<String> holders(H2Server server) throws Exception {
        return server.ask(LockTable.sql("SELECT holder FROM {table} WHERE {now} < expires", TABLE));
    }
}

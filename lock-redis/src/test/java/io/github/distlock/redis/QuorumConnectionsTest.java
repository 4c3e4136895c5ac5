package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockOwner;
import io.github.distlock.redis.connection.ConnectionContext;
import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.Listening;
import io.github.distlock.redis.connection.LockCommand;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.tests.IgnoredSignals;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A quorum over another client library. The servers answer requests for votes as a test says. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class QuorumConnectionsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final long BASE = 5;

    private final List<Server> servers =
            Stream.of("one", "two", "three").map(Server::new).toList();
    private final RecordingContext engine = new RecordingContext("test");
    private final RedisQuorum quorum = RedisQuorum.builderOver(servers.stream()
                    .<Function<ConnectionContext, Connections>>map(server -> server::connect)
                    .toList())
            .build();

    @BeforeEach
    void start() {
        quorum.start(engine);
    }

    @AfterEach
    void close() {
        quorum.close();
    }

    private Attempt attempt() throws InterruptedException {
        LockRequest request =
                LockRequest.exclusive("job", Duration.ofSeconds(30), LockOwner.of("host", 7, "client", "thread"));
        return quorum.contend(request, new IgnoredSignals()).attempt(Deadline.after(PATIENCE, LockClock.system()));
    }

    private void awaitRequests(Script script) {
        Waiting.await(
                "each server gets one request for " + script,
                PATIENCE,
                () -> servers.stream().allMatch(server -> server.requests(script) == 1));
    }

    @Test
    void s7_aVoteWithoutAnAnswerIsWithdrawn() {
        servers.forEach(server -> server.answers = false);

        assertThatThrownBy(this::attempt).hasMessageContaining("one: broken").hasMessageContaining("three: broken");

        awaitRequests(Script.WITHDRAW);
    }

    @Test
    void v5_eachServerHasItsConnectionsUntilTheQuorumIsClosed() throws InterruptedException {
        servers.get(1).answers = false;

        assertThat(attempt()).isInstanceOf(Attempt.Granted.class);

        awaitRequests(Script.VOTE);
        assertThat(servers).noneMatch(server -> server.closed);
        quorum.close();
        assertThat(servers).allMatch(server -> server.closed);
        assertThatThrownBy(this::attempt).hasMessageContaining(OwnConnections.CLOSED);
        awaitRequests(Script.VOTE);
    }

    @Test
    void v8_aLostConnectionConcernsAllHoldsOfTheQuorum() {
        requireNonNull(servers.get(1).context).connectionLost("two");

        assertThat(engine.lostConnections()).containsExactly(RedisQuorum.SERVER);
    }

    @Test
    void api_aQuorumCanBeInspectedAndDisconnected() {
        assertThat(quorum.capabilities())
                .containsExactlyInAnyOrder(Capability.INSPECT, Capability.CHANGE_LEASE, Capability.LOCK_DELAY);

        quorum.disconnect();

        assertThat(servers).allMatch(server -> server.disconnected);
    }

    /** Gives its vote, or breaks the connection after it has received the request for it. */
    private static final class Server implements Connections {
        private final String name;
        private final Queue<LockCommand> received = new ConcurrentLinkedQueue<>();
        volatile boolean answers = true;
        volatile boolean disconnected;
        volatile boolean closed;
        volatile @Nullable ConnectionContext context;

        Server(String name) {
            this.name = name;
        }

        Connections connect(ConnectionContext given) {
            context = given;
            return this;
        }

        @Override
        public List<Object> send(List<LockCommand> commands, Purpose purpose, Deadline deadline) {
            return commands.stream().map(this::answer).toList();
        }

        private Object answer(LockCommand command) {
            received.add(command);
            if (is(Script.VOTE, command) && !answers) {
                return new IllegalStateException("broken");
            }
            int keys = Integer.parseInt(new String(command.arguments().get(1), UTF_8));
            return List.of(command.arguments().get(2 + keys), 1L, BASE, 7L);
        }

        private static boolean is(Script script, LockCommand command) {
            byte[] digest = script.text(new Script.Settings(Publisher.SCRIPT, 3_600_000)).sha;
            return new String(command.arguments().get(0), UTF_8).equals(new String(digest, UTF_8));
        }

        long requests(Script script) {
            return received.stream().filter(command -> is(script, command)).count();
        }

        @Override
        public Object server(byte[] lockKey) {
            return name;
        }

        @Override
        public boolean isOneServer() {
            return true;
        }

        @Override
        public Listening listening(String channel, Consumer<String> messages, Runnable subscribed) {
            throw new UnsupportedOperationException();
        }

        @Override
        public List<Connections.Server> servers(Deadline deadline) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void requireMayWait() {}

        @Override
        public void disconnect() {
            disconnected = true;
        }

        @Override
        public void close() {
            closed = true;
        }

        @Override
        public String toString() {
            return name;
        }
    }
}

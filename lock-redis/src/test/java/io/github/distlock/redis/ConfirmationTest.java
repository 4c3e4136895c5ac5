package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.PromiseNames;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.Jedis;

/** What a client asks a server about its replicas, and what it concludes from the answers. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ConfirmationTest {
    private static final Duration LEASE = Duration.ofSeconds(30);
    /** That of {@link TestContender#deadline}. */
    private static final long DEADLINE_MILLIS = 10_000;

    private final ScriptedServer server = ScriptedServer.answering(this::answer);
    private volatile int replicas = 1;
    private volatile int confirming = 1;
    private volatile String waitError = "";
    private volatile String roleError = "";

    @AfterEach
    void close() {
        server.close();
    }

    private void answer(ScriptedServer.Client client, List<String> command) throws IOException {
        switch (command.get(0)) {
            case "WAIT" -> client.send(waitError.isEmpty() ? ":" + confirming + "\r\n" : "-" + waitError + "\r\n");
            case "ROLE" -> client.send(roleError.isEmpty() ? role() : "-" + roleError + "\r\n");
            default -> client.succeed(command);
        }
    }

    private String role() {
        String replica = "*3\r\n$9\r\n127.0.0.1\r\n$4\r\n6380\r\n$1\r\n0\r\n";
        return "*3\r\n$6\r\nmaster\r\n:0\r\n*" + replicas + "\r\n" + replica.repeat(replicas);
    }

    private RedisBackend awaitingOne() {
        return TestContender.started(
                RedisBackend.builder(server.uri()).awaitReplicas(1).build());
    }

    private RedisBackend awaitingAll() {
        return TestContender.started(
                RedisBackend.builder(server.uri()).awaitAllReplicas().build());
    }

    private static void acquire(RedisBackend backend) throws InterruptedException {
        assertThat(TestContender.waiting(backend, "job", LEASE).acquire().fencingBase())
                .isPositive();
    }

    private static void expectFailure(RedisBackend backend, String... words) {
        assertThatThrownBy(() -> acquire(backend)).hasMessageContainingAll(words);
    }

    private List<String> questions() {
        return server.commands().stream()
                .filter(command -> List.of("WAIT", "ROLE").contains(command.get(0)))
                .map(command -> String.join(" ", command.subList(0, Math.min(2, command.size()))))
                .toList();
    }

    private List<Long> waits() {
        return server.commands().stream()
                .filter(command ->
                        command.get(0).equals("WAIT") && !command.get(1).equals("0"))
                .map(command -> Long.parseLong(command.get(2)))
                .toList();
    }

    private boolean hasGranted() {
        return server.commands().stream().anyMatch(command -> command.get(0).startsWith("EVAL"));
    }

    @Test
    void s1_eachGrantIsConfirmedAndTheCommandIsTriedOnce() throws InterruptedException {
        try (RedisBackend backend = awaitingOne()) {
            acquire(backend);
            acquire(backend);
        }

        assertThat(questions()).containsExactly("WAIT 0", "WAIT 1", "WAIT 1");
        assertThat(waits()).allMatch(millis -> millis > DEADLINE_MILLIS / 4 && millis <= DEADLINE_MILLIS / 2);
    }

    @Test
    void v4_aGrantWithLittleTimeLeftWaitsForAMillisecond() throws InterruptedException {
        try (RedisBackend backend = awaitingOne()) {
            acquire(backend);
            Confirmation confirmation = new Confirmation(new ReplicaPolicy(1, false));
            try (Jedis jedis = new Jedis(URI.create(server.uri()))) {
                confirmation.await(jedis.getConnection(), Deadline.after(Duration.ZERO, backend.clock()));
            }
        }

        assertThat(waits()).endsWith(1L);
    }

    @Test
    void s1_allMeansEachConnectedReplicaAndAtLeastOne() throws InterruptedException {
        try (RedisBackend backend = awaitingAll()) {
            replicas = 2;
            confirming = 2;
            acquire(backend);
            replicas = 0;
            acquire(backend);
        }

        assertThat(questions()).containsExactly("WAIT 0", "ROLE", "ROLE", "WAIT 2", "ROLE", "WAIT 1");
    }

    @Test
    void s1_aGrantThatTooFewReplicasHaveConfirmedDoesNotCount() {
        confirming = 1;
        replicas = 2;
        try (RedisBackend backend = awaitingAll()) {
            expectFailure(backend, "UNCONFIRMED 1 of 2 replicas have confirmed the grant within ", " ms");
        }
    }

    @Test
    void s7_aServerThatRefusesTheCommandGrantsNothing() {
        waitError = "ERR unknown command 'WAIT'";
        try (RedisBackend backend = awaitingOne()) {
            expectFailure(backend, waitError + "; awaitReplicas needs this command");
        }

        assertThat(hasGranted()).isFalse();
    }

    @Test
    void s7_aServerThatDoesNotTellItsReplicasGrantsNothing() {
        roleError = "NOPERM this user has no permissions to run the 'role' command";
        try (RedisBackend backend = awaitingAll()) {
            assertThatThrownBy(() -> acquire(backend))
                    .isInstanceOf(RequestRefusedException.class)
                    .hasMessageContaining(roleError + "; awaitReplicas needs this command");
        }

        assertThat(hasGranted()).isFalse();
    }

    @Test
    void s7_aReplicaThatRefusesTheCommandIsNoPrimary() {
        waitError = "ERR WAIT cannot be used with replica instances.";
        try (RedisBackend backend = awaitingOne()) {
            expectFailure(backend, "READONLY " + waitError);
        }

        assertThat(hasGranted()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"WAIT", "ROLE"})
    void s7_anErrorAfterTheGrantIsNoRefusalAndTheCommandIsTriedAgain(String command) throws InterruptedException {
        try (RedisBackend backend = awaitingAll()) {
            acquire(backend);
            int asked = questions().size();
            String error = "NOPERM no permissions";
            setError(command, error);

            assertThatThrownBy(() -> acquire(backend))
                    .isNotInstanceOf(RequestRefusedException.class)
                    .hasMessageContaining("UNCONFIRMED " + error);

            setError(command, "");
            acquire(backend);
            assertThat(questions().subList(asked, questions().size())).endsWith("WAIT 0", "ROLE", "ROLE", "WAIT 1");
        }
    }

    private void setError(String command, String error) {
        if (command.equals("WAIT")) {
            waitError = error;
        } else {
            roleError = error;
        }
    }

    @Test
    void v3_withoutThePolicyNothingIsAsked() throws InterruptedException {
        try (RedisBackend backend = TestContender.started(RedisBackend.connect(server.uri()))) {
            acquire(backend);
        }

        assertThat(questions()).isEmpty();
    }
}

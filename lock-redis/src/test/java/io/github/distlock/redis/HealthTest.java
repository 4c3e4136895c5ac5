package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.redis.HealthFinding.Severity;
import io.github.distlock.redis.HealthFinding.Subject;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.RedisCluster;
import io.github.distlock.tests.servers.RedisSentinels;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.BuilderFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;

/** What a health check finds at servers with all kinds of settings. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class HealthTest {
    private static final Duration TIME = Duration.ofSeconds(30);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String[] DURABLE = {"appendonly yes", "appendfsync always"};
    /** What the documented user lacks for a check that sees everything. */
    private static final List<String> RIGHTS_OF_THE_CHECK = List.of("+info", "+config|get", "+acl|whoami");

    private static RedisServer start(String... more) {
        return RedisServer.start(durable(more));
    }

    private static String[] durable(String... more) {
        return Stream.of(DURABLE, more).flatMap(Stream::of).toArray(String[]::new);
    }

    /** Starts a primary or a replica. A replica in a container would not reach its primary. */
    private static RedisServer startReplicating(String... more) {
        return RedisServer.startProcess(
                Stream.concat(Stream.of("repl-diskless-sync-delay 0"), Arrays.stream(durable(more)))
                        .toArray(String[]::new));
    }

    private static void await(String expected, BooleanSupplier condition) {
        Waiting.await(expected, PATIENCE, condition);
    }

    /** Waits until a check finds nothing. A replica that was starved may be late with a sign of life. */
    private static void awaitNoFinding(String uri) {
        await("nothing is found", () -> {
            try {
                return check(uri).isEmpty();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private static List<HealthFinding> check(String uri) throws InterruptedException {
        return check(RedisBackend.connect(uri));
    }

    private static List<HealthFinding> check(RedisBackend backend) throws InterruptedException {
        try (backend) {
            return TestContender.started(backend).checkHealth(TIME);
        }
    }

    /** Expects findings of these severities and subjects, whatever the texts say. */
    private static void expect(List<HealthFinding> findings, String... expected) {
        assertThat(findings)
                .extracting(finding -> finding.severity() + " " + finding.subject())
                .containsExactlyInAnyOrder(expected);
    }

    /** Returns the only finding with a subject. */
    private static HealthFinding about(Subject subject, List<HealthFinding> findings) {
        assertThat(findings).filteredOn(finding -> finding.subject() == subject).hasSize(1);
        return findings.stream()
                .filter(finding -> finding.subject() == subject)
                .findFirst()
                .orElseThrow();
    }

    private static void administer(RedisServer server, Command command, Object... words) {
        try (RedisClient admin = RedisClient.create(server.uri())) {
            CommandArguments call = new CommandArguments(command).addObjects(words);
            var unused = admin.executeCommand(new CommandObject<>(call, BuilderFactory.RAW_OBJECT));
        }
    }

    /** Gives a user the rights that {@code docs/redis.md} lists, and others. Returns the address for this user. */
    private static String permit(RedisServer server, List<String> more) {
        administer(
                server,
                Command.ACL,
                Stream.of(List.of("SETUSER", "locks", "reset"), DocumentedRights.of("distlock:"), more)
                        .flatMap(List::stream)
                        .toArray());
        return "redis://locks:secret@" + server.address();
    }

    private static List<String> keys(RedisServer server) {
        try (RedisClient admin = RedisClient.create(server.uri())) {
            return List.copyOf(admin.keys("*"));
        }
    }

    @Test
    void api_aServerAsRecommendedHasNoFindingThatBreaksAGuarantee() throws Exception {
        try (RedisServer server = start();
                RedisClient client = RedisClient.create(server.uri())) {
            List<HealthFinding> own = check(server.uri());
            List<HealthFinding> supplied = check(RedisBackend.of(client));

            expect(own, "NOTE REPLICATION");
            // A server in a container names another address than the one of the test.
            assertThat(supplied)
                    .extracting(HealthFinding::found)
                    .containsExactly(own.get(0).found());
            assertThat(own.get(0).server()).isEqualTo(server.address());
            assertThat(keys(server)).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "maxmemory 100mb, maxmemory-policy volatile-ttl, ERROR, volatile-ttl",
        "maxmemory 100mb, maxmemory-policy allkeys-lru, ERROR, allkeys-lru",
        "maxmemory 0, maxmemory-policy volatile-lru, WARNING, volatile-lru",
        "maxmemory 1kb, maxmemory-policy noeviction, WARNING, of 1024 bytes",
    })
    void api_aServerThatMayDeleteLocksOrIsFullIsFound(String limit, String policy, Severity severity, String found)
            throws Exception {
        try (RedisServer server = start(limit, policy)) {
            HealthFinding finding = about(Subject.MEMORY, check(server.uri()));

            assertThat(finding.severity()).isEqualTo(severity);
            assertThat(finding.found()).contains(found);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "appendonly no, appendfsync always, WARNING, appendonly is no.",
        "appendonly yes, appendfsync everysec, NOTE, appendfsync is everysec.",
        "appendonly yes, appendfsync no, NOTE, appendfsync is no.",
    })
    void api_aServerThatMayForgetHoldsIsFound(String log, String fsync, Severity severity, String found)
            throws Exception {
        try (RedisServer server = RedisServer.start(log, fsync)) {
            HealthFinding finding = about(Subject.PERSISTENCE, check(server.uri()));

            assertThat(finding.severity()).isEqualTo(severity);
            assertThat(finding.found()).isEqualTo(found);
        }
    }

    @Test
    void api_aReplicaIsFoundWithTheAddressOfItsPrimary() throws Exception {
        try (RedisServer primary = startReplicating();
                RedisServer replica = startReplicating("replicaof " + primary.host() + " " + primary.port())) {
            await("it has loaded its data", () -> replication(replica).contains("master_link_status:up"));

            List<HealthFinding> findings = check(replica.uri());

            HealthFinding finding = about(Subject.ROLE, findings);
            assertThat(finding.severity()).isEqualTo(Severity.ERROR);
            assertThat(finding.found()).contains(primary.address());
            assertThat(about(Subject.SCRIPTS, findings).found()).contains("READONLY");
        }
    }

    @Test
    void api_replicasThatAreMissingOrSilentAreFound() throws Exception {
        try (RedisServer primary = startReplicating();
                FaultProxy link = FaultProxy.to(primary);
                RedisServer replica = startReplicating("replicaof " + link.host() + " " + link.port())) {
            await("it is connected", () -> replication(primary).contains("state=online"));
            awaitNoFinding(primary.uri());

            link.silence();
            await("it is silent", () -> replication(primary).matches("(?s).*lag=([3-9]|\\d\\d).*"));

            HealthFinding finding = about(Subject.REPLICATION, check(primary.uri()));
            assertThat(finding.severity()).isEqualTo(Severity.WARNING);
            assertThat(finding.found()).contains(replica.host() + ":" + replica.port());

            administer(primary, Command.CONFIG, "SET", "min-replicas-to-write", "1");
            replica.kill();
            link.cut();
            await("it is gone", () -> replication(primary).contains("connected_slaves:0"));
            List<HealthFinding> refused = check(primary.uri());
            expect(refused, "ERROR REPLICATION", "NOTE REPLICATION", "ERROR SCRIPTS");
            assertThat(about(Subject.SCRIPTS, refused).found()).contains("NOREPLICAS");
        }
    }

    private static String replication(RedisServer server) {
        try (RedisClient admin = RedisClient.create(server.uri())) {
            return admin.info("replication");
        }
    }

    @Test
    void api_theDocumentedRightsSufficeAndTheCheckSaysWhatItCannotSee() throws Exception {
        try (RedisServer server = start()) {
            List<HealthFinding> findings = check(permit(server, List.of()));

            expect(findings, "NOTE RIGHTS");
            assertThat(findings.get(0).found()).contains("INFO").contains("NOPERM");
            expect(check(permit(server, RIGHTS_OF_THE_CHECK)), "NOTE REPLICATION");
            expect(check(permit(server, List.of("+info"))), "NOTE REPLICATION", "NOTE PERSISTENCE");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "append",
                "del",
                "get",
                "set",
                "pttl",
                "pexpire",
                "time",
                "zadd",
                "zrem",
                "zrange",
                "zrangebyscore",
                "zremrangebyscore",
                "zremrangebyrank",
                "zscore",
                "zcount",
                "zcard",
                "eval",
                "evalsha"
            })
    void api_eachMissingRightIsFoundWithTheCommandThatGrantsIt(String command) throws Exception {
        try (RedisServer server = start()) {
            String uri = permit(
                    server,
                    Stream.concat(RIGHTS_OF_THE_CHECK.stream(), Stream.of("-" + command))
                            .toList());

            HealthFinding finding = about(Subject.RIGHTS, withoutTime(check(uri)));

            assertThat(finding.severity()).isEqualTo(Severity.ERROR);
            assertThat(finding.remedy()).startsWith("ACL SETUSER locks ").contains("+" + command);
            administer(server, Command.ACL, (Object[]) words(finding.remedy()));
            assertThat(check(uri)).noneMatch(other -> other.severity() == Severity.ERROR);
            await("nothing is left", () -> keys(server).isEmpty());
        }
    }

    /** Returns the findings without the one that says that the clock could not be compared. */
    private static List<HealthFinding> withoutTime(List<HealthFinding> findings) {
        return findings.stream()
                .filter(finding -> finding.subject() != Subject.CLOCK)
                .toList();
    }

    /** Returns the words of a command after the first one. */
    private static String[] words(String remedy) {
        String[] all = remedy.split(" ", -1);
        return Arrays.copyOfRange(all, 1, all.length);
    }

    @ParameterizedTest
    @CsvSource({"~other:*, ERROR", "&other:*, WARNING", "-publish, WARNING", "-subscribe, WARNING"})
    void api_missingKeysAndChannelsAreFound(String restriction, Severity severity) throws Exception {
        try (RedisServer server = start()) {
            Stream<String> reset = switch (restriction.charAt(0)) {
                case '~' -> Stream.of("resetkeys");
                case '&' -> Stream.of("resetchannels");
                default -> Stream.of();
            };
            String uri = permit(
                    server,
                    Stream.of(RIGHTS_OF_THE_CHECK.stream(), reset, Stream.of(restriction))
                            .flatMap(all -> all)
                            .toList());

            List<HealthFinding> findings = check(uri).stream()
                    .filter(finding -> finding.subject() == Subject.RIGHTS)
                    .toList();

            assertThat(findings).isNotEmpty().allMatch(finding -> finding.severity() == severity);
            for (HealthFinding finding : findings) {
                administer(
                        server, Command.ACL, (Object[]) words(finding.remedy().replace("<user>", "locks")));
            }
            expect(check(uri), "NOTE REPLICATION");
        }
    }

    @Test
    void api_aServerThatIsSilentOrGoneIsFoundInTime() throws Exception {
        try (RedisServer server = start();
                FaultProxy link = FaultProxy.to(server);
                RedisBackend backend = TestContender.started(RedisBackend.connect("redis://" + link.address()))) {
            link.silence();
            List<HealthFinding> silent = backend.checkHealth(Duration.ofSeconds(2));
            server.kill();
            link.heal();
            List<HealthFinding> gone = backend.checkHealth(TIME);

            expect(silent, "ERROR CONNECTION");
            assertThat(silent.get(0).server()).isEqualTo(link.address());
            expect(gone, "ERROR CONNECTION");
        }
    }

    @Test
    void api_aWrongPasswordIsFoundWithoutThePassword() throws Exception {
        try (RedisServer server = start("requirepass secret")) {
            HealthFinding finding = about(Subject.CONNECTION, check("redis://:guessed@" + server.address()));

            assertThat(finding.found()).contains("WRONGPASS");
            assertThat(finding.toString()).doesNotContain("guessed");
        }
    }

    @Test
    void api_aProxyThatRefusesToPublishInScriptsIsFound() throws Exception {
        try (RedisServer server = start();
                CloudProxy proxy = new CloudProxy(server.address())) {
            String uri = "redis://" + proxy.address();

            HealthFinding finding = about(Subject.SCRIPTS, check(uri));

            assertThat(finding.severity()).isEqualTo(Severity.ERROR);
            assertThat(finding.remedy()).contains("publishFromClient()");
            expect(check(RedisBackend.builder(uri).publishFromClient().build()), "NOTE REPLICATION");
        }
    }

    @Test
    void api_withSentinelsThePrimaryIsChecked() throws Exception {
        try (RedisSentinels sentinels = RedisSentinels.start(1, 1, Duration.ofHours(1), DURABLE)) {
            sentinels.awaitReplicas();
            awaitNoFinding(sentinels.uri());

            administer(sentinels.primary(), Command.CONFIG, "SET", "maxmemory-policy", "volatile-ttl");
            HealthFinding finding = about(Subject.MEMORY, check(sentinels.uri()));

            assertThat(finding.server()).isEqualTo(sentinels.primary().address());
        }
    }

    @Test
    void api_inAClusterEachPrimaryIsChecked() throws Exception {
        try (RedisCluster cluster = RedisCluster.start(3, 0, Duration.ofSeconds(5), DURABLE)) {
            RedisServer other = cluster.members().get(1);
            administer(other, Command.CONFIG, "SET", "maxmemory-policy", "volatile-ttl");
            administer(other, Command.ACL, "SETUSER", "default", "-zadd");
            List<HealthFinding> own = check(cluster.uri());
            List<HealthFinding> supplied;
            try (RedisClusterClient client =
                    RedisClusterClient.create(new HostAndPort(cluster.host(), cluster.port()))) {
                supplied = check(RedisBackend.of(client));
            }

            assertThat(own)
                    .filteredOn(finding -> finding.subject() == Subject.REPLICATION)
                    .hasSize(3);
            assertThat(about(Subject.MEMORY, own).server()).isEqualTo(other.address());
            assertThat(about(Subject.RIGHTS, own).server()).isEqualTo(other.address());
            assertThat(supplied).containsExactlyInAnyOrderElementsOf(own);
            assertThat(about(Subject.CLUSTER, check(other.uri())).severity()).isEqualTo(Severity.ERROR);

            cluster.members().get(2).kill();
            await(
                    "the others notice",
                    () -> cluster.members().stream()
                            .filter(RedisServer::isRunning)
                            .noneMatch(node -> state(node).contains("cluster_slots_ok:16384")));
            List<HealthFinding> broken = check(cluster.uri());

            assertThat(broken)
                    .filteredOn(finding -> finding.subject() == Subject.CONNECTION)
                    .extracting(HealthFinding::server)
                    .containsExactly(cluster.members().get(2).address());
            assertThat(broken)
                    .filteredOn(finding -> finding.subject() == Subject.CLUSTER)
                    .hasSize(2);
        }
    }

    private static String state(RedisServer node) {
        try (RedisClient admin = RedisClient.create(node.uri())) {
            CommandArguments call = new CommandArguments(Command.CLUSTER).add("INFO");
            return admin.executeCommand(new CommandObject<>(call, BuilderFactory.STRING));
        }
    }

    @Test
    void api_aCheckNeedsAStartedBackendAndABoundedTimeout() {
        try (RedisBackend backend = RedisBackend.connect("redis://localhost")) {
            assertThatThrownBy(() -> backend.checkHealth(TIME))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("LockClient");
            for (Duration timeout : List.of(Duration.ZERO, Duration.ofMillis(-1), Duration.ofHours(2))) {
                assertThatThrownBy(() -> backend.checkHealth(timeout))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("timeout");
            }
        }
    }
}

package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockInspector;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.LockNames;
import io.github.distlock.tests.servers.RedisCluster;
import io.github.distlock.tests.servers.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.BuilderFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.params.SetParams;

/** Names that an inspector lists, and keys of which it makes none. */
@Order(1)
class NameScanTest extends ContenderTest {
    private static final int MANY = 5_000;
    private static final SetParams FOR_MINUTES = SetParams.setParams().px(300_000);

    private static List<String> listed(RedisBackend backend, String prefix) throws InterruptedException {
        List<String> names = new ArrayList<>();
        Optional<String> position = Optional.empty();
        do {
            LockNames page = backend.list(prefix, position, TestContender.deadline());
            names.addAll(page.names());
            position = page.next();
        } while (position.isPresent());
        return names;
    }

    /** Writes lock keys and tokens, as many clients would. */
    private static void addLocks(UnifiedJedis server, String beginOfNames, int count) {
        try (AbstractPipeline pipeline = server.pipelined()) {
            for (int i = 0; i < count; i++) {
                String lockKey = "distlock:" + beginOfNames + i;
                var unusedLock = pipeline.set(lockKey, "held", FOR_MINUTES);
                var unusedToken = pipeline.set("distlock:{" + lockKey + "}:token", "1", FOR_MINUTES);
            }
            pipeline.sync();
        }
    }

    private static String[] names(String begin, int count) {
        return IntStream.range(0, count).mapToObj(i -> begin + i).toArray(String[]::new);
    }

    @Test
    void api_aLockThatIsWaitedForAndNotHeldIsListed() throws Exception {
        waiting(one).acquire();
        TestContender waiter = queuedWaiter(other);
        admin.del(lock);

        assertThat(listed(one, name)).containsExactly(name);
        assertThat(listed(repeating, name)).containsExactly(name);

        goSilent(waiter);
        assertThat(listed(one, name)).isEmpty();
    }

    @Test
    void api_aTokenAndATombstoneAreNoLockInUse() throws Exception {
        release(waiting(repeating).acquire());

        assertThat(admin.exists(token)).isTrue();
        assertThat(admin.exists(queue)).isTrue();
        assertThat(listed(one, name)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "tenant*[1]:", "{app}:", "a{app}:"})
    void api_locksUnderAnyPrefixOfKeysAreListed(String prefix) throws Exception {
        try (RedisBackend backend =
                started(RedisBackend.builder(SERVER.uri()).keyPrefix(prefix).build())) {
            waiting(backend).acquire();
            queuedWaiter(backend);
            String withBraces = name + "{x} %*";
            TestContender.waiting(backend, withBraces, LEASE).acquire();

            assertThat(new TreeSet<>(listed(backend, name))).containsExactly(name, withBraces);
            assertThat(listed(backend, withBraces)).containsExactly(withBraces);
            assertThat(listed(backend, "")).contains(name, withBraces).noneMatch(each -> each.contains(":token"));

            admin.del(prefix + name);
            assertThat(listed(backend, name)).contains(name);
        }
    }

    @Test
    void api_keysThatAreNoEncodedNamesAreNotListed() throws Exception {
        admin.set(lock + "%41", "not canonical", FOR_MINUTES);
        admin.set(lock + " x", "not encoded", FOR_MINUTES);
        admin.set((lock + "ü").getBytes(ISO_8859_1), "x".getBytes(UTF_8), FOR_MINUTES);

        assertThat(listed(one, name)).isEmpty();
    }

    @Test
    void api_withAMappingOfNamesToKeysTheRefusalNamesTheMapping() {
        RedisBackend mapped =
                RedisBackend.builder(SERVER.uri()).keys(any -> "job:" + any).build();
        try (LockClient client = LockClient.create(mapped)) {
            assertThat(mapped.capabilities()).doesNotContain(Capability.LIST);
            assertThatThrownBy(() -> client.inspector().list("", 10))
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("RedisBackendBuilder.keys");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void api_aMissingRightToScanIsRefusedInTheWordsOfTheServer(boolean suppliedClient) {
        changeRights("-scan");
        String uri = "redis://" + name + ":secret@" + SERVER.address();
        try (RedisClient supplied = RedisClient.create(uri);
                LockClient client =
                        LockClient.create(suppliedClient ? RedisBackend.of(supplied) : RedisBackend.connect(uri))) {
            assertThatThrownBy(() -> client.inspector().list("", 10))
                    .isInstanceOf(LockException.class)
                    .hasMessageContaining("NOPERM")
                    .hasMessageContaining("scan");
        }
    }

    @Test
    @Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    @ResourceLock("starts servers and processes")
    void api_manyNamesComeInPagesAndEachRequestLooksAtSome() throws Exception {
        try (RedisServer server = RedisServer.start();
                RedisClient fresh = RedisClient.create(server.uri());
                LockClient client = LockClient.create(RedisBackend.connect(server.uri()));
                RedisBackend backend = started(RedisBackend.connect(server.uri()))) {
            addLocks(fresh, "many/", MANY);
            addLocks(fresh, "other/", MANY);

            LockNames first = backend.list("many/", Optional.empty(), TestContender.deadline());
            assertThat(first.next()).isPresent();
            assertThat(first.names().size()).isLessThan(MANY / 2);
            LockInspector inspector = client.inspector();
            assertThat(inspector.list("many/", 100_000)).containsExactlyInAnyOrder(names("many/", MANY));
            assertThat(inspector.list("many/", 7)).hasSize(7).doesNotHaveDuplicates();

            // 20,000 keys, twice.
            fresh.executeCommand(
                    new CommandObject<>(new CommandArguments(Command.CONFIG).add("RESETSTAT"), BuilderFactory.STRING));
            var unused = inspector.list("none/", 10);
            assertThat(fresh.info("commandstats")).containsPattern("cmdstat_scan:calls=\\d{2,},");
        }
    }

    @Test
    @Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    @ResourceLock("starts servers and processes")
    void api_theNamesOfAllNodesOfAClusterAreListed() throws Exception {
        try (RedisCluster cluster = RedisCluster.start(3, 0, Duration.ofHours(1));
                RedisClusterClient supplied =
                        RedisClusterClient.create(new HostAndPort(cluster.host(), cluster.port()));
                RedisBackend own = started(RedisBackend.connect(cluster.uri()));
                RedisBackend overClient = started(RedisBackend.of(supplied))) {
            addLocks(supplied, "spread/", 100);
            TestContender.waiting(own, "waited", LEASE).acquire();
            TestContender.waiting(own, "waited", LEASE).findBusy();
            supplied.del("distlock:waited");

            for (RedisBackend backend : List.of(own, overClient)) {
                assertThat(listed(backend, "spread/")).containsExactlyInAnyOrder(names("spread/", 100));
                assertThat(listed(backend, "waited")).containsExactly("waited");
            }

            // A node that has gone since the page before: the scan goes on with the next one.
            List<String> addresses = cluster.members().stream()
                    .map(RedisServer::address)
                    .sorted()
                    .toList();
            String gone = "HELD 17 " + addresses.get(0) + "0";
            LockNames rest = own.list("spread/", Optional.of(gone), TestContender.deadline());
            assertThat(rest.names())
                    .containsExactlyInAnyOrderElementsOf(Stream.of(names("spread/", 100))
                            .filter(each -> !cluster.primaryOf("distlock:" + each)
                                    .address()
                                    .equals(addresses.get(0)))
                            .toList());
        }
    }
}

package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.UnifiedJedis;

class RedisBackendBuilderTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "localhost:6379", "http://localhost", "redis://", "redis:///0", "not a uri"})
    void api_anInvalidRedisUriIsRefused(String uri) {
        assertThatThrownBy(() -> RedisBackend.connect(uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("uri must be redis://host:port");
    }

    @Test
    void api_messagesDoNotContainPasswords() {
        assertThatThrownBy(() -> RedisBackend.connect("http://user:secret@localhost"))
                .hasMessageNotContaining("secret");
    }

    @Test
    void api_nullIsRefusedWithTheNameOfItsParameter() {
        assertThatThrownBy(() -> RedisBackend.connect(null)).hasMessage("uri");
        assertThatThrownBy(() -> RedisBackend.of((UnifiedJedis) null)).hasMessage("client");
        RedisBackendBuilder builder = RedisBackend.builder("redis://localhost");
        assertThatThrownBy(() -> builder.keyPrefix(null)).hasMessage("prefix");
        assertThatThrownBy(() -> builder.keys(null)).hasMessage("keyOfName");
        assertThatThrownBy(() -> builder.clientConfig(null)).hasMessage("config");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "redis://user:secret@local host",
                "redis://:secret@one,two:6379",
                "redis://:secret@one:6379,two:6379",
                "redis://user:se#cret@host",
                "redis://user:12?secret=1@host",
                "redis://user:12/secret@host",
                "redis://user:secret%zz@host",
                "redis://user:secret@host:port",
                "redis://user:secret@host:0",
                "redis://user:secret@host:70000",
                "redis://user:secret@host/db",
                "redis://user:secret@host/-1",
                "redis://user:secret@host?password",
                "redis://user:secret@host#fragment",
                "redis://secret@host",
                "redis://@host",
                "secret@host"
            })
    void api_anErrorNeverContainsThePassword(String uri) {
        assertThatThrownBy(() -> RedisBackend.connect(uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("uri must be redis://host:port")
                .hasNoCause()
                .hasMessageNotContaining("secret");
    }

    @ParameterizedTest
    @ValueSource(strings = {"redis://h?db=3", "redis://h:1/?db=3", "redis://h/2?db=x"})
    void api_aParameterIsRefusedWithItsName(String uri) {
        assertThatThrownBy(() -> RedisBackend.connect(uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("without the parameter db");
    }

    @ParameterizedTest
    @CsvSource({
        "redis://host/one, what follows the / must be the number of a database",
        "redis-sentinel://host/main?database=one, database must be a number",
        "redis+unix:///s?database=one, database must be a number"
    })
    void api_aDatabaseIsANumber(String uri, String words) {
        assertThatThrownBy(() -> RedisBackend.connect(uri)).hasMessageContaining(words);
    }

    @ParameterizedTest
    @ValueSource(strings = {"redis://one:6379,two:6379", "redis://,two:6379"})
    void api_severalHostsAreRefusedWithTheAlternative(String uri) {
        assertThatThrownBy(() -> RedisBackend.connect(uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("one host")
                .hasMessageContaining("redis-sentinel://")
                .hasMessageContaining("redis-cluster://");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "redis-sentinel://one,two:7,[::1]:8/main false one:26379;two:7;::1:8 main -1",
                "rediss-sentinel://me:a%40b@one/a%2Fb?database=3 true one:26379 a/b 3",
                "REDIS-SENTINEL://one/main?sentinelPassword=a%26b&database=0&sentinelUser=x false one:26379 main 0"
            })
    void api_anAddressOfSentinelsNamesThePrimary(
            String uri, boolean tls, String sentinels, String primary, int database) {
        RedisAddress address = new RedisAddress(uri);

        assertThat(address.kind).isEqualTo(RedisAddress.Kind.SENTINEL);
        assertThat(address.servers.stream().map(HostAndPort::toString).collect(Collectors.joining(";")))
                .isEqualTo(sentinels);
        assertThat(address.tls).isEqualTo(tls);
        assertThat(address.primary).isEqualTo(primary);
        assertThat(address.database).isEqualTo(database);
    }

    @Test
    void api_anAddressOfSentinelsHasTwoKindsOfCredentials() {
        RedisAddress address =
                new RedisAddress("redis-sentinel://me:a%40b@one/main?sentinelPassword=c%26d&sentinelUser=watcher");

        assertThat(List.of(address.user, address.password)).containsExactly("me", "a@b");
        assertThat(List.of(address.sentinelUser, address.sentinelPassword)).containsExactly("watcher", "c&d");
    }

    @ParameterizedTest
    @CsvSource({
        "redis-cluster://one:7, false, one:7, -1",
        "rediss-cluster://me:mine@one:7;two/, true, one:7;two:6379, -1",
        "redis-cluster://one/0, false, one:6379, 0"
    })
    void api_anAddressOfAClusterHasNodes(String uri, boolean tls, String nodes, int database) {
        RedisAddress address = new RedisAddress(uri.replace(';', ','));

        assertThat(address.kind).isEqualTo(RedisAddress.Kind.CLUSTER);
        assertThat(address.servers.stream().map(HostAndPort::toString).collect(Collectors.joining(";")))
                .isEqualTo(nodes);
        assertThat(address.tls).isEqualTo(tls);
        assertThat(address.database).isEqualTo(database);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "redis-sentinel://user:secret@host",
                "redis-sentinel://user:secret@host/",
                "redis-sentinel://user:secret@host/main/secret",
                "redis-sentinel://user:secret@host//secret",
                "redis-sentinel://user:secret@host/@secret",
                "redis-sentinel://user:secret@host/secret%zz",
                "redis-sentinel://user:secret@host,/main",
                "redis-sentinel://user:se#cret@host/main",
                "redis-sentinel://user:12?secret=1@host/main",
                "redis-sentinel://host/main?database=secret",
                "redis-sentinel://host/main?database=1&database=secret",
                "redis-sentinel://host/main?sentinelPassword=secret%zz",
                "redis-sentinel://host/main?sentinelPassword=secret&secret",
                "redis-sentinel://host/main?sentinelUser=secret",
                "redis-sentinel://user:12/secret@host:26379"
            })
    void api_anErrorOfAnAddressOfSentinelsNeverContainsThePassword(String uri) {
        assertThatThrownBy(() -> RedisBackend.connect(uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("uri must be redis-sentinel://host:port,host:port/primary, ")
                .hasNoCause()
                .hasMessageNotContaining("secret");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "redis-cluster://user:secret@host/1",
                "redis-cluster://user:secret@host/secret",
                "redis-cluster://user:secret@host,host:0",
                "redis-cluster://user:secret@",
                "redis-cluster://host?password=secret"
            })
    void api_anErrorOfAnAddressOfAClusterNeverContainsThePassword(String uri) {
        assertThatThrownBy(() -> RedisBackend.connect(uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("uri must be redis-cluster://host:port,host:port, ")
                .hasNoCause()
                .hasMessageNotContaining("secret");
    }

    @ParameterizedTest
    @CsvSource({
        "redis+unix:///run/redis.sock, /run/redis.sock, , , -1",
        "REDIS+UNIX:///a%20b/c%23?database=3, /a b/c#, , , 3",
        "redis+unix://me:a%2Fb@/s, /s, me, a/b, -1",
        "redis+unix://:mine@/s?database=0, /s, , mine, 0"
    })
    void api_anAddressOfAUnixSocketHasAPath(String uri, String path, String user, String password, int database) {
        RedisAddress address = new RedisAddress(uri);

        assertThat(address.kind).isEqualTo(RedisAddress.Kind.UNIX_SOCKET);
        assertThat(address.servers).containsExactly(new SocketFile(path));
        assertThat(address).hasToString("unix:" + path);
        assertThat(address.user).isEqualTo(user);
        assertThat(address.password).isEqualTo(password);
        assertThat(address.database).isEqualTo(database);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "redis+unix://",
                "redis+unix://user:secret@",
                "redis+unix://user:secret@/",
                "redis+unix://user:secret@/run/",
                "redis+unix://user:secret@host/run/redis.sock",
                "redis+unix://user:12/secret@/run/redis.sock",
                "redis+unix:///user:secret@/run/redis.sock",
                "redis+unix:///@/secret",
                "redis+unix://user:secret@/%00",
                "redis+unix://user:secret@/%zz",
                "redis+unix://user:secret@/run/redis.sock?password=secret",
                "redis+unix://user:secret@/run/redis.sock?database=secret",
                "redis+unix://user:secret@/run/redis.sock?database=-1",
                "rediss+unix://user:secret@/run/redis.sock"
            })
    void api_anErrorOfAnAddressOfAUnixSocketNeverContainsThePassword(String uri) {
        assertThatThrownBy(() -> RedisBackend.connect(uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("uri must be redis+unix:///path, ")
                .hasNoCause()
                .hasMessageNotContaining("secret");
    }

    @Test
    void api_aPathThatNoSystemHasRoomForIsRefused() {
        assertThat(new RedisAddress("redis+unix:///" + "x".repeat(107)).servers).hasSize(1);
        assertThatThrownBy(() -> RedisBackend.connect("redis+unix:///" + "x".repeat(108)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at most 108 bytes");
    }

    @Test
    void api_anUnknownParameterOfSentinelsIsRefusedWithThoseThatThereAre() {
        assertThatThrownBy(() -> RedisBackend.connect("redis-sentinel://host/main?db=3"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("without the parameter db; there are database, sentinelPassword, sentinelUser");
    }

    @Test
    void api_aClusterHasNoDatabase() {
        RedisBackendBuilder builder = RedisBackend.builder("redis-cluster://one")
                .clientConfig(DefaultJedisClientConfig.builder().database(3).build());
        assertThatThrownBy(builder::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("clientConfig must not have a database for a cluster, but has 3");
    }

    @Test
    void api_sentinelConfigNeedsSentinels() {
        DefaultJedisClientConfig config = DefaultJedisClientConfig.builder().build();
        for (String uri : List.of("redis://one", "redis-cluster://one")) {
            RedisBackendBuilder builder = RedisBackend.builder(uri);
            assertThatThrownBy(() -> builder.sentinelConfig(config))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("sentinelConfig");
            assertThatThrownBy(() -> builder.sentinelConfig(null)).hasMessage("config");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "redis://redis_1, redis_1, 6379, false, , , -1",
        "redis://redis_1.my_net:7, redis_1.my_net, 7, false, , , -1",
        "redis://[::1]:1, ::1, 1, false, , , -1",
        "redis://[::1]:65535, ::1, 65535, false, , , -1",
        "rediss://[fe80::1%eth0]:7/, fe80::1%eth0, 7, true, , , -1",
        "REDISS://10.0.0.1:7/12, 10.0.0.1, 7, true, , , 12",
        "redis://:a@b:c@h/0, h, 6379, false, , a@b:c, 0",
        "redis://me:a%2Fb+c%25@h, h, 6379, false, me, a/b+c%, -1"
    })
    void api_anAddressHasAHostAndMayHaveOtherParts(
            String uri, String host, int port, boolean tls, String user, String password, int database) {
        RedisAddress address = new RedisAddress(uri);

        assertThat(address.kind).isEqualTo(RedisAddress.Kind.SERVER);
        assertThat(address.servers).containsExactly(new HostAndPort(host, port));
        assertThat(address.tls).isEqualTo(tls);
        assertThat(address.user).isEqualTo(user);
        assertThat(address.password).isEqualTo(password);
        assertThat(address.database).isEqualTo(database);
    }

    @ParameterizedTest
    @CsvSource({
        "redis://me:secret@one/3, redis://one:6379",
        "rediss://one:7, rediss://one:7",
        "redis-sentinel://me:secret@one;two:7/main?database=3, redis-sentinel://one:26379;two:7/main",
        "rediss-cluster://one;two:7, rediss-cluster://one:6379;two:7"
    })
    void api_anAddressIsShownWithoutCredentials(String uri, String shown) {
        assertThat(new RedisAddress(uri.replace(';', ','))).hasToString(shown.replace(';', ','));
    }

    @Test
    void api_aPrefixThatCannotShareASlotWithItsKeysIsRefused() {
        for (String prefix : List.of("a{b", "a}b", "{}", "tab\t")) {
            assertThatThrownBy(() -> RedisBackend.builder("redis://localhost").keyPrefix(prefix))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("prefix");
        }
        RedisBackendBuilder mapped =
                RedisBackend.builder("redis://localhost").keyPrefix("{app}:").keys(name -> name);
        assertThatThrownBy(mapped::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("keyPrefix");
    }

    @Test
    void api_maxConnectionsMustBePositive() {
        assertThatThrownBy(() -> RedisBackend.builder("redis://localhost").maxConnections(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("most must be at least 1, but was 0");
    }

    @Test
    void api_theHandoffsThatYieldAndTheirTimeAreBounded() {
        RedisBackendBuilder builder = RedisBackend.builder("redis://localhost");
        Duration time = Duration.ofMillis(150);

        for (int handoffs : List.of(-1, 0, 1_000_001)) {
            assertThatThrownBy(() -> builder.yieldToForeignClients(handoffs, time))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("handoffs must be from 1 to 1000000, but was " + handoffs);
        }
        for (Duration wrong : List.of(
                Duration.ZERO, Duration.ofNanos(999_999), Duration.ofSeconds(1).plusNanos(1))) {
            assertThatThrownBy(() -> builder.yieldToForeignClients(1, wrong))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("time must be from 1 ms to 1 s, but was " + wrong);
        }
        assertThat(builder.yieldToForeignClients(1, Duration.ofMillis(1))
                        .yieldToForeignClients(1_000_000, Duration.ofSeconds(1)))
                .isSameAs(builder);
    }

    @Test
    void api_theTimeOfTokensIsBounded() {
        RedisBackendBuilder builder = RedisBackend.builder("redis://localhost");

        for (Duration time : List.of(
                Duration.ZERO, Duration.ofMillis(999), Duration.ofDays(365).plusNanos(1))) {
            assertThatThrownBy(() -> builder.keepTokensFor(time))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("time must be from 1 s to 365 days, but was " + time);
        }
        assertThat(builder.keepTokensFor(Duration.ofSeconds(1)).keepTokensFor(Duration.ofDays(365)))
                .isSameAs(builder);
    }
}

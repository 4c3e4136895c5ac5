package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
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

    @Test
    void api_severalHostsAreRefusedWithTheAlternative() {
        assertThatThrownBy(() -> RedisBackend.connect("redis://one:6379,two:6379"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("one host")
                .hasMessageContaining("RedisBackend.of(client)");
    }

    @ParameterizedTest
    @CsvSource({
        "redis://redis_1, redis_1, 6379, false, , , -1",
        "redis://redis_1.my_net:7, redis_1.my_net, 7, false, , , -1",
        "redis://[::1], ::1, 6379, false, , , -1",
        "rediss://[fe80::1%eth0]:7/, fe80::1%eth0, 7, true, , , -1",
        "REDISS://10.0.0.1:7/12, 10.0.0.1, 7, true, , , 12",
        "redis://:a@b:c@h/0, h, 6379, false, , a@b:c, 0",
        "redis://me:a%2Fb+c%25@h, h, 6379, false, me, a/b+c%, -1"
    })
    void api_anAddressHasAHostAndMayHaveOtherParts(
            String uri, String host, int port, boolean tls, String user, String password, int database) {
        RedisAddress address = new RedisAddress(uri);

        assertThat(address.server).isEqualTo(new HostAndPort(host, port));
        assertThat(address.tls).isEqualTo(tls);
        assertThat(address.user).isEqualTo(user);
        assertThat(address.password).isEqualTo(password);
        assertThat(address.database).isEqualTo(database);
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

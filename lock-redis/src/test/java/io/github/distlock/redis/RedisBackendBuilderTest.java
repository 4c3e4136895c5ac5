package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
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

    @Test
    void api_anErrorNeverContainsThePassword() {
        assertThatThrownBy(() -> RedisBackend.connect("redis://user:secret@local host"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasNoCause()
                .hasMessageNotContaining("secret");
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
}

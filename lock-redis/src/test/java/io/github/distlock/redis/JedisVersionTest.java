package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JedisVersionTest {
    @Test
    void api_theVersionOnTheClassPathIsSupported() {
        assertThatCode(JedisVersion::require).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(strings = {"7.4.0", "7.5.1", "7.10.0", "8.0.2", "8.1.0-beta1", "10.0.0"})
    void api_newVersionsAreSupported(String version) {
        assertThat(JedisVersion.isEnough(version)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"7.3.9", "6.4.0", "5.2.0", "3.8.0", "", "unknown"})
    void api_oldVersionsAreNotSupported(String version) {
        assertThat(JedisVersion.isEnough(version)).isFalse();
    }
}

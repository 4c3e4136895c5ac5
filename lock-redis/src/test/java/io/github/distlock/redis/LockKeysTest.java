package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.spi.RequestRefusedException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.util.JedisClusterCRC16;

class LockKeysTest {
    private static LockKeys keys(String lockKey) {
        return LockKeys.of("the name", name -> lockKey, "distlock:");
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "distlock:orders/42", "a{b", "{app}:x", "x{tag}y", "ü€😀"})
    void allKeysOfALockAreInOneSlot(String lockKey) {
        assertThat(keys(lockKey).withRequested().stream().map(JedisClusterCRC16::getSlot))
                .containsOnly(JedisClusterCRC16.getSlot(lockKey.getBytes(UTF_8)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "{app}:x"})
    void allKeysOfALockDifferAndHelperKeysHaveThePrefix(String lockKey) {
        List<String> keys = keys(lockKey).withRequested().stream()
                .map(key -> new String(key, UTF_8))
                .toList();

        assertThat(keys).doesNotHaveDuplicates().startsWith(lockKey);
        assertThat(keys.subList(1, 6)).allMatch(key -> key.startsWith("distlock:"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a}b", "}x", "{}x", ""})
    void s5_aKeyWhoseSlotOtherKeysCannotShareIsRefused(String lockKey) {
        assertThatThrownBy(() -> keys(lockKey))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("the name");
    }

    @ParameterizedTest
    @CsvSource({"orders/42, orders/42", "a b, a%20b", "a%20b, a%2520b", "{x}, %7bx%7d", "ü, ü"})
    void namesAreEncoded(String name, String encoded) {
        assertThat(LockKeys.encode(name)).isEqualTo(encoded);
    }

    @Test
    void s5_namesThatDifferOnlyInTheirEncodingHaveDistinctKeys() {
        assertThat(Stream.of("a/b", "a%2fb", "a%252fb", "a\nb", "a%0ab", "{a", "%7ba")
                        .map(LockKeys::encode))
                .doesNotHaveDuplicates();
    }

    @Test
    void s5_namesThatShareAnEntryHaveKeysOfTheirOwn() {
        KnownKeys known = new KnownKeys(name -> LockKeys.of(name, each -> each, "distlock:"));
        String one = "Aa";
        String other = "BB";

        assertThat(one).hasSameHashCodeAs(other);
        assertThat(Stream.of(one, other, one).map(known::of))
                .extracting(Object::toString)
                .containsExactly(one, other, one);
    }
}

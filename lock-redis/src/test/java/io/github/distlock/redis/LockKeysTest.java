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

    // Names from keys

    @ParameterizedTest
    @CsvSource({
        "distlock:, '', distlock:[^{]*",
        "distlock:, or, distlock:or*",
        "{a}?[:, x*\\{, {a}\\?\\[:x\\*\\\\%7b*",
    })
    void api_aPatternFindsTheLockKeysOfNamesThatBeginWithAText(String prefix, String begin, String pattern) {
        assertThat(LockKeys.lockPattern(prefix, begin)).isEqualTo(pattern);
    }

    @ParameterizedTest
    @CsvSource({
        "distlock:, '', distlock:{distlock:*}:alive",
        "distlock:, o*, distlock:{distlock:o\\**}:alive",
        "{app}:, or, {app}:{app}:or*{alive}",
    })
    void api_aPatternFindsTheSignsOfLifeOfNamesThatBeginWithAText(String prefix, String begin, String pattern) {
        assertThat(LockKeys.alivePattern(prefix, begin)).isEqualTo(pattern);
    }

    @ParameterizedTest
    @CsvSource({
        "distlock:or%20d, or d",
        "distlock:%7bx%7d$, {x}$",
        "distlock:or d,",
        "distlock:%41,",
        "distlock:,",
        "distlock,",
        "other:order,",
        "distlock:{distlock:order}:token,",
    })
    void api_onlyALockKeyHasAName(String key, String name) {
        assertThat(LockKeys.nameOfLockKey(key, "distlock:")).isEqualTo(name);
    }

    @ParameterizedTest
    @CsvSource({
        "distlock:, distlock:{distlock:or%20d}:alive, or d",
        "distlock:, distlock:{distlock:order}:queue,",
        "distlock:, other:{distlock:order}:alive,",
        "distlock:, distlock:{order}:alive,",
        "distlock:, distlock:{distlock:}:alive,",
        "distlock:, distlock:{}:alive,",
        "distlock:, }:alive,",
        "{app}:, {app}:{app}:order{alive}, order",
        "{app}{, {app}{alive},",
    })
    void api_onlyAKeyWithSignsOfLifeHasAName(String prefix, String key, String name) {
        assertThat(LockKeys.nameOfAliveKey(key, prefix)).isEqualTo(name);
    }

    // Selections

    @Test
    void v1_aScriptNamesTheKeysThatItNeeds() {
        LockKeys keys = keys("key");

        assertThat(names(keys.all())).containsExactly("key", "token", "queue", "alive");
        assertThat(names(keys.withHolders())).containsExactly("key", "token", "queue", "alive", "holders");
        assertThat(names(keys.withRequested()))
                .containsExactly("key", "token", "queue", "alive", "holders", "requested");
        assertThat(names(keys.withSince())).containsExactly("key", "token", "queue", "alive", "since");
        assertThat(names(keys.requestedAlone())).containsExactly("requested");
        assertThat(names(keys.lockAndHolders())).containsExactly("key", "holders");
        assertThat(names(keys.lockHoldersAndToken())).containsExactly("key", "holders", "token");
        assertThat(names(keys.lockAlone())).containsExactly("key");
        assertThat(names(keys.aliveAlone())).containsExactly("alive");
        assertThat(names(keys.lockAndToken())).containsExactly("key", "token");
    }

    private static List<String> names(List<byte[]> keys) {
        return keys.stream()
                .map(key -> new String(key, UTF_8))
                .map(key -> key.substring(key.indexOf("}:") < 0 ? 0 : key.indexOf("}:") + 2))
                .toList();
    }
}

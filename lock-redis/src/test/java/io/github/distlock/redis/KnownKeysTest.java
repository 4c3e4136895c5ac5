package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class KnownKeysTest {
    private final List<String> encoded = new ArrayList<>();
    private final KnownKeys known = new KnownKeys(name -> {
        encoded.add(name);
        return LockKeys.of(name, same -> same, "distlock:");
    });

    @Test
    void theKeysOfANameAreEncodedOnce() {
        LockKeys first = known.of("a");

        assertThat(first.name).isEqualTo("a");
        assertThat(known.of("a")).isSameAs(first);
        assertThat(known.of("b").name).isEqualTo("b");
        assertThat(known.of("a")).isSameAs(first);
        assertThat(encoded).containsExactly("a", "b");
    }

    /** These two names have the same hash code. */
    @Test
    void s1_twoNamesOfOneEntryGetTheirOwnKeys() {
        assertThat(known.of("Aa").name).isEqualTo("Aa");
        assertThat(known.of("BB").name).isEqualTo("BB");
        assertThat(known.of("Aa").name).isEqualTo("Aa");
    }
}

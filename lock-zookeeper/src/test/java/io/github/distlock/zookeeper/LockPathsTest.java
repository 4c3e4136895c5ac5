package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.zookeeper.common.PathUtils;
import org.junit.jupiter.api.Test;

class LockPathsTest {
    private static final List<String> NAMES = List.of(
            "plain",
            "orders/42",
            "orders%2F42",
            "orders%252F42",
            "/",
            "//",
            ".",
            "..",
            "...",
            "a/./b",
            "zookeeper",
            "%7Aookeeper",
            " ",
            "with space",
            "tab\tnewline\n",
            "\u0000",
            "\u007f\u0085",
            "ümläut",
            "日本語",
            "\ud83d\udd12",
            "\ufffd",
            "_c_x-lock-0000000000",
            "x".repeat(1024));

    @Test
    void api_everyNameIsOnePathElement() {
        for (String name : NAMES) {
            String path = new LockPaths.Below("/base").apply(name);
            assertThat(path).startsWith("/base/").matches("/base/[^/]+");
            PathUtils.validatePath(path);
            PathUtils.validatePath(new LockPaths.Below("/").apply(name));
        }
    }

    @Test
    void api_distinctNamesHaveDistinctPaths() {
        Set<String> paths = new HashSet<>();
        NAMES.forEach(name -> paths.add(LockPaths.encode(name)));
        assertThat(paths).hasSameSizeAs(NAMES);
    }

    @Test
    void api_aPathContainsItsEncodedName() {
        for (String name : NAMES) {
            String encoded = LockPaths.encode(name).replace("+", "%2B");
            assertThat(URLDecoder.decode(encoded, StandardCharsets.UTF_8)).isEqualTo(name);
        }
    }

    @Test
    void api_aPathElementLeadsBackToItsNameAlone() {
        for (String name : NAMES) {
            assertThat(LockPaths.decode(LockPaths.encode(name))).hasValue(name);
        }
        for (String foreign : List.of("", "%", "%4", "%2f", "%41", "%ZZ", "a b", "ü", "%FF")) {
            assertThat(LockPaths.decode(foreign)).isEmpty();
        }
    }

    @Test
    void api_reservedElementsAreEncoded() {
        assertThat(LockPaths.encode(".")).isEqualTo("%2E");
        assertThat(LockPaths.encode("..")).isEqualTo("%2E%2E");
        assertThat(LockPaths.encode("zookeeper")).isEqualTo("%7Aookeeper");
        assertThat(LockPaths.encode("a.b")).isEqualTo("a.b");
    }

    @Test
    void api_aMappingMustReturnAValidPath() {
        assertThat(LockPaths.requirePath("/a/b", "name")).isEqualTo("/a/b");
        for (String bad : List.of("", "relative", "/", "/ends/", "/a//b", "/a/../b", "/nul\u0000")) {
            assertThatThrownBy(() -> LockPaths.requirePath(bad, "name"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("lock \"name\"");
        }
    }

    @Test
    void api_pathsHaveParents() {
        assertThat(LockPaths.parent("/a/b")).isEqualTo("/a");
        assertThat(LockPaths.parent("/a")).isEqualTo("/");
        assertThat(LockPaths.element("/a/b")).isEqualTo("b");
    }

    @Test
    void api_lettersAndDigitsAreKeptAndTheirNeighborsAreEncoded() {
        assertThat(LockPaths.encode("-azAZ09#")).isEqualTo("-azAZ09#");
        assertThat(LockPaths.encode("`\"^\\?<")).isEqualTo("%60%22%5E%5C%3F%3C");
    }

    @Test
    void api_thePathOfAMappingIsUsed() {
        assertThat(LockPaths.map("name", name -> "/a/" + name)).isEqualTo("/a/name");
        assertThatThrownBy(() -> LockPaths.requirePath(null, "name"))
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("the path of lock \"name\"");
    }
}

package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Rules for the text of the scripts. Proxies in front of Redis check some of them, such as those of Alibaba Cloud. */
class ScriptTextTest {
    private static final Pattern CALL = Pattern.compile("redis\\.p?call\\([^)]*");
    private static final Pattern LITERAL_KEY = Pattern.compile("redis\\.p?call\\('[A-Z]+', KEYS\\[[1-4]](, .*)?");
    private static final Pattern WITHOUT_KEY = Pattern.compile("redis\\.p?call\\('(TIME'|PUBLISH', channel, .*)");
    private static final Pattern CONSTANT = Pattern.compile("(?m)^local ([A-Z_]+) = ([^ \n]+)");

    static Stream<Script> scripts() {
        return Script.ALL.stream();
    }

    private static String text(Script script) {
        return text(script, Publisher.SCRIPT);
    }

    private static String text(Script script, Publisher publisher) {
        return new String(script.text(publisher).source, UTF_8);
    }

    @ParameterizedTest
    @MethodSource("scripts")
    void eachCallNamesItsKeyAsALiteral(Script script) {
        assertThat(CALL.matcher(text(script)).results().map(call -> call.group()))
                .isNotEmpty()
                .allMatch(call -> LITERAL_KEY.matcher(call).matches()
                        || WITHOUT_KEY.matcher(call).matches());
    }

    @ParameterizedTest
    @MethodSource("scripts")
    void eachIncludedFileIsThere(Script script) {
        assertThat(text(script)).doesNotContain("--#");
    }

    @ParameterizedTest
    @MethodSource("scripts")
    void scriptsDoNotPublishIfTheClientDoes(Script script) {
        assertThat(text(script, Publisher.CLIENT)).doesNotContain("PUBLISH").doesNotContain("--#");
    }

    @Test
    void constantsOfOneNameHaveOneValue() {
        Map<String, Set<String>> valuesByName = scripts()
                .flatMap(script -> CONSTANT.matcher(text(script)).results())
                .collect(groupingBy(found -> found.group(1), mapping(found -> found.group(2), toSet())));

        assertThat(valuesByName)
                .isNotEmpty()
                .allSatisfy((name, values) -> assertThat(values).hasSize(1));
    }
}

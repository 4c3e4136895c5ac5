package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Field;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Rules for the text of the scripts. Proxies in front of Redis check some of them, such as those of Alibaba Cloud. */
class ScriptTextTest {
    private static final Pattern CALL = Pattern.compile("redis\\.p?call\\([^)]*");
    private static final Pattern LITERAL_KEY = Pattern.compile("redis\\.p?call\\('[A-Z]+', KEYS\\[\\d+](, .*)?");
    private static final Pattern WITHOUT_KEY =
            Pattern.compile("redis\\.p?call\\('(TIME'|INFO', 'server'|PUBLISH', channel, .*)");
    /** The command of an application, which no script can name. */
    private static final Pattern FENCED = Pattern.compile("redis\\.pcall\\(ARGV\\[3], KEYS\\[2], .*");

    /** Returns all constants of {@link Script}. */
    static Stream<Script> scripts() {
        return Stream.of(Script.class.getDeclaredFields())
                .filter(field -> field.getType() == Script.class)
                .map(ScriptTextTest::valueOf);
    }

    private static Script valueOf(Field constant) {
        try {
            return (Script) constant.get(null);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String text(Script script) {
        return text(script, Publisher.SCRIPT);
    }

    private static String text(Script script, Publisher publisher) {
        return new String(script.text(new Script.Settings(publisher, 3_600_000)).source, UTF_8);
    }

    @ParameterizedTest
    @MethodSource("scripts")
    void eachCallNamesItsKeyAsALiteral(Script script) {
        assertThat(CALL.matcher(text(script)).results().map(call -> call.group()))
                .isNotEmpty()
                .allMatch(call -> LITERAL_KEY.matcher(call).matches()
                        || WITHOUT_KEY.matcher(call).matches()
                        || (script == Script.FENCE && FENCED.matcher(call).matches()));
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
}

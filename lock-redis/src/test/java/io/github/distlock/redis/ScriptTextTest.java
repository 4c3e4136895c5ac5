package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Field;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
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

    @Test
    void settingsAreAPartOfTheText() {
        assertThat(text(Script.ACQUIRE)).contains("local TOKEN_KEPT = 3600000");

        Script.Text known = Script.ACQUIRE.text(new Script.Settings(Publisher.CLIENT, 7));

        assertThat(new String(known.source, UTF_8)).contains("local TOKEN_KEPT = 7");
        assertThat(Script.ACQUIRE.text(new Script.Settings(Publisher.CLIENT, 7)))
                .isSameAs(known);
        assertThat(text(Script.ACQUIRE)).contains("local TOKEN_KEPT = 3600000");
    }

    @Test
    void aScriptIsCalledWithTheKeysThatItReads() {
        LockKeys keys = LockKeys.of("name", name -> name, "distlock:");

        assertThat(Script.ACQUIRE.keysOf(keys)).isEqualTo(keys.all());
        assertThat(Script.ACQUIRE_SHARED.keysOf(keys)).isEqualTo(keys.withHolders());
    }

    @Test
    void scriptsOfHoldsHaveAVariantForTheKeysOfAHold() {
        assertThat(scripts().filter(script -> script.alone() != null))
                .containsExactlyInAnyOrder(
                        Script.ACQUIRE,
                        Script.RELEASE,
                        Script.WITHDRAW,
                        Script.KEEP,
                        Script.RENEW,
                        Script.RENEW_SHARED);
        assertThat(Script.ACQUIRE.alone()).isSameAs(Script.ACQUIRE_ALONE);
        assertThat(Script.RELEASE.alone()).isSameAs(Script.END_ALONE);
        assertThat(Script.WITHDRAW.alone()).isSameAs(Script.END_ALONE);
        assertThat(Script.KEEP.alone()).isSameAs(Script.KEEP_ALONE);
        assertThat(Script.RENEW.alone()).isSameAs(Script.RENEW);
        assertThat(Script.RENEW_SHARED.alone()).isSameAs(Script.RENEW_SHARED);
        assertThat(Script.RENEW_SHARED.keysAlone()).isEqualTo(2);
        assertThat(Script.RENEW.keysAlone()).isEqualTo(1);
    }

    @Test
    void scriptsThatMayGrantAreKnownByTheirAnswers() {
        assertThat(scripts().filter(Script::mayGrant))
                .containsExactlyInAnyOrder(
                        Script.ACQUIRE_FREE,
                        Script.NEXT_BASE,
                        Script.ACQUIRE,
                        Script.ACQUIRE_ALONE,
                        Script.ACQUIRE_SHARED);
        assertThat(Script.ACQUIRE_FREE.grants(List.of(0L))).isTrue();
        assertThat(Script.NEXT_BASE.grants(List.of())).isFalse();
        assertThat(Script.ACQUIRE.grants(List.of(1L, 8L))).isTrue();
        assertThat(Script.ACQUIRE_SHARED.grants(List.of(0L, 8L))).isFalse();
    }

    @ParameterizedTest
    @MethodSource("scripts")
    void aScriptHasTheNameOfItsFile(Script script) {
        assertThat(Script.class.getResource(script + ".lua")).isNotNull();
    }

    /** The tests do not run with the mutations by default. */
    @Test
    void eachMutationFitsItsScript() {
        assertThat(ScriptMutations.mutations())
                .isNotEmpty()
                .allSatisfy(mutation -> assertThat(mutation.applied()).isNotBlank());
    }
}

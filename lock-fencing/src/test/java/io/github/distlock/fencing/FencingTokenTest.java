package io.github.distlock.fencing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokens as text. */
@Isolated("sets the default locale")
class FencingTokenTest {

    @Test
    void api_textsSortAsTheirTokensDo() {
        List<String> texts = LongStream.of(1, 9, 10, 99, 1L << 53, (1L << 53) + 1, Long.MAX_VALUE)
                .mapToObj(FencingToken::toText)
                .toList();

        assertThat(texts).isSorted().doesNotHaveDuplicates().allMatch(text -> text.matches("[0-9]{19}"));
    }

    /** A format would write the digits of some languages. */
    @Test
    void api_textsHaveTheDigitsOfAsciiInEachLanguage() {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
        try {
            assertThat(FencingToken.toText(42)).isEqualTo("0000000000000000042");
        } finally {
            Locale.setDefault(before);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 42, (1L << 53) + 1, Long.MAX_VALUE})
    void api_aTextIsParsedWithAndWithoutLeadingZeros(long token) {
        assertThat(FencingToken.parse(FencingToken.toText(token))).isEqualTo(token);
        assertThat(FencingToken.parse(Long.toString(token))).isEqualTo(token);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                " 42",
                "42 ",
                "42\n",
                "+42",
                "-42",
                "0",
                "0000000000000000000",
                "00000000000000000042",
                "9223372036854775808",
                "9999999999999999999",
                "18446744073709551617",
                "4.2",
                "4e2",
                "0x42",
                "4_2",
                "٤٢",
                "４２",
                "42, 43"
            })
    void api_aTextOfAnotherFormIsRejected(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FencingToken.parse(text))
                .withMessageStartingWith("text must be a number from 1 to 9223372036854775807 in 1 to 19 digits");
    }

    @Test
    void api_anErrorQuotesAtMost40Characters() {
        String most = "x".repeat(40);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> FencingToken.parse(most))
                .withMessageEndingWith("but was \"" + most + "\"");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FencingToken.parse(most + "x"))
                .withMessageEndingWith("but was \"" + most + "\"…");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FencingToken.parse("x".repeat(1_000_000)))
                .withMessageEndingWith("but was \"" + most + "\"…");
    }

    @Test
    void api_anErrorBeginsNoNewLineOfALog() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FencingToken.parse("4\r\n2\u001b[0m\u2028é"))
                .withMessageEndingWith("but was \"4??2?[0m??\"");
    }

    @Test
    void api_aNullTextIsNamed() {
        assertThatNullPointerException()
                .isThrownBy(() -> FencingToken.parse(null))
                .withMessage("text");
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void api_onlyPositiveTokensHaveATextForm(long token) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FencingToken.toText(token))
                .withMessage("token must be positive, but was " + token);
    }

    /** Programs in other languages write these names down. */
    @Test
    void api_theHeadersHaveTheirNames() {
        assertThat(FencingToken.HTTP_HEADER).isEqualTo("Fencing-Token");
        assertThat(FencingToken.MESSAGE_HEADER).isEqualTo("fencing-token");
    }
}

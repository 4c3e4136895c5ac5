package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which values the replies of a server have, and which replies are unexpected. */
class RepliesTest {
    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static void expectUnexpected(ThrowingCallable read) {
        assertThatThrownBy(read).hasMessageStartingWith("unexpected reply from the server: ");
    }

    @Test
    void api_aNumberMayBeAText() {
        assertThat(Replies.number(7L)).isEqualTo(7);
        assertThat(Replies.number(bytes("7"))).isEqualTo(7);

        expectUnexpected(() -> Replies.number(List.of()));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 65_535})
    void api_aPortIsANumberThatPortsMayHave(long port) {
        assertThat(Replies.port(port)).isEqualTo((int) port);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 65_536})
    void api_noPortHasAnotherNumber(long port) {
        expectUnexpected(() -> Replies.port(port));
    }

    @Test
    void api_textsAndListsAreNothingElse() {
        assertThat(Replies.text(bytes("text"))).isEqualTo("text");
        assertThat(Replies.list(List.of(7L))).isEqualTo(List.of(7L));

        expectUnexpected(() -> Replies.text(7L));
        expectUnexpected(() -> Replies.list(null));
    }

    @Test
    void api_aSettingHasAValueInBothProtocols() {
        byte[] name = bytes("maxmemory");

        assertThat(Replies.setting(List.of(name, bytes("7")))).isEqualTo("7");
        assertThat(Replies.setting(List.of(Map.entry(name, bytes("7"))))).isEqualTo("7");
        assertThat(Replies.setting(List.of())).isEmpty();
        assertThat(Replies.setting(List.of(name))).isEmpty();
    }
}

package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.redis.connection.ErrorReply;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the client concludes from the words of an error. {@link JedisCallsTest} tests which ones refuse. */
class ErrorReplyTest {
    private static ErrorReply error(String words) {
        return new ErrorReply(words, new IllegalStateException());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "NOPERM this user has no permissions; true",
                "NOPERM; true",
                "ERR Error running script (call to f_1): @user_script:3: NOPERM this user; true",
                "ERR Error running script (call to f_1): @user_script:3: -NOPERM this user; true",
                "ERR NOPERM this user; false",
                "NOAUTH Authentication required.; false"
            })
    void s5_aMissingRightIsRecognized(String words, boolean isMissing) {
        assertThat(ErrorReply.isMissingRight(words)).isEqualTo(isMissing);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "ERR The user executing the script can't run this command or subcommand script: f_1; true",
                "ERR ACL failure in script: User x has no permissions to run the 'set' command; true",
                "NOPERM this user has no permissions; false"
            })
    void s5_aRightThatIsMissingInAScriptIsRecognized(String words, boolean isMissing) {
        assertThat(ErrorReply.isMissingRightInScript(words)).isEqualTo(isMissing);
    }

    @ParameterizedTest
    @CsvSource({
        "READONLY replica, true",
        "LOADING data, true",
        "MASTERDOWN link, true",
        "CLUSTERDOWN hash slot, true",
        "OOM memory, false",
        "ERR READONLY, false"
    })
    void v8_aServerThatCannotKeepLocksIsRecognized(String words, boolean isOther) {
        assertThat(ErrorReply.isOfAnotherServer(words)).isEqualTo(isOther);
    }

    @ParameterizedTest
    @CsvSource({"MOVED 3999 host:7, true", "ASK 3999 host:7, true", "MOVE 3999, false", "ERR ASK, false"})
    void v8_aRedirectionIsRecognized(String words, boolean isRedirection) {
        assertThat(ErrorReply.isRedirection(words)).isEqualTo(isRedirection);
    }

    @ParameterizedTest
    @ValueSource(strings = {"TRYAGAIN multiple keys", "NOSCRIPT no matching script", "ERR TRYAGAIN NOSCRIPT"})
    void f1_onlyErrorsOfServersSayThatNothingWasExecuted(String words) {
        assertThat(ErrorReply.isOfMigratingSlot(error(words))).isEqualTo(words.startsWith("TRYAGAIN"));
        assertThat(ErrorReply.isOfMissingScript(error(words))).isEqualTo(words.startsWith("NOSCRIPT"));

        assertThat(ErrorReply.isOfMigratingSlot(new IllegalStateException(words)))
                .isFalse();
        assertThat(ErrorReply.isOfMissingScript(words)).isFalse();
    }
}

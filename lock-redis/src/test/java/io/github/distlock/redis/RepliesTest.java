package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.RequestRefusedException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

class RepliesTest {
    private static final String BEFORE_REDIS_7 = "ERR Error running script (call to f_1): @user_script:39: -";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "NOPERM this user has no permissions to run the 'get' command",
                "NOAUTH Authentication required.",
                "WRONGPASS",
                "WRONGTYPE Operation against a key holding the wrong kind of value",
                BEFORE_REDIS_7 + "WRONGTYPE Operation against a key holding the wrong kind of value",
                "ERR Error running script (call to f_ab12): @user_script:84: WRONGTYPE Operation against a key",
                "ERR The user executing the script can't run this command or subcommand",
                "ERR unknown command `EVALSHA`",
                "ERR invalid password",
                "ERR DB index is out of range",
                "ERR AUTH <password> called without any password configured"
            })
    void api_aRefusalFailsAtOnceWithTheServersWords(String words) {
        JedisException error = new JedisDataException(words);

        assertThat(Replies.translated(error, "job"))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessage("Redis refuses lock \"job\": " + words)
                .hasCause(error);
    }

    @Test
    void api_aServerThatIsTooOldIsRefusedWithTheVersionThatIsNeeded() {
        JedisException error = new JedisDataException("ERR syntax error");

        assertThat(Replies.translated(error, "job"))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessage("Redis refuses lock \"job\": ERR syntax error; Redis 6.2 or newer is needed");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "OOM command not allowed when used memory > 'maxmemory'.",
                BEFORE_REDIS_7 + "OOM command not allowed",
                "BUSY Redis is busy running a script.",
                "LOADING Redis is loading the dataset in memory",
                "ERR something: -WRONGTYPE that no script has raised"
            })
    void v8_anErrorThatMayPassIsNoRefusal(String words) {
        JedisException error = new JedisDataException(words);

        assertThat(Replies.translated(error, "job")).isSameAs(error);
    }

    @Test
    void v8_aBrokenConnectionIsNoRefusal() {
        JedisException error = new JedisConnectionException("NOAUTH, which no server has said");

        assertThat(Replies.translated(error, "job")).isSameAs(error);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "READONLY You can't write against a read only replica.",
                BEFORE_REDIS_7 + "READONLY You can't write against a read only replica.",
                "LOADING",
                "MASTERDOWN Link with MASTER is down",
                "CLUSTERDOWN The cluster is down"
            })
    void v2_anotherServerMayBeBehindTheSameAddress(String words) {
        assertThat(Replies.isOfAnotherServer(new JedisDataException(words))).isTrue();
        assertThat(Replies.isOfAnotherServer(new JedisConnectionException(words)))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"OOM command not allowed", "", "ERR READONLY is not the code"})
    void v2_otherErrorsComeFromTheSameServer(String words) {
        assertThat(Replies.isOfAnotherServer(new JedisDataException(words))).isFalse();
    }
}

package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.RequestRefusedException;
import java.io.EOFException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.security.cert.CertificateException;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisMovedDataException;

class JedisCallsTest {
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
                "ERR ACL failure in script: User locks has no permissions to run the 'append' command",
                "ERR unknown command `EVALSHA`",
                "CROSSSLOT Keys in request don't hash to the same slot",
                "DENIED Redis is running in protected mode",
                "ERR invalid password",
                "ERR DB index is out of range",
                "ERR AUTH <password> called without any password configured"
            })
    void api_aRefusalFailsAtOnceWithTheServersWords(String words) {
        JedisException error = new JedisDataException(words);

        assertThat(JedisCalls.translated(error, "job"))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessage("Redis refuses lock \"job\": " + words)
                .hasCause(error);
    }

    @Test
    void api_aServerThatIsTooOldIsRefusedWithTheVersionThatIsNeeded() {
        JedisException error = new JedisDataException("ERR syntax error");

        assertThat(JedisCalls.translated(error, "job"))
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

        assertThat(JedisCalls.translated(error, "job"))
                .isInstanceOf(ErrorReply.class)
                .hasMessage(words)
                .hasCause(error);
    }

    @Test
    void api_aRedirectionIsARefusalThatNamesTheUriForClusters() {
        JedisException error = new JedisMovedDataException("MOVED 1 h:7", new HostAndPort("h", 7), 1);

        assertThat(JedisCalls.translated(error, "job"))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("MOVED 1 h:7")
                .hasMessageContaining("redis-cluster://host:port");
    }

    @Test
    void api_aBadCertificateIsARefusalWithTheWordsOfTls() {
        SSLException handshake = new SSLHandshakeException("(certificate_unknown) PKIX path building failed");
        handshake.initCause(new CertificateException("unable to find a valid path"));
        JedisException error = new JedisConnectionException("cannot connect", handshake);

        assertThat(JedisCalls.translated(error, "job"))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("unable to find a valid path");
    }

    @Test
    void v8_aConnectionThatBreaksDuringTheHandshakeIsNoRefusal() {
        SSLException handshake = new SSLHandshakeException("Remote host terminated the handshake");
        handshake.initCause(new EOFException("SSL peer shut down incorrectly"));
        JedisException error = new JedisConnectionException("cannot connect", handshake);

        assertThat(JedisCalls.translated(error, "job"))
                .isNotInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("SSL peer shut down incorrectly");
    }

    @Test
    void api_anErrorCarriesTheWordsOfItsFirstCause() {
        JedisException error = new JedisException(
                "Could not get a resource from the pool", new JedisDataException("ERR max number of clients reached"));

        assertThat(JedisCalls.translated(error, "job"))
                .hasMessage("Could not get a resource from the pool: ERR max number of clients reached")
                .hasCause(error);
    }

    @Test
    void v8_silenceAndAFailureToConnectBreakNoConnection() {
        assertThat(JedisCalls.isBrokenConnection(new JedisConnectionException("Unexpected end of stream.")))
                .isTrue();
        assertThat(JedisCalls.isBrokenConnection(new JedisConnectionException(new SocketException("Connection reset"))))
                .isTrue();
        assertThat(JedisCalls.isBrokenConnection(
                        new JedisConnectionException(new SocketTimeoutException("Read timed out"))))
                .isFalse();
        assertThat(JedisCalls.isBrokenConnection(new JedisConnectionException("Failed to connect to h:7.")))
                .isFalse();
        assertThat(JedisCalls.isBrokenConnection(new JedisDataException("OOM"))).isFalse();
    }

    @Test
    void v8_aBrokenConnectionIsNoRefusal() {
        JedisException error = new JedisConnectionException("NOAUTH, which no server has said");

        assertThat(JedisCalls.translated(error, "job")).isSameAs(error);
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
        assertThat(JedisCalls.isOfAnotherServer(new JedisDataException(words))).isTrue();
        assertThat(JedisCalls.isOfAnotherServer(new JedisConnectionException(words)))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"OOM command not allowed", "", "ERR READONLY is not the code"})
    void v2_otherErrorsComeFromTheSameServer(String words) {
        assertThat(JedisCalls.isOfAnotherServer(new JedisDataException(words))).isFalse();
    }

    @Test
    void api_onlyAnErrorThatNamesPermissionsIsAMissingRight() {
        assertThat(JedisCalls.isMissingRight(
                        new JedisDataException("NOPERM this user has no permissions to run the 'scan' command")))
                .isTrue();
        assertThat(JedisCalls.isMissingRight(new JedisDataException("ERR unknown command `SCAN`")))
                .isFalse();
    }
}

package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.redis.ScriptCall.Notice;
import io.github.distlock.redis.connection.ErrorReply;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a request makes of a reply, and what is sent in its place. */
class ScriptCallTest {
    private static final ErrorReply MIGRATES = new ErrorReply("TRYAGAIN slot", new IllegalStateException());
    private static final LockKeys KEYS = LockKeys.of("name", name -> "distlock:" + name, "distlock:");

    private final ScriptCall call = new ScriptCall(Script.RELEASE, KEYS, "value", 1);

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private List<?> reply(Object... parts) {
        List<Object> reply = new ArrayList<>();
        reply.add(call.arguments().get(0));
        reply.addAll(List.of(parts));
        return reply;
    }

    private static List<?> notice(String channel, String message) {
        return List.of(bytes(channel), bytes(message));
    }

    // Replies

    @Test
    void s5_anAnswerRepeatsTheNumberOfItsRequest() {
        ScriptCall other = new ScriptCall(Script.RELEASE, KEYS, "value", 1);

        assertThat(call.answer(reply(1L, 8L))).isEqualTo(List.of(1L, 8L));
        assertThat(call.answer(call.arguments().get(0))).isEqualTo(List.of());

        assertThat(other.answer(reply(1L, 8L))).isNull();
        assertThat(call.answer(List.of())).isNull();
        assertThat(call.answer(List.of(1L))).isNull();
        assertThat(call.answer(null)).isNull();
    }

    @Test
    void v2_messagesFollowTheAnswer() {
        List<?> answer = call.answer(reply(1L, notice("one", "granted a 8"), notice("two", "near b")));

        assertThat(answer).isEqualTo(List.of(1L));
        assertThat(call.notices()).containsExactly(new Notice("one", "granted a 8"), new Notice("two", "near b"));
        assertThat(call.isUnfinished()).isFalse();
    }

    @Test
    void v3_aMessageWithoutAChannelSaysThatTheScriptHasStopped() {
        List<?> answer = call.answer(reply(notice("one", "granted a 8"), notice("", "")));

        assertThat(answer).isEqualTo(List.of());
        assertThat(call.notices()).containsExactly(new Notice("one", "granted a 8"));
        assertThat(call.isUnfinished()).isTrue();
    }

    // What is sent

    @Test
    void api_argumentsFollowTheNumberOfTheRequest() {
        ScriptCall mixed = new ScriptCall(Script.RELEASE, KEYS, bytes("a"), "b", 3L);

        assertThat(mixed.arguments().stream().skip(1).map(each -> new String(each, UTF_8)))
                .containsExactly("a", "b", "3");
        assertThat(mixed.arguments().get(0)).isNotEqualTo(call.arguments().get(0));
        assertThat(mixed.lockName()).isEqualTo("name");
        assertThat(mixed.lockKey()).isEqualTo(bytes("distlock:name"));
        assertThat(mixed.keys()).hasSize(4);
    }

    @Test
    void s7_aRequestThatIsSentAgainSaysThatACopyWasSentBefore() {
        ScriptCall first = new ScriptCall(Script.ACQUIRE_SHARED, KEYS, new ScriptCall.SentBefore(false));
        ScriptCall second = new ScriptCall(Script.ACQUIRE_SHARED, KEYS, new ScriptCall.SentBefore(true));
        assertThat(first.arguments().get(1)).isEqualTo(bytes("0"));
        assertThat(second.arguments().get(1)).isEqualTo(bytes("1"));

        first.noteSentAgain();

        assertThat(first.arguments().get(1)).isEqualTo(bytes("1"));
        assertThat(first.wasSentAgain()).isTrue();
    }

    @Test
    void s7_aRequestWasSentOnceThatIsNoted() {
        assertThat(call.wasSent()).isFalse();

        call.noteSent();

        assertThat(call.wasSent()).isTrue();
        assertThat(call.wasSentAgain()).isFalse();
    }

    @Test
    void s5_onlyAForcedReleaseIsNotRepeated() {
        assertThat(call.isRepeatable()).isTrue();
        assertThat(new ScriptCall(Script.FORCE_RELEASE, KEYS, "").isRepeatable())
                .isFalse();
    }

    // While a cluster migrates the slot

    @Test
    void f1_aRequestThatTheMigrationRefusesIsSentForTheLockKeyAlone() {
        ScriptCall alone = call.alone(MIGRATES);

        assertThat(alone.script()).isSameAs(Script.END_ALONE);
        assertThat(alone.keys()).containsExactly(KEYS.lock());
        assertThat(alone.lockName()).isEqualTo("name");
        assertThat(alone.arguments().subList(1, 3)).containsExactly(bytes("value"), bytes("1"));
        assertThat(call.wasSentAlone()).isTrue();
    }

    @Test
    void f1_theHoldOfAReaderIsRenewedWithTwoKeys() {
        ScriptCall renewal = new ScriptCall(Script.RENEW_SHARED, "name", KEYS.lockHoldersAndToken(), "record");

        assertThat(renewal.alone(MIGRATES).keys()).isEqualTo(KEYS.lockAndHolders());
        assertThat(new ScriptCall(Script.RENEW_SHARED, "name", KEYS.lockAndHolders(), "record").alone(MIGRATES))
                .isNull();
    }

    @Test
    void f1_otherErrorsAndOtherScriptsAreNotSentAlone() {
        assertThat(call.alone(new ErrorReply("OOM memory", new IllegalStateException())))
                .isNull();
        assertThat(new ScriptCall(Script.RENEW, "name", KEYS.lockAlone(), "value").alone(MIGRATES))
                .isNull();
        assertThat(new ScriptCall(Script.INSPECT, KEYS, "").alone(MIGRATES)).isNull();
        assertThat(call.wasSentAlone()).isFalse();
    }

    @Test
    void s7_aCopyOfTheRequestThatIsSentAloneIsACopyOfBoth() {
        ScriptCall alone = call.alone(MIGRATES);
        assertThat(call.wasSentAgain()).isFalse();

        alone.noteSentAgain();

        assertThat(call.wasSentAgain()).isTrue();
    }
}

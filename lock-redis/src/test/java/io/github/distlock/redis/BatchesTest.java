package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.Grant;
import io.github.distlock.tests.waiting.Waiting;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which requests the renewals, releases and heartbeats of many locks take. The test chooses the server's answers. */
class BatchesTest extends ScriptedTest {
    private static final ErrorReply REFUSED = new ErrorReply("ERR script", new IllegalStateException());

    /** Returns the answer to a script for many locks: a digit for each of them. */
    private static List<?> digits(String digits) {
        return List.of(digits.getBytes(UTF_8));
    }

    private List<Grant> acquire(int number) throws InterruptedException {
        List<Grant> grants = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            answer(Script.ACQUIRE_FREE, List.of(5L + i));
            grants.add(TestContender.waiting(backend, "name" + i, LEASE).acquire());
        }
        return grants;
    }

    private void renewTwice() throws InterruptedException {
        List<Grant> grants = acquire(2);
        var unused = TestContender.renewAll(backend, grants, LEASE);
        var unusedToo = TestContender.renewAll(backend, grants, LEASE);
    }

    @Test
    void v8_aServerThatRefusesAScriptForManyLocksGetsItOnce() throws InterruptedException {
        answer(Script.RENEW_MANY, REFUSED);
        answer(Script.RENEW, List.of(1L));

        renewTwice();

        assertThat(requests(Script.RENEW_MANY)).isEqualTo(1);
        assertThat(requests(Script.RENEW)).isEqualTo(4);
    }

    @Test
    void v8_aServerThatRefusesEverythingGetsTheScriptForManyLocksAgain() throws InterruptedException {
        answer(Script.RENEW_MANY, REFUSED);
        answer(Script.RENEW, REFUSED);

        renewTwice();

        assertThat(requests(Script.RENEW_MANY)).isEqualTo(2);
    }

    @Test
    void v8_aServerThatCannotKeepLocksAtPresentGetsTheScriptForManyLocksAgain() throws InterruptedException {
        answer(Script.RENEW_MANY, new ErrorReply("READONLY replica", new IllegalStateException()));
        answer(Script.RENEW, List.of(1L));

        renewTwice();

        assertThat(requests(Script.RENEW_MANY)).isEqualTo(2);
    }

    @Test
    void v8_aServerThatHasNotRenewedOneLockGetsTheScriptForManyLocksAgain() throws InterruptedException {
        answer(Script.RENEW_MANY, digits("10"));
        answer(Script.RENEW, List.of(1L));

        renewTwice();

        assertThat(requests(Script.RENEW_MANY)).isEqualTo(2);
        assertThat(requests(Script.RENEW)).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "64, 1", "65, 2", "128, 2", "129, 3"})
    void v1_oneHeartbeatKeepsUpTo64EntriesOfAName(int waiters, int heartbeats) throws InterruptedException {
        answer(Script.ACQUIRE_FREE, List.of());
        answer(Script.ACQUIRE, List.of(0L, LEASE.toMillis(), 5L));
        List<TestContender> all = new ArrayList<>();
        for (int i = 0; i < waiters; i++) {
            all.add(TestContender.waiting(backend, "name", LEASE));
            all.get(i).findBusy();
        }
        answer(Script.HEARTBEAT, replyToHeartbeat(64));

        TestContender.heartbeat(backend, all);

        assertThat(requests(Script.HEARTBEAT)).isEqualTo(heartbeats);
    }

    /** Returns the marker, and an interval of a second for each entry. */
    private static List<?> replyToHeartbeat(int entries) {
        return Collections.nCopies(1 + entries, 1_000L);
    }

    @Test
    void v2_aReleaseOfSeveralLocksNotifiesTheWaiterThatItServes() throws InterruptedException {
        List<Grant> grants = acquire(2);
        answer(Script.RELEASE_MANY, digits("10"));
        answers.put(Script.RELEASE, BatchesTest::withMessage);

        var unused = backend.releaseAll(grants, TestContender.deadline());

        assertThat(redis.published).extracting(ScriptCall::lockName).containsExactly("name1");
    }

    /** Answers with a message to a waiter. */
    private static List<?> withMessage(ScriptCall call) {
        List<byte[]> message = List.of("channel".getBytes(UTF_8), "granted value 6".getBytes(UTF_8));
        return call.answer(List.of(call.arguments().get(0), message));
    }

    @Test
    void v1_theNextServerReleasesTheLocksOfABatchToo() throws InterruptedException {
        redis.followsFailovers = true;
        List<Grant> grants = acquire(2);
        answer(Script.RELEASE_MANY, digits("11"));
        answer(Script.WITHDRAW, List.of());
        var unused = backend.releaseAll(grants, TestContender.deadline());

        context.get().serverReplaced("server");

        Waiting.await("two withdrawals", PATIENCE, () -> requests(Script.WITHDRAW) == 2);
    }
}

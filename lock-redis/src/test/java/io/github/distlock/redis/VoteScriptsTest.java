package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What one server of a quorum replies to a ballot, and what it writes. */
class VoteScriptsTest extends ContenderTest {
    private static final Pattern RUN = Pattern.compile("run_id:(\\w+)");
    private static final long LONGEST = 300_000;
    private static final String OWNER = "host\t7\tclient\tthread";

    private final String since = "since-" + name;

    @BeforeEach
    void letVote() {
        admin.set(since, "1\t");
    }

    @AfterEach
    void removeSince() {
        admin.del(since);
    }

    private List<?> reply(Script script, List<String> keys, Object... arguments) throws InterruptedException {
        List<byte[]> encoded = keys.stream().map(key -> key.getBytes(UTF_8)).toList();
        List<?> reply = one.call(new ScriptCall(script, name, encoded, arguments), TestContender.deadline());
        return reply.stream()
                .map(part -> part instanceof byte[] text ? new String(text, UTF_8) : part)
                .toList();
    }

    private List<?> vote(String value, long floor, boolean restartsLoseData) throws InterruptedException {
        List<String> keys = List.of(lock, token, queue, alive, since);
        return reply(Script.VOTE, keys, value, OWNER, LEASE.toMillis(), floor, LONGEST, restartsLoseData ? 1 : 0);
    }

    private List<?> vote(String value) throws InterruptedException {
        return vote(value, 0, false);
    }

    private List<?> raise(String value, long base) throws InterruptedException {
        return reply(Script.RAISE, List.of(lock, token), value, OWNER, LEASE.toMillis(), base);
    }

    @CanIgnoreReturnValue
    private long baseOf(List<?> granted) {
        assertEquals(1L, granted.get(0), granted.toString());
        long now = Long.parseLong((String) granted.get(2));
        assertTrue(
                now <= serverMicros() && now > serverMicros() - PATIENCE.toNanos() / 1_000,
                () -> now + " is not the server's time");
        return Long.parseLong((String) granted.get(1));
    }

    private static String record(String value, long base) {
        return value + "\t1\tlock\t1\t" + base + "\t" + OWNER;
    }

    private String run() {
        Matcher run = RUN.matcher(admin.info("server"));
        assertTrue(run.find());
        return run.group(1);
    }

    /** For how long the server gives no vote, in ms. */
    private void expectNoVoteFor(long millis, List<?> reply) {
        assertEquals(-3L, reply.get(0), reply.toString());
        long wait = (Long) reply.get(1);
        assertTrue(wait > millis - PATIENCE.toMillis() && wait <= millis, "votes in " + wait + " ms");
        assertFalse(admin.exists(lock));
    }

    @Test
    void s1_aVoteIsARecordForTheLeaseAndMintsABase() throws InterruptedException {
        long before = serverMicros();

        long base = baseOf(vote("a"));

        assertTrue(base >= before && base <= serverMicros());
        assertEquals(record("a", base), admin.get(lock));
        expectTimeToLive(lock, LEASE.toMillis());
        assertEquals(base + "\n", admin.get(token), "an acquire has to look for tombstones");
        expectTimeToLive(token, LEASE.plus(TOKEN_KEPT).toMillis());
        assertEquals("1\t", admin.get(since));
    }

    @Test
    void s3_aBaseExceedsTheFloorAndTheLastOne() throws InterruptedException {
        long ahead = serverMicros() + 1_000_000_000;

        assertEquals(ahead + 1, baseOf(vote("a", ahead, false)));

        admin.del(lock);
        admin.set(token, ahead + 7 + "\n");
        assertEquals(ahead + 8, baseOf(vote("b", ahead, false)));
    }

    @Test
    void s1_aRepeatedRequestFindsItsVoteAndAnotherBallotFindsItBusy() throws InterruptedException {
        long base = baseOf(vote("a"));
        admin.pexpire(lock, 60_000);

        assertEquals(base, baseOf(vote("a")));
        assertEquals(List.of(0L), vote("b"));

        assertEquals(record("a", base), admin.get(lock));
        expectTimeToLive(lock, 60_000);
    }

    @Test
    void s1_theKeyOfAnotherProgramIsBusy() throws InterruptedException {
        admin.set(lock, "a foreign value");
        assertEquals(List.of(0L), vote("a"));

        admin.del(lock);
        admin.hset(lock, "field", "value");
        assertEquals(List.of(0L), vote("a"));
    }

    @Test
    void s7_aVoteThatArrivesAfterItsReleaseIsNotGranted() throws InterruptedException {
        admin.zadd(queue, TOMBSTONES + serverMicros() / 1e3, "void\ta");

        assertEquals(List.of(-1L), vote("a"));

        assertFalse(admin.exists(lock));
        baseOf(vote("b"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"read-write", "permits"})
    void s12_aNameOfAnotherKindIsRefused(String kind) throws InterruptedException {
        admin.set(token, "5\t" + kind);

        assertEquals(List.of(-2L, kind), vote("a"));

        assertFalse(admin.exists(lock));
    }

    @Test
    void s1_aServerWithoutTheKeyWritesItAndGivesNoVoteForTheLongestLease() throws InterruptedException {
        admin.del(since);
        long before = serverMicros();

        expectNoVoteFor(LONGEST, vote("a"));

        String[] written = admin.get(since).split("\t", -1);
        long at = Long.parseLong(written[0]);
        assertTrue(at >= before && at <= serverMicros());
        assertEquals("", written[1]);
        assertEquals(-1, admin.pttl(since), "it does not expire");
        expectNoVoteFor(LONGEST, vote("a"));
        assertEquals(at + "\t", admin.get(since), "the time counts from the first request");
    }

    @Test
    void s1_theTimeSinceTheLossCounts() throws InterruptedException {
        admin.set(since, serverMicros() - 100_000_000 + "\t");

        expectNoVoteFor(LONGEST - 100_000, vote("a"));

        admin.set(since, serverMicros() - LONGEST * 1_000 + "\t");
        baseOf(vote("a"));
    }

    @Test
    void s1_aServerWithoutAVoteSaysFirstThatTheLockIsBusyOrRefused() throws InterruptedException {
        admin.del(since);
        admin.set(token, "5\tpermits");
        assertEquals(List.of(-2L, "permits"), vote("a"));

        admin.set(lock, record("b", 5));
        assertEquals(List.of(0L), vote("a"));
        assertEquals(5, baseOf(vote("b")), "a vote that was given is not taken back");
        assertTrue(admin.exists(since), "each request begins the time");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "text", "1", "\t", "1\tnot hexadecimal"})
    void s1_aKeyThatIsUnknownCountsAsALoss(String value) throws InterruptedException {
        admin.set(since, value);

        expectNoVoteFor(LONGEST, vote("a"));
    }

    @Test
    void s1_aTimeThatIsAheadOfTheClockCountsAsALoss() throws InterruptedException {
        admin.set(since, serverMicros() + 3_600_000_000L + "\t");

        expectNoVoteFor(LONGEST, vote("a"));
    }

    @Test
    void s1_anotherRunCountsAsALossIfRestartsLoseData() throws InterruptedException {
        expectNoVoteFor(LONGEST, vote("a", 0, true));
        assertEquals(run(), admin.get(since).split("\t", -1)[1]);

        admin.set(since, "1\t" + run());
        baseOf(vote("a", 0, true));
        admin.del(lock);

        admin.set(since, "1\t0123456789abcdef");
        expectNoVoteFor(LONGEST, vote("a", 0, true));
    }

    @Test
    void s1_anotherRunIsNoLossIfRestartsAreTrusted() throws InterruptedException {
        admin.set(since, "1\t0123456789abcdef");

        baseOf(vote("a"));

        assertEquals("1\t0123456789abcdef", admin.get(since));
    }

    @Test
    void s3_theBaseOfAMajorityIsStoredBeyondTheLeaseAndTheVoteIsExtended() throws InterruptedException {
        long base = baseOf(vote("a"));
        admin.pexpire(lock, 5_000);

        assertEquals(List.of(1L), raise("a", base + 1));

        assertEquals(record("a", base + 1), admin.get(lock));
        expectTimeToLive(lock, LEASE.toMillis());
        assertTrue(admin.pttl(lock) > 5_000);
        assertEquals(base + 1 + "\n", admin.get(token));
        expectTimeToLive(token, LEASE.plus(TOKEN_KEPT).toMillis());
    }

    @Test
    void s3_theServerRemembersTheGreaterBaseUntilItsClockHasPassedIt() throws InterruptedException {
        long ahead = serverMicros() + 600_000_000;
        baseOf(vote("a"));

        assertEquals(List.of(1L), raise("a", ahead));
        assertEquals(record("a", ahead), admin.get(lock));
        assertEquals(ahead + "\n", admin.get(token));
        expectTimeToLive(token, LEASE.plus(TOKEN_KEPT).toMillis() + 600_000);
        assertTrue(admin.pttl(token) > LEASE.plus(TOKEN_KEPT).toMillis() + 600_000 - PATIENCE.toMillis());

        assertEquals(List.of(1L), raise("a", ahead - 5));
        assertEquals(record("a", ahead - 5), admin.get(lock));
        assertEquals(ahead + "\n", admin.get(token), "never a smaller one than before");
    }

    @Test
    void s1_aBallotWithoutTheVoteChangesNothing() throws InterruptedException {
        assertEquals(List.of(0L), raise("a", 5));
        assertFalse(admin.exists(lock));

        admin.set(lock, record("b", 5));
        assertEquals(List.of(0L), raise("a", 6));

        assertEquals(record("b", 5), admin.get(lock));
        assertNull(admin.get(token));
    }

    /** A slow server can get it after an extension of the hold that the other servers have granted. */
    @Test
    void s14_aRaiseThatArrivesLateShortensNothing() throws InterruptedException {
        long base = baseOf(vote("value"));
        long longer = LEASE.multipliedBy(10).toMillis();
        admin.pexpire(lock, longer);

        var unused = raise("value", base + 1);

        assertTrue(admin.pttl(lock) > longer - PATIENCE.toMillis(), () -> "the hold ends in " + admin.pttl(lock));
        assertTrue(admin.pttl(token) > longer - PATIENCE.toMillis(), () -> "the token ends in " + admin.pttl(token));
    }
}

package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.servers.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.RedisClient;

/** Renewals and releases of many holds of one server, which one script carries out. */
class ManyLocksTest extends ContenderTest {
    private final List<TestContender> contenders = new ArrayList<>();
    private final List<Grant> grants = new ArrayList<>();

    private void acquire(int number) throws InterruptedException {
        acquire(number, one, LockMode.EXCLUSIVE);
    }

    private void acquire(int number, RedisBackend backend, LockMode mode) throws InterruptedException {
        for (int i = 0; i < number; i++) {
            TestContender contender = TestContender.waiting(backend, name + grants.size(), mode, LEASE);
            contenders.add(contender);
            grants.add(contender.acquire());
        }
    }

    private String lock(int place) {
        return lock + place;
    }

    private List<String> locks() {
        return IntStream.range(0, grants.size()).mapToObj(this::lock).toList();
    }

    /** Lets all leases end soon. */
    private void shorten() {
        locks().forEach(key -> admin.pexpire(key, 15_000));
    }

    private boolean isExtended(int place) {
        return admin.pttl(lock(place)) > 16_000;
    }

    private Map<Grant, Grant.Release> release() throws InterruptedException {
        return one.releaseAll(grants, TestContender.deadline());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 511, 512, 513, 1_025})
    void v8_eachHoldOfABatchIsRenewed(int number) throws InterruptedException {
        acquire(number);
        shorten();

        List<Object> answers = TestContender.renewAll(one, grants, LEASE);

        assertTrue(answers.stream().allMatch(Validity.class::isInstance), answers.toString());
        assertTrue(IntStream.range(0, number).allMatch(this::isExtended));
    }

    @Test
    void s5_aBatchExtendsNothingButItsOwnHoldsAndHidesNoAnswer() throws InterruptedException {
        acquire(8);
        acquire(1, one, LockMode.WRITE);
        acquire(1, one, LockMode.READ);
        TestContender.waiting(other, name + 6, LEASE).findBusy();
        shorten();
        admin.del(lock(0), lock(2), lock(3));
        admin.set(lock(2), contenders.get(2).value() + "0\t1\tlock\t1\t5\towner");
        admin.pexpire(lock(2), 15_000);
        admin.hset(lock(3), "field", "value");
        admin.pexpire(lock(3), 15_000);
        admin.set(lock(4), "0" + contenders.get(4).value() + "\t1\tlock\t1\t5\towner");
        admin.pexpire(lock(4), 15_000);

        List<Object> answers = TestContender.renewAll(one, grants, LEASE);

        List<Integer> others = List.of(0, 2, 3, 4);
        for (int i = 0; i < grants.size(); i++) {
            assertEquals(others.contains(i), "gone".equals(answers.get(i)), i + ": " + answers.get(i));
            assertEquals(!others.contains(i), isExtended(i), i + " is extended");
        }
        assertFalse(admin.exists(lock(0)), "a renewal creates no hold");
        assertEquals(
                List.of(6),
                IntStream.range(0, grants.size())
                        .filter(i -> contenders.get(i).timesWanted.get() > 0)
                        .boxed()
                        .toList(),
                "the holder is notified that another client waits");
    }

    @Test
    void s14_aBatchThatArrivesLateShortensNoHold() throws InterruptedException {
        acquire(2);
        Duration longer = LEASE.multipliedBy(4);
        assertInstanceOf(
                Validity.class, TestContender.renewAll(one, grants, longer).get(1));

        assertInstanceOf(
                Validity.class, TestContender.renewAll(one, grants, LEASE).get(1));

        expectTimeToLive(lock(0), longer.toMillis());
        expectTimeToLive(lock(1), longer.toMillis());
    }

    @Test
    void s6_eachHoldHasItsOwnLease() throws InterruptedException {
        acquire(2);

        assertInstanceOf(
                Validity.class,
                TestContender.renewAll(one, grants, List.of(LEASE, LEASE.multipliedBy(2)))
                        .get(1));

        expectTimeToLive(lock(0), LEASE.toMillis());
        assertTrue(admin.pttl(lock(1)) > LEASE.toMillis());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @ResourceLock("starts servers and processes")
    void v8_manyHoldsTakeFewRequests(boolean suppliedClient) throws InterruptedException {
        try (RedisServer server = RedisServer.start();
                RedisClient client = RedisClient.create(server.uri());
                RedisBackend backend =
                        started(suppliedClient ? RedisBackend.of(client) : RedisBackend.connect(server.uri()))) {
            acquire(513, backend, LockMode.EXCLUSIVE);
            long before = scripts(client);

            var unused = TestContender.renewAll(backend, grants, LEASE);
            long renewed = scripts(client);
            var unusedToo = backend.releaseAll(grants, TestContender.deadline());

            // The server learns each script with further requests.
            assertTrue(renewed - before < 10, renewed - before + " requests to renew");
            assertTrue(scripts(client) - renewed < 10, scripts(client) - renewed + " requests to release");
        }
    }

    private static long scripts(RedisClient client) {
        return Pattern.compile("cmdstat_eval\\w*:calls=(\\d+)")
                .matcher(client.info("commandstats"))
                .results()
                .mapToLong(found -> Long.parseLong(found.group(1)))
                .sum();
    }

    @Test
    void s5_aKeyThatTheUserMayNotUseHidesNoOtherAnswer() throws InterruptedException {
        acquire(3, restricted, LockMode.EXCLUSIVE);
        shorten();
        changeRights("resetkeys", "~" + lock(0), "~" + lock(2));

        List<Object> answers = TestContender.renewAll(restricted, grants, LEASE);

        assertInstanceOf(Throwable.class, answers.get(1));
        assertInstanceOf(Validity.class, answers.get(0));
        assertInstanceOf(Validity.class, answers.get(2));
        assertEquals(List.of(true, false, true), List.of(isExtended(0), isExtended(1), isExtended(2)));
    }

    @Test
    void s3_tokensAreKeptAfterHalfOfTheirTime() throws InterruptedException {
        acquire(5);
        acquire(1, one, LockMode.WRITE);
        for (int i = 1; i < grants.size(); i++) {
            grants.set(i, contenders.get(i).asIfGrantedBefore(Duration.ofMinutes(31), grants.get(i), LEASE));
        }
        admin.del(token(2));
        long ahead = serverMicros() + Duration.ofHours(5).toMillis() * 1_000;
        admin.set(token(3), Long.toString(ahead));
        IntStream.range(0, grants.size()).forEach(i -> admin.pexpire(token(i), 60_000));

        List<Object> answers = TestContender.renewAll(one, grants, LEASE);

        assertTrue(answers.stream().allMatch(Validity.class::isInstance), answers.toString());
        expectTimeToLive(token(0), 60_000);
        Duration kept = LEASE.plus(TOKEN_KEPT);
        List.of(1, 2, 4, 5).forEach(i -> expectTimeToLive(token(i), kept.toMillis()));
        expectTimeToLive(token(3), kept.plusHours(5).toMillis());
        assertEquals(grants.get(2).fencingBase() + "\n", admin.get(token(2)), "the lost token is restored");
        IntStream.range(0, grants.size()).forEach(i -> admin.pexpire(token(i), 60_000));
        var unused = TestContender.renewAll(one, grants, LEASE);
        IntStream.range(0, grants.size()).forEach(i -> expectTimeToLive(token(i), 60_000));
    }

    private String token(int place) {
        return "distlock:{" + lock(place) + "}:token";
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 511, 512, 513, 1_025})
    void v5_eachHoldOfABatchIsReleased(int number) throws InterruptedException {
        acquire(number);

        Map<Grant, Grant.Release> found = release();

        assertEquals(number, found.size());
        assertTrue(found.values().stream().allMatch(Grant.Release.RELEASED::equals));
        assertEquals(0, locks().stream().filter(admin::exists).count());
    }

    @Test
    void v5_eachHoldOfABatchIsReleasedApart() throws InterruptedException {
        acquire(513, one, LockMode.READ);

        assertEquals(513, release().size());

        assertEquals(0, locks().stream().filter(admin::exists).count());
    }

    @Test
    void s3_aTokenIsKeptByTheNextRenewalIfOneFails() throws InterruptedException {
        acquire(1, restricted, LockMode.EXCLUSIVE);
        Grant held = contenders.get(0).asIfGrantedBefore(Duration.ofMinutes(31), grants.get(0), LEASE);
        admin.pexpire(token(0), 60_000);
        changeRights("resetkeys");
        assertInstanceOf(Throwable.class, contenders.get(0).renew(held, LEASE));
        changeRights("~*");

        assertInstanceOf(Validity.class, contenders.get(0).renew(held, LEASE));

        expectTimeToLive(token(0), LEASE.plus(TOKEN_KEPT).toMillis());
    }

    @Test
    void s5_aBatchReleasesNothingButItsOwnHoldsAndServesTheWaiters() throws InterruptedException {
        acquire(6);
        acquire(1, one, LockMode.WRITE);
        acquire(1, one, LockMode.READ);
        TestContender waiter = TestContender.waiting(other, name + 1, LEASE);
        waiter.findBusy();
        String foreign = contenders.get(2).value() + "0\t1\tlock\t1\t5\towner";
        admin.set(lock(2), foreign);
        admin.del(lock(3), lock(4));
        admin.hset(lock(4), "field", "value");

        Map<Grant, Grant.Release> found = release();

        for (int i = 0; i < grants.size(); i++) {
            boolean wasLost = i >= 2 && i <= 4;
            assertEquals(wasLost ? Grant.Release.GONE : Grant.Release.RELEASED, found.get(grants.get(i)), "hold " + i);
        }
        assertEquals(foreign, admin.get(lock(2)));
        assertTrue(admin.exists(lock(4)));
        assertTrue(admin.get(lock(1)).startsWith(waiter.value()), "the waiter is served");
        assertEquals(2 + 1, locks().stream().filter(admin::exists).count());
    }

    @Test
    void s5_aRepeatedBatchFindsItsHoldsReleased() throws InterruptedException {
        acquire(2);
        var unused = release();

        assertEquals(Map.of(grants.get(0), Grant.Release.RELEASED, grants.get(1), Grant.Release.RELEASED), release());
    }
}

package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.RequestedRelease;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.params.SetParams;

/** V12: what the server stores of a request for release, for which holds it is, and how long it stays. */
class ReleaseRequestTest extends SharedTest {
    private static final LockOwner REQUESTER = LockOwner.of("far away", 8, "other client", "main");

    private final String requested = "distlock:{" + lock + "}:requested";

    @CanIgnoreReturnValue
    private int ask() throws InterruptedException {
        return other.requestRelease(name, REQUESTER, TestContender.deadline());
    }

    /** Returns the last request for a hold of a backend, as its client reads it. */
    private static Optional<RequestedRelease> heard(RedisBackend by, Grant held) throws InterruptedException {
        return Optional.ofNullable(
                by.requestedReleases(List.of(held), TestContender.deadline()).get(held));
    }

    @Test
    void v12_aRequestIsStoredForAMinuteAndChangesNoHold() throws InterruptedException {
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        long before = System.nanoTime();

        assertEquals(1, ask());

        String stored = admin.get(requested);
        assertTrue(
                stored.matches("1\t" + held.fencingBase() + "\t\\d{16}\t\\S{22}\tfar away\t8\tother client\tmain"),
                stored);
        expectTimeToLive(requested, 60_000);
        expectHolderWithoutWaiters(holder);
        RequestedRelease request = heard(one, held).orElseThrow();
        assertEquals(REQUESTER, request.requester());
        // The server's clock counts whole microseconds.
        assertTrue(request.cameBy() - before > -1_000, "it came after this test had begun");
        assertTrue(System.nanoTime() - request.cameBy() >= 0, "it has come");
    }

    @Test
    void v12_aRequestIsTheSameEachTimeItIsRead() throws InterruptedException {
        Grant held = waiting(one).acquire();
        ask();
        RequestedRelease first = heard(one, held).orElseThrow();

        assertEquals(first, heard(one, held).orElseThrow());
        ask();

        assertFalse(heard(one, held).orElseThrow().id().equals(first.id()), "another request has another id");
    }

    @Test
    void v12_theServersClockSaysWhenARequestCame() throws InterruptedException {
        Grant held = waiting(one).acquire();
        ask();
        long earlier = serverMicros() - 10_000_000;
        String stored = admin.get(requested).replaceFirst("^(1\t\\d+\t)\\d+", "$1" + earlier);
        admin.set(requested, stored, SetParams.setParams().px(60_000));

        long cameBy = heard(one, held).orElseThrow().cameBy();

        long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - cameBy);
        assertTrue(seconds >= 10 && seconds <= 10 + PATIENCE.toSeconds(), seconds + " s ago");
    }

    @Test
    void v12_aRequestIsNotForLaterGrants() throws InterruptedException {
        Grant held = waiting(one).acquire();
        ask();
        release(held);

        Grant next = waiting(one).acquire();

        assertEquals(Optional.empty(), heard(one, next));
        assertEquals(1, ask());
        assertTrue(heard(one, next).isPresent());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v12_aRequestIsForAHoldThatHasOrGetsAnotherBase(boolean hasIt) throws InterruptedException {
        Grant held = waiting(one).acquire();
        if (hasIt) {
            assertTrue(held.nextBase(TestContender.deadline()).isPresent());
        }
        assertEquals(1, ask());
        if (!hasIt) {
            assertTrue(held.nextBase(TestContender.deadline()).isPresent());
        }

        assertTrue(heard(one, held).isPresent());
    }

    @Test
    void v12_aRequestIsForAllReadersAndNotForThoseThatFollow() throws InterruptedException {
        Grant first = reader(one).acquire();
        Grant second = reader(other).acquire();

        assertEquals(2, ask());

        Grant third = reader(one).acquire();
        assertTrue(heard(one, first).isPresent());
        assertTrue(heard(other, second).isPresent());
        assertEquals(Optional.empty(), heard(one, third));
    }

    @Test
    void v12_holdersOfPermitsCountWhileTheirLeasesLast() throws InterruptedException {
        permits(2, 3).acquire();
        TestContender expired = permits(1, 3);
        expired.acquire();
        expire(expired);

        assertEquals(1, ask());
    }

    @Test
    void v12_aReaderThatWasAWriterHasTheRequestOfTheWriter() throws InterruptedException {
        Grant writing = writer(one).acquire();
        ask();
        RequestedRelease request = heard(one, writing).orElseThrow();

        Grant reading = writing.downgrade(TestContender.deadline()).orElseThrow();

        assertEquals(request, heard(one, reading).orElseThrow(), "it came before the read hold began");
    }

    @Test
    void v12_aLockWithoutAHolderOfThisLibraryHasNoRequest() throws InterruptedException {
        assertEquals(0, ask());
        holdByForeignProgram(LEASE);
        assertEquals(0, ask());
        admin.set(
                lock,
                "kept\t1\tkept\t1\t5\thost\t7\tclient\tthread",
                SetParams.setParams().px(LEASE.toMillis()));
        assertEquals(0, ask());

        assertFalse(admin.exists(requested));
    }

    @Test
    void v12_aRequestOfAnotherFormatIsNotRead() throws InterruptedException {
        Grant held = waiting(one).acquire();
        ask();
        admin.set(
                requested,
                admin.get(requested).replaceFirst("1", "2"),
                SetParams.setParams().px(60_000));

        assertEquals(Optional.empty(), heard(one, held));
    }

    @Test
    void v12_eachOfManyHoldsGetsItsOwnAnswer() throws InterruptedException {
        List<Grant> held = new ArrayList<>();
        for (int i = 0; i <= RedisBackend.CHUNK; i++) {
            held.add(TestContender.waiting(one, name + "/" + i, LEASE).acquire());
        }
        Grant first = held.get(0);
        Grant last = held.get(RedisBackend.CHUNK);
        for (int i : List.of(0, RedisBackend.CHUNK)) {
            assertEquals(1, other.requestRelease(name + "/" + i, REQUESTER, TestContender.deadline()));
        }

        Map<Grant, RequestedRelease> found = one.requestedReleases(held, TestContender.deadline());

        assertEquals(List.of(true, true, 2), List.of(found.containsKey(first), found.containsKey(last), found.size()));
        for (Grant each : held) {
            release(each);
        }
    }

    @Test
    void v12_aRequestMayBeSentTwice() throws InterruptedException {
        Grant held = waiting(one).acquire();
        ScriptCall call = new ScriptCall(
                Script.REQUEST_RELEASE,
                name,
                other.keysOf(name).withRequested(),
                "the-id",
                WireFormat.owner(REQUESTER));
        for (int i = 0; i < 2; i++) {
            assertEquals(
                    1, Replies.number(other.call(call, TestContender.deadline()).get(0)));
        }

        assertEquals("the-id", heard(one, held).orElseThrow().id());
    }

    @Test
    void v12_theModeOfAHoldDoesNotMatter() throws InterruptedException {
        for (LockMode mode : List.of(LockMode.READ, LockMode.WRITE, LockMode.permits(1, 1))) {
            String another = name + "/" + mode;
            Grant held = TestContender.waiting(one, another, mode, LEASE).acquire();

            assertEquals(1, other.requestRelease(another, REQUESTER, TestContender.deadline()));

            assertTrue(heard(one, held).isPresent(), another);
            release(held);
        }
    }
}

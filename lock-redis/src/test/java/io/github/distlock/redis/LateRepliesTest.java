package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Grants that a failover has lost before another thread of the client was granted the lock by the new primary. A thread
 * takes its grant late, or has taken it before.
 */
class LateRepliesTest extends ContenderTest {
    private final RedisBackend client = started(new RedisBackend(
            context -> takingLate(
                    RedisBackend.builder(SERVER.uri()).keepTokensFor(TOKEN_KEPT).redis(context)),
            null,
            "distlock:",
            TOKEN_KEPT,
            false,
            new ForeignTurns(0, Duration.ZERO)));

    private LockMode mode = LockMode.EXCLUSIVE;
    /** The failover happens before a thread takes the next reply to this script. */
    private @Nullable Script late;

    /** What the new primary grants. */
    private LockMode newerMode = LockMode.EXCLUSIVE;
    /** Whether the new primary has the late grant, but not its token, once the newer hold has ended. */
    private boolean keepsRecord;
    /** Whether the newer hold has not ended when the late reply is taken. */
    private boolean isHeldMeanwhile;

    private TestContender another;
    private Grant newer;

    @BeforeEach
    void theServerKnowsTheName() throws InterruptedException {
        release(trying(other).acquire());
    }

    @AfterEach
    void closeClient() {
        client.close();
    }

    private Redis takingLate(Redis connected) {
        return (Redis) Proxy.newProxyInstance(
                Redis.class.getClassLoader(), new Class<?>[] {Redis.class}, (proxy, method, arguments) -> {
                    Object reply;
                    try {
                        reply = method.invoke(connected, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                    if (method.getName().equals("call") && ((ScriptCall) arguments[0]).script() == late) {
                        late = null;
                        failOver();
                    }
                    return reply;
                });
    }

    private void failOver() throws InterruptedException {
        String record = admin.get(lock);
        admin.del(lock, token, queue, alive, holders);
        another = TestContender.trying(client, name, newerMode, LEASE);
        newer = another.acquire();
        if (!isHeldMeanwhile) {
            release(newer);
        }
        if (keepsRecord) {
            admin.del(token);
            admin.set(lock, record);
            admin.pexpire(lock, LEASE.toMillis());
        }
    }

    private void expectGreaterBase(Script script) throws InterruptedException {
        late = script;
        Grant held = TestContender.waiting(client, name, mode, LEASE).acquire();

        assertNull(late, "the reply was late");
        assertTrue(held.fencingBase() > newer.fencingBase(), held.fencingBase() + " follows " + newer.fencingBase());
        assertEquals(held.fencingBase(), lastBase(), "the server knows the hold");
        release(held);
    }

    @Test
    void s3_aLateGrantOfAFreeLockIsNotTaken() throws InterruptedException {
        expectGreaterBase(Script.ACQUIRE_FREE);
    }

    @Test
    void s3_aLateGrantIsNotTaken() throws InterruptedException {
        admin.del(token);

        expectGreaterBase(Script.ACQUIRE);
    }

    @Test
    void s11_aLateGrantOfAWriterIsNotTaken() throws InterruptedException {
        expectGreaterBaseOfAWriter(LockMode.WRITE);
    }

    @Test
    void s11_aLateGrantOfAWriterIsNotTakenBelowAReader() throws InterruptedException {
        expectGreaterBaseOfAWriter(LockMode.READ);
    }

    private void expectGreaterBaseOfAWriter(LockMode grantedMeanwhile) throws InterruptedException {
        admin.del(token);
        mode = LockMode.WRITE;
        newerMode = grantedMeanwhile;

        expectGreaterBase(Script.ACQUIRE_SHARED);
    }

    @Test
    void s3_aLateGrantThatTheServerStillHasGetsAGreaterBase() throws InterruptedException {
        admin.del(token);
        keepsRecord = true;

        expectGreaterBase(Script.ACQUIRE);
    }

    @Test
    void s3_aLateGrantOfALockThatIsHeldMeanwhileBecomesAnEntry() throws InterruptedException {
        admin.del(token);
        isHeldMeanwhile = true;
        late = Script.ACQUIRE;
        TestContender waiter = TestContender.waiting(client, name, LEASE);

        waiter.findBusy();

        expectQueued(waiter);
        release(newer);
        assertTrue(waiter.acquire().fencingBase() > newer.fencingBase());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s7_aLateGrantOfASingleTryLeavesNothing(boolean free) throws InterruptedException {
        if (!free) {
            admin.del(token);
        }
        isHeldMeanwhile = true;
        late = free ? Script.ACQUIRE_FREE : Script.ACQUIRE;

        TestContender.trying(client, name, LEASE).findBusy();

        expectQueued();
        expectHolder(another);
        assertEquals(Grant.Release.RELEASED, newer.release(TestContender.deadline()));
    }

    @Test
    void s3_aLateOtherBaseIsNotTaken() throws InterruptedException {
        Grant held = TestContender.trying(client, name, LEASE).acquire();
        late = Script.NEXT_BASE;

        assertEquals(OptionalLong.empty(), held.nextBase(TestContender.deadline()));

        assertNull(late, "the reply was late");
    }

    static List<LockMode> modes() {
        return List.of(LockMode.EXCLUSIVE, LockMode.WRITE, LockMode.READ);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s6_aHoldBelowALaterGrantOfItsClientHasEnded(LockMode held) throws InterruptedException {
        admin.del(token);
        Grant earlier = TestContender.trying(client, name, held, LEASE).acquire();
        assertFalse(earlier.hasEnded());
        newerMode = held.equals(LockMode.READ) ? LockMode.WRITE : held;

        failOver();

        assertTrue(earlier.hasEnded());
        assertFalse(newer.hasEnded());
    }

    @Test
    void s6_aHoldBesideLaterOnesOfItsClientHasNotEnded() throws InterruptedException {
        Grant locked = trying(client).acquire();
        locked.nextBase(TestContender.deadline()).orElseThrow();
        assertFalse(locked.hasEnded(), "another base");
        release(locked);
        admin.del(token);
        Grant writer = TestContender.trying(client, name, LockMode.WRITE, LEASE).acquire();
        Grant reader = writer.downgrade(TestContender.deadline()).orElseThrow();

        Grant later = TestContender.trying(client, name, LockMode.READ, LEASE).acquire();

        assertFalse(reader.hasEnded());
        assertFalse(later.hasEnded());
    }

    @Test
    void s3_aLeaseIsNotHandedOnBelowALaterGrantOfItsClient() throws Exception {
        try (LockClient locks = LockClient.builder(RedisBackend.connect(SERVER.uri()))
                .localHandoff(64, Duration.ofMinutes(1))
                .build()) {
            LockHandle lost = locks.lock(name).acquire();
            CompletableFuture<LockHandle> waiter = locks.lock(name).acquireAsync();
            await("another caller waits", () -> locks.usage().get(0).waiters() == 1);
            admin.del(lock, token, queue, alive);
            LockHandle later = locks.lock(name, LockOptions.defaults().fair()).acquire();

            var unused = lost.release();
            later.close();

            LockHandle next = waiter.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            assertTrue(next.fencingToken() > later.fencingToken());
        }
    }
}

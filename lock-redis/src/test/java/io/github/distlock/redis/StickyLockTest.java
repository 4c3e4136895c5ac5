package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Grant;
import io.github.distlock.tests.servers.FaultProxy;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** V11: the record of a sticky hold, its messages, and when a client no longer relies on them. */
class StickyLockTest extends ContenderTest {
    private final FaultProxy link = FaultProxy.to(SERVER);
    private final RedisBackend remote = started(RedisBackend.connect("redis://" + link.address()));
    private final RedisBackend publishing =
            started(RedisBackend.builder(SERVER.uri()).publishFromClient().build());

    private TestContender holder;

    /** The contenders that ask for the lock. */
    enum Asker {
        ONE_THAT_TRIES,
        ONE_THAT_WAITS,
        ONE_THAT_PUBLISHES,
        ONE_WITH_A_SUPPLIED_CLIENT,
        ONE_OF_THE_SAME_CLIENT
    }

    @AfterEach
    void closeRemote() {
        publishing.close();
        remote.close();
        link.close();
    }

    private TestContender sticky(RedisBackend backend) {
        return TestContender.sticky(backend, name, LEASE);
    }

    private TestContender asker(Asker asker) {
        return switch (asker) {
            case ONE_THAT_TRIES -> trying(one);
            case ONE_THAT_WAITS -> waiting(one);
            case ONE_THAT_PUBLISHES -> trying(publishing);
            case ONE_WITH_A_SUPPLIED_CLIENT -> trying(repeating);
            case ONE_OF_THE_SAME_CLIENT -> trying(remote);
        };
    }

    /** Acquires the lock once the client is notified of other contenders. */
    @CanIgnoreReturnValue
    private Grant acquireHearing() throws InterruptedException {
        while (true) {
            holder = sticky(remote);
            Grant held = holder.acquire();
            if (held.hearsOthers()) {
                return held;
            }
            release(held);
            holder.forget();
            await("the client is subscribed", remote::hearsMessages);
        }
    }

    @Test
    void v11_theRecordOfAStickyHoldNamesTheChannelOfItsClient() throws InterruptedException {
        Grant held = acquireHearing();

        expectHolderWithoutWaiters(holder);
        assertTrue(admin.get(lock).endsWith("\t" + remote.channel()));
        assertEquals(
                List.of(holder.owner()),
                one.inspect(name, TestContender.deadline()).holders().stream()
                        .map(seen -> seen.owner())
                        .toList());
        release(held);
        assertNull(admin.get(lock));
        expectTokenWithoutQueue();
    }

    @ParameterizedTest
    @EnumSource
    void v11_eachBusyAnswerTellsTheHolder(Asker asker) throws InterruptedException {
        acquireHearing();

        asker(asker).findBusy();
        await("the holder hears of the first one", () -> holder.timesWanted.get() == 1);
        asker(asker).findBusy();

        await("the holder hears of the second one", () -> holder.timesWanted.get() == 2);
    }

    @Test
    void v11_aForcedReleaseTellsTheHolder() throws InterruptedException {
        acquireHearing();

        assertEquals(
                1,
                one.forceRelease(name, OptionalLong.empty(), TestContender.deadline())
                        .size());

        await("the holder hears of it", () -> holder.timesWanted.get() == 1);
    }

    @Test
    void v11_v12_aRequestForReleaseTellsTheHolder() throws InterruptedException {
        acquireHearing();

        assertEquals(1, one.requestRelease(name, holder.owner(), TestContender.deadline()));
        await("the holder hears of the first one", () -> holder.timesWanted.get() == 1);
        assertEquals(1, publishing.requestRelease(name, holder.owner(), TestContender.deadline()));

        await("the holder hears of the second one", () -> holder.timesWanted.get() == 2);
    }

    @Test
    void v11_aClientThatMustNotSubscribeHearsNobody() throws InterruptedException {
        changeRights("resetchannels");

        Grant held = sticky(restricted).acquire();

        assertFalse(held.hearsOthers());
    }

    @Test
    void v11_aHoldThatWasHandedOverIsNotSticky() throws InterruptedException {
        release(acquireHearing());
        Grant held = waiting(one).acquire();
        TestContender waiter = sticky(remote);
        waiter.findBusy();
        release(held);
        await("the lock is handed over", () -> waiter.wakeUps.get() > 0);

        assertFalse(waiter.acquire().hearsOthers());
    }

    /** As if a client had repeated the first request, and another contender had asked in between. */
    @Test
    void v11_aHoldOfALockWithAWaiterIsNotSticky() throws InterruptedException {
        release(acquireHearing());
        waiting(one).acquire();
        TestContender repeated = sticky(remote);
        admin.zadd(queue, 1, repeated.entry());
        admin.zadd(alive, serverMicros() + 60_000_000.0, repeated.entry());
        waiting(one).findBusy();
        admin.del(lock);

        assertFalse(repeated.acquire().hearsOthers());
    }

    @Test
    void v11_aHoldOfALockWithATombstoneIsSticky() throws InterruptedException {
        release(acquireHearing());
        release(trying(repeating).acquire());

        assertTrue(sticky(remote).acquire().hearsOthers());
    }

    @Test
    void v11_aHoldWhoseFirstRequestMayNotHaveBeenAnsweredIsNotSticky() throws InterruptedException {
        release(acquireHearing());
        TestContender repeated = sticky(remote);
        repeated.acquire();

        assertFalse(repeated.acquire().hearsOthers(), "another contender may have asked after the first request");
    }

    @Test
    void v11_aHoldIsNotStickyAnyMoreOnceItsSubscriptionHasBroken() throws InterruptedException {
        Grant held = acquireHearing();
        Object before = remote.hearing();

        link.cut();

        await("there is another subscription", () -> remote.hearsMessages() && remote.hearing() != before);
        assertFalse(held.hearsOthers());
    }

    /** Acquires and releases the lock until the client keeps the hold. */
    private void keepDormant(LockClient locks) {
        DistributedLock kept = locks.lock(name, LockOptions.defaults().sticky());
        await("the client keeps its hold", () -> {
            kept.acquireUninterruptibly().close();
            return admin.exists(lock);
        });
    }

    @Test
    void v11_aLostMessageDelaysAWaiterForABoundedTime() throws InterruptedException {
        try (LockClient locks = LockClient.create(RedisBackend.connect("redis://" + link.address()));
                LockClient others = LockClient.create(RedisBackend.connect(SERVER.uri()))) {
            keepDormant(locks);
            link.dropNextPush(FaultProxy.containing("wanted "));

            others.lock(name).tryAcquire(PATIENCE).orElseThrow().close();
        }
    }

    @Test
    void v11_aClientThatIsCutOffWhileItsHoldIsDormantDelaysOthersForABoundedTime() throws InterruptedException {
        try (LockClient locks = LockClient.create(RedisBackend.connect("redis://" + link.address()));
                LockClient others = LockClient.create(RedisBackend.connect(SERVER.uri()))) {
            keepDormant(locks);

            link.cut();

            others.lock(name).tryAcquire(PATIENCE).orElseThrow().close();
        }
    }

    @Test
    void v6_aClientForgetsStickyContenders() throws InterruptedException {
        release(acquireHearing());
        holder.forget();
        TestContender waiter = sticky(remote);
        waiting(one).acquire();
        waiter.findBusy();
        waiter.withdraw();

        assertTrue(Stream.of(remote.sticky, remote.waiting).allMatch(contenders -> contenders.isEmpty()));
    }
}

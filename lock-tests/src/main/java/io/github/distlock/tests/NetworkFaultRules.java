package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import io.github.distlock.tests.FaultyBackend.Request;
import io.github.distlock.tests.Network.Message;
import io.github.distlock.tests.Network.Silence;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Faults of the network between one client and the store. */
abstract class NetworkFaultRules extends FaultRules {
    private static final Duration FLAP = Duration.ofMillis(50);
    private static final Duration BETWEEN_USES = Duration.ofMillis(1);
    /** How many threads and connections may be added: fewer than there are flaps. */
    private static final int FEW = 5;

    /** Builds a client whose next request is about the lock, and which does not wait long for the answer. */
    private Peer connected() throws InterruptedException {
        return connected(peer(builder -> builder.requestTimeout(brief())));
    }

    private static Stream<Arguments> messagesOfAllUses() {
        return Arrays.stream(LockUse.values())
                .flatMap(use -> Arrays.stream(Message.values()).map(lost -> Arguments.of(lost, use)));
    }

    @Causes({StoreFault.REQUEST_DROPPED, StoreFault.REPLY_DROPPED})
    @ParameterizedTest
    @MethodSource("messagesOfAllUses")
    void f2_1_aTryWhoseMessageIsLostLeavesNothing(Message lost, LockUse use) throws Exception {
        Peer a = connected();

        BooleanSupplier isLost = a.network.dropNext(lost);
        tried(lock(a)).ifPresent(LockHandle::release);

        await("a message is lost", isLost);
        expectFreeWithin(repetition(a), peer(), "after a try that lost a message");
    }

    /** Tries to acquire a free lock, which ends with a hold or an exception. */
    private Optional<LockHandle> tried(DistributedLock lock) {
        try {
            LockHandle held = granted(lock.tryAcquire(), "a LockException, or a hold");
            expectState(held, State.HELD, "when the try returns it");
            return Optional.of(held);
        } catch (LockException e) {
            return Optional.empty();
        }
    }

    @Causes({StoreFault.REQUEST_DROPPED, StoreFault.REPLY_DROPPED})
    @ParameterizedTest
    @MethodSource("messagesOfAllUses")
    void f2_3_anAcquireWhoseMessageIsLostIsGrantedOnce(Message lost, LockUse use) throws Exception {
        Peer a = connected();

        BooleanSupplier isLost = a.network.dropNext(lost);
        LockHandle held = granted(lock(a), repetition(a));

        await("a message is lost", isLost);
        expectHeld(held, "after a message was lost");
        expectBusy(peer(), "after a message was lost");
        expectRelease(held, Release.RELEASED, "in the end");
        expectFree("after the release");
        grantedAfter(held.fencingToken(), peer(), name).close();
        expectClean("after the releases");
    }

    @Causes({StoreFault.REQUEST_DROPPED, StoreFault.REPLY_DROPPED})
    @ParameterizedTest
    @MethodSource("messagesOfAllUses")
    void f2_5_aReleaseWhoseMessageIsLostFreesTheLock(Message lost, LockUse use) throws Exception {
        Peer a = connected();
        LockHandle held = lock(a).acquire();

        BooleanSupplier isLost = a.network.dropNext(lost);
        Task<Release> release = start(held::release);

        Release outcome = get(release);
        expect(outcome != Release.LOST, "RELEASED or PENDING", outcome);
        expectInTime(release, brief());
        await("a message is lost", isLost);
        Release again = held.release();
        expect(again != Release.LOST, "nothing worse from a second release", again);
        expectFreeWithin(repetition(a), peer(), "after a release that lost a message");
    }

    @Causes({StoreFault.REPLY_DROPPED, StoreFault.CONNECTION_CUT})
    @ParameterizedTest
    @EnumSource
    void f2_7_aLostRenewalReplyEndsNoHold(LockUse use) throws Exception {
        Peer a = connected();
        LockHandle held = lock(a).acquire();

        BooleanSupplier isLost = a.network.dropNext(Message.REPLY);
        within(lease, "the reply of a renewal is lost", isLost);
        a.network.cut();

        store.letPass(lease.multipliedBy(3).dividedBy(2));
        expectState(held, State.HELD, "after renewals that came later");
        expectBusy(peer(), "after renewals that came later");
        held.close();
        expectFree("after the release");
    }

    @Causes(StoreFault.HALF_OPEN)
    @ParameterizedTest
    @EnumSource
    @Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void f2_8_aHoldOnAHalfOpenLinkEndsBeforeTheNextGrant(Silence silence) throws Exception {
        Peer other = peer();
        List<CompletableFuture<Long>> grants = new ArrayList<>();
        List<Task<Long>> ends = new ArrayList<>();

        for (HeldLock lock : heldLocks()) {
            grants.add(lock.next(other).acquireAsync().thenApply(granted -> {
                long grantedAt = other.backend.clock().nanoTime();
                granted.release();
                return grantedAt;
            }));
            lock.peer().network.silence(silence);
            ends.add(start(lock::lastHeldAt));
        }

        within(
                recovery(other).plus(store.patience()),
                "each hold ends, and another client is granted the lock",
                () -> ends.stream().allMatch(Task::isDone) && grants.stream().allMatch(CompletableFuture::isDone));
        List<Long> spares = new ArrayList<>();
        for (int i = 0; i < ends.size(); i++) {
            spares.add(grants.get(i).get() - get(ends.get(i)));
        }
        expectSpare(spares);
    }

    @Causes(StoreFault.REPLY_DELAYED)
    @ParameterizedTest
    @ValueSource(ints = {9, 12})
    void f2_11_aTryWhoseReplyIsLateReturnsAHoldOrFails(int tenthsOfALease) throws Exception {
        Peer a = connected(peer(builder -> builder.requestTimeout(lease.multipliedBy(2))));
        Peer other = connected();
        Duration delay = lease.multipliedBy(tenthsOfALease).dividedBy(10);

        BooleanSupplier hasArrived = a.network.delayNext(Message.REPLY, delay);
        Task<Optional<LockHandle>> acquire = start(() -> tried(lock(a)));
        // A client library may have given up, and closed the connection, before the reply arrives.
        within(delay.plus(lease), "the reply arrives", () -> hasArrived.getAsBoolean() || acquire.isDone());

        get(acquire).ifPresent(held -> {
            Optional<LockHandle> second = other.lock(name).tryAcquire();
            expect(second.isEmpty() || !held.isHeld(), "one holder", "two");
            second.ifPresent(LockHandle::release);
            held.release();
        });
        a.network.heal();
        expectFreeAgain("after a reply that came late");
    }

    @Causes(StoreFault.REPLY_DELAYED)
    @Test
    void f2_19_theTimeOfASlowReplyIsNotPartOfTheHold() throws Exception {
        Peer a = connected(peer(builder -> builder.requestTimeout(lease)));
        acquire(a).close();
        a.faults.dropRequests(Integer.MAX_VALUE, Request.RENEWAL);

        BooleanSupplier hasArrived =
                a.network.delayNext(Message.REPLY, lease.multipliedBy(3).dividedBy(10));
        LockHandle held = acquire(a);

        Duration most = lease.minusNanos(a.backend.clock().nanoTime() - a.faults.grantAskedAt());
        Duration remaining = held.remaining();
        expect(remaining.compareTo(most) <= 0, "at most " + most + " of the lease is left", remaining);
        within(lease, "a reply was slow", hasArrived);
    }

    @Causes(StoreFault.REQUEST_DELAYED)
    @Test
    void f2_12_aRequestThatArrivesAfterItsClientGaveUpLeavesNothing() throws Exception {
        Peer a = connected();
        Peer b = connected();
        Duration late = lease.multipliedBy(12).dividedBy(10);

        BooleanSupplier arrivesEarly = a.network.delayNext(Message.REQUEST, brief().multipliedBy(2));
        BooleanSupplier arrivesLate = b.network.delayNext(Message.REQUEST, late);
        tried(lock(a)).ifPresent(LockHandle::release);
        tried(b.lock(name + "/late")).ifPresent(LockHandle::release);
        store.letPass(late);

        await("the request arrives", arrivesEarly);
        if (!Waiting.until(soon(), arrivesLate)) {
            report("not carried out", "the store has ended the connection before the request arrived");
        }
        granted(peer(), name + "/late").close();
        expectFreeAgain("after requests that came late");
    }

    @Causes(StoreFault.CONNECTION_CUT)
    @Test
    void f2_13_brokenConnectionsMixUpNoReplies() throws Exception {
        Peer a = connected();
        Peer b = peer();
        Peer witness = peer();
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger holders = new AtomicInteger();
        AtomicInteger grants = new AtomicInteger();
        List<Task<Boolean>> workers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Peer peer = i < 3 ? a : b;
            String lockName = i < 2 ? name + "/" + i : name;
            AtomicInteger inside = i < 2 ? new AtomicInteger() : holders;
            workers.add(start(() -> {
                long last = 0;
                while (!over.get()) {
                    last = useOnce(peer, lockName, last, held -> {
                        expectAlone(inside, lockName);
                        expectNotFree(held, witness);
                        inside.decrementAndGet();
                    });
                    grants.incrementAndGet();
                    if (!peer.network.isReal()) {
                        // Moved time passes only while no thread is busy, which these would be all the time.
                        Waiting.letPass(BETWEEN_USES);
                    }
                }
                return true;
            }));
        }
        BooleanSupplier haveFailed = () -> workers.stream().anyMatch(Task::isDone);
        await("locks are used", () -> grants.get() > 20 || haveFailed.getAsBoolean());

        a.network.slice();
        for (int i = 0; i < 20; i++) {
            store.letPass(lease.dividedBy(100));
            BooleanSupplier reset = a.network.reset();
            await("connections are reset", () -> reset.getAsBoolean() || haveFailed.getAsBoolean());
        }
        a.network.heal();

        int before = grants.get();
        await("locks are used again", () -> grants.get() > before + 20 || haveFailed.getAsBoolean());
        over.set(true);
        workers.forEach(this::get);
        for (String lockName : List.of(name + "/0", name + "/1")) {
            granted(peer(), lockName).close();
        }
        expectFreeAgain("after connections were reset");
    }

    private interface Use {
        void run(LockHandle held) throws InterruptedException;
    }

    private void expectAlone(AtomicInteger inside, String lockName) {
        int holders = inside.incrementAndGet();
        expect(holders == 1, "one holder of " + lockName, holders);
    }

    /** A hold that was granted by the reply to another request is free in the store. */
    private void expectNotFree(LockHandle held, Peer witness) throws InterruptedException {
        Optional<LockHandle> other;
        try {
            other = witness.lock(held.lockName()).tryAcquire();
        } catch (LockException e) {
            // A busy store has not answered the witness in time, which says nothing about the hold.
            return;
        }
        boolean isHeld = held.isHeld();
        other.ifPresent(LockHandle::release);
        expect(
                other.isEmpty() || !isHeld,
                "a hold of " + held.lockName() + " excludes others",
                "granted to another client");
    }

    private long useOnce(Peer peer, String lockName, long lastToken, Use use) throws InterruptedException {
        try {
            Optional<LockHandle> tried = peer.lock(lockName).tryAcquire(brief());
            if (tried.isEmpty()) {
                return lastToken;
            }
            LockHandle held = tried.get();
            expect(held.lockName().equals(lockName), "a hold of " + lockName, held.lockName());
            expect(held.fencingToken() > lastToken, "more than " + lastToken, held.fencingToken());
            use.run(held);
            held.release();
            return held.fencingToken();
        } catch (LockException e) {
            return lastToken;
        }
    }

    @Causes(StoreFault.HALF_OPEN)
    @ParameterizedTest
    @ValueSource(ints = {1, 5})
    void f2_14_aClientRecoversFromALongPartition(int leases) throws Exception {
        Peer a = connected();
        LockHandle former = a.lock(name).acquire();
        List<LockLoss> losses = losses(former);

        a.network.silence();
        store.letPass(lease.multipliedBy(leases));
        expectState(former, State.LOST, "after " + leases + " leases of silence");
        await("the loss is reported", () -> !losses.isEmpty());
        a.network.heal();

        LockHandle held = grantedAfter(former.fencingToken(), a, name);
        expectState(former, State.LOST, "although its client is back");
        expect(losses.size() == 1, "the loss is reported once", losses);
        former.release();
        expectRelease(held, Release.RELEASED, "after the release of the one before");
        expectFreeAgain("after the partition");
    }

    @Causes(StoreFault.HALF_OPEN)
    @Test
    void f2_15_aFlappingLinkLeaksNoThreadsOrConnections() throws Exception {
        Peer a = peer(builder -> builder.requestTimeout(brief()));
        ThreadGroup group = new ThreadGroup(name);
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger uses = new AtomicInteger();
        Task<Boolean> worker = new Task<>(group, "contract-worker", () -> {
            while (!over.get()) {
                useOnce(a, name, 0, held -> {});
                uses.incrementAndGet();
            }
            return true;
        });
        await("the lock is used", () -> uses.get() > 10);
        // The engine ends its threads after a second of idleness, and has a few of each role.
        int threads = group.activeCount() + 2 * FEW;
        int connections = a.network.connections() + FEW;

        for (int i = 0; i < 30; i++) {
            int requests = a.faults.requests();
            a.network.silence();
            Waiting.until(STEP, () -> a.faults.requests() > requests);
            store.letPass(FLAP);
            a.network.heal();
            store.letPass(FLAP);
        }

        int before = uses.get();
        within(recovery(a), "the lock is used again", () -> uses.get() > before + 10);
        over.set(true);
        get(worker);
        within(
                recovery(a),
                "at most " + threads + " threads and " + connections + " connections",
                () -> group.activeCount() <= threads && a.network.connections() <= connections);
        expectFreeAgain("after the link has flapped");
    }

    @Causes(StoreFault.CONNECTION_CUT)
    @Test
    void f2_16_refusedConnectionsAffectNoOtherClient() throws Exception {
        Peer a = connected();
        Peer b = peer();
        LockHandle lost = a.lock(name + "/lost").acquire();
        // So that a fails to renew its hold before b renews its own.
        store.letPass(lease.dividedBy(4));
        LockHandle kept = b.lock(name + "/kept").acquire();

        a.network.refuse();
        expectFailureInTime(a, name, "whose connections are refused");
        store.letPass(lease);
        expectState(lost, State.LOST, "after a lease without connections");
        expectState(kept, State.HELD, "of a client whose connections are not refused");
        kept.close();
        a.network.heal();

        granted(a, name).close();
        expectFreeAgain("once connections are accepted again");
    }

    @Causes(StoreFault.CONNECTION_CUT)
    @ParameterizedTest
    @EnumSource
    void f2_17_aHoldSurvivesCutConnections(LockUse use) throws Exception {
        Peer a = connected();
        LockHandle held = lock(a).acquire();

        for (int i = 0; i < 3; i++) {
            a.network.cut();
            store.letPass(lease.dividedBy(2));
        }

        expectHeld(held, "although its connections were cut again and again");
        expectBusy(peer(), "although the connections of its holder were cut");
        expectRelease(held, Release.RELEASED, "in the end");
        expectFree("after the release");
    }

    @Causes(StoreFault.CONNECTION_CUT)
    @Test
    void f2_21_aReleaseOverACutConnectionKeepsTheLock() throws Exception {
        Peer a = connected();
        LockHandle held = acquireKept(a);

        a.network.cut();
        Release outcome = held.release();

        expect(outcome != Release.LOST, "RELEASED or PENDING", outcome);
        await("RELEASED in the end", () -> held.release() == Release.RELEASED);
        expectBusy(peer(), "after a release over a cut connection");
        store.letPass(minimum());
        grantedAfter(held.fencingToken(), peer(), name).close();
        expectFreeAgain("after the kept lock");
    }

    @Causes(StoreFault.CONNECTION_CUT)
    @ParameterizedTest
    @EnumSource
    void f2_18_aWaiterThatIsCutOffDuringTheReleaseGetsTheLock(LockUse use) throws Exception {
        Peer b = peer();
        LockHandle held = alone(peer()).acquire();
        Task<LockHandle> waiter = startQueued(b, lock(b));

        b.network.refuse();
        held.close();
        b.network.heal();

        within(recovery(b), "the waiter is granted", waiter::isDone);
        get(waiter).close();
        expectFree("after the waiter's release");
    }

    @Causes({StoreFault.REQUEST_DROPPED, StoreFault.REPLY_DROPPED})
    @Uses(LockUse.WRITER)
    @ParameterizedTest
    @EnumSource
    void f2_20_aDowngradeWhoseMessageIsLostHappensOnceOrLeavesNothing(Message lost) throws Exception {
        Peer a = connected();
        LockHandle writing = lock(a).acquire();

        BooleanSupplier isLost = a.network.dropNext(lost);
        Task<LockHandle> downgrade = start(() -> a.locks.readWriteLock(name).downgrade(writing));

        await("the downgrade ends", downgrade::isDone);
        await("a message is lost", isLost);
        expectState(writing, State.RELEASED, "after the downgrade");
        if (downgrade.failure() == null) {
            LockHandle reading = get(downgrade);
            long token = reading.fencingToken();
            expect(token == writing.fencingToken(), "token " + writing.fencingToken(), token);
            expectHeld(reading, "after a message was lost");
            expectBusy(peer(), "after a message was lost");
            reading.close();
        } else {
            failure(downgrade, LockException.class, "of a downgrade that lost a message");
        }
        expectFreeWithin(repetition(a), peer(), "after a downgrade that lost a message");
    }
}

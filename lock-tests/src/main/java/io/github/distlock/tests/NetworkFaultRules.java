package io.github.distlock.tests;

import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import io.github.distlock.tests.servers.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** What the network does to one client. */
abstract class NetworkFaultRules extends FaultRules {
    private static final Duration FLAP = Duration.ofMillis(50);
    /** How many threads and connections may come and go: fewer than flaps. */
    private static final int FEW = 5;

    /** A client whose next request is about the lock, and is not waited for for long. */
    private Peer connected() throws InterruptedException {
        return connected(peer(builder -> builder.requestTimeout(brief())));
    }

    @Test
    void f2_1_aTryWhoseRequestIsDroppedLeavesNothing() throws Exception {
        causes(StoreFault.REQUEST_DROPPED);
        Peer a = connected();
        expectTryLeavesNothing(a, a.network.dropNextRequest());
    }

    @Test
    void f2_2_aTryWhoseReplyIsDroppedLeavesNothing() throws Exception {
        causes(StoreFault.REPLY_DROPPED);
        Peer a = connected();
        expectTryLeavesNothing(a, a.network.dropNextReply());
    }

    private void expectTryLeavesNothing(Peer a, BooleanSupplier struck) throws Exception {
        tryAndRelease(a, name);
        await("something is lost", struck);
        expectFreeWithin(repetition(a), "after a try that lost a message");
    }

    /** Ends with a hold or an exception; an empty answer would be that of a lock that somebody holds. */
    private void tryAndRelease(Peer a, String lockName) {
        try {
            LockHandle held = granted(a.lock(lockName).tryAcquire(), "a LockException, or a hold");
            expectState(held, State.HELD, "when the try returns it");
            held.release();
        } catch (LockException e) {
            // One of the two outcomes that are allowed.
        }
    }

    @Test
    void f2_3_anAcquireWhoseRequestIsDroppedIsGranted() throws Exception {
        causes(StoreFault.REQUEST_DROPPED);
        Peer a = connected();
        expectGrantedOnce(a, a.network.dropNextRequest());
    }

    @Test
    void f2_4_anAcquireWhoseReplyIsDroppedIsGrantedOnce() throws Exception {
        causes(StoreFault.REPLY_DROPPED);
        Peer a = connected();
        expectGrantedOnce(a, a.network.dropNextReply());
    }

    private void expectGrantedOnce(Peer a, BooleanSupplier struck) throws Exception {
        LockHandle held = granted(a, name, repetition(a));
        expect(struck.getAsBoolean(), "a message is lost", "none");
        expectHeld(held, "after a message was lost");
        expectBusy(peer(), "after a message was lost");
        expectReleased(held, "in the end");
        LockHandle next = granted(peer(), name, soon());
        expect(next.fencingToken() > held.fencingToken(), "a greater token", next.fencingToken());
        next.close();
        expectClean("after the releases");
    }

    @Test
    void f2_5_aReleaseWhoseRequestIsDroppedFreesTheLock() throws Exception {
        causes(StoreFault.REQUEST_DROPPED);
        expectReleased(Network::dropNextRequest);
    }

    @Test
    void f2_6_aReleaseWhoseReplyIsDroppedFreesTheLock() throws Exception {
        causes(StoreFault.REPLY_DROPPED);
        expectReleased(Network::dropNextReply);
    }

    private void expectReleased(Function<Network, BooleanSupplier> fault) throws Exception {
        Peer a = connected();
        LockHandle held = a.lock(name).acquire();
        BooleanSupplier struck = fault.apply(a.network);
        Task<LockHandle.Release> release = start(held::release);
        LockHandle.Release outcome = get(release);
        expect(outcome != LockHandle.Release.LOST, "RELEASED or PENDING", outcome);
        long latest = latest(brief());
        expect(release.millis() <= latest, "back within " + latest + " ms", release.millis() + " ms");
        await("a message is lost", struck);
        LockHandle.Release again = held.release();
        expect(again != LockHandle.Release.LOST, "nothing worse from a second release", again);
        expectFreeWithin(repetition(a), "after a release that lost a message");
    }

    @Test
    void f2_7_aRenewalWhoseReplyIsDroppedCostsNoHold() throws Exception {
        causes(StoreFault.REPLY_DROPPED);
        Peer a = connected();
        LockHandle held = a.lock(name).acquire();
        BooleanSupplier struck = a.network.dropNextReply();
        within(lease, "the reply of a renewal is lost", struck);
        if (store.faults().contains(StoreFault.CONNECTION_CUT)) {
            a.network.cut();
        }
        store.letPass(lease.multipliedBy(3).dividedBy(2));
        expectState(held, State.HELD, "after renewals that came later");
        expectBusy(peer(), "after renewals that came later");
        held.close();
        expectFree("after the release");
    }

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void f2_8_aHoldEndsBeforeAnotherIsGrantedWhenItsLinkIsHalfOpen() throws Exception {
        causes(StoreFault.HALF_OPEN);
        expectLostBeforeAnotherIsGranted(REPEATS, Network::silence);
    }

    @Test
    void f2_9_aHoldEndsBeforeAnotherIsGrantedWhenAllItsRequestsAreDropped() throws Exception {
        causes(StoreFault.REQUEST_DROPPED);
        expectLostBeforeAnotherIsGranted(1, Network::silenceRequests);
    }

    @Test
    void f2_10_aHoldEndsBeforeAnotherIsGrantedWhenAllItsRepliesAreDropped() throws Exception {
        causes(StoreFault.REPLY_DROPPED);
        expectLostBeforeAnotherIsGranted(1, Network::silenceReplies);
    }

    @Test
    void f2_11_aGrantWhoseReplyIsLateIsAHoldOrNothing() throws Exception {
        causes(StoreFault.REPLY_DELAYED);
        for (int tenths : List.of(9, 12)) {
            Peer a = connected(peer(builder -> builder.requestTimeout(lease.multipliedBy(2))));
            Network.LateReply reply =
                    a.network.delayNextReply(lease.multipliedBy(tenths).dividedBy(10));
            Task<Boolean> acquire = start(() -> {
                tryAndRelease(a, name);
                return true;
            });
            reply.arrive();
            get(acquire, "the try ends", lease.multipliedBy(2).plus(soon()));
            a.network.heal();
            expectFreeWithin(recovery(a), "after a reply that came " + tenths + " tenths of a lease late");
        }
    }

    @Test
    void f2_12_aRequestThatArrivesAfterItsClientGaveUpLeavesNothing() throws Exception {
        causes(StoreFault.REQUEST_DELAYED);
        Peer a = connected();
        Peer b = connected();
        Duration early = brief().multipliedBy(2);
        Duration late = lease.multipliedBy(12).dividedBy(10);
        BooleanSupplier arrivesEarly = a.network.delayNextRequest(early);
        BooleanSupplier arrivesLate = b.network.delayNextRequest(late);
        tryAndRelease(a, name);
        tryAndRelease(b, name + "/late");
        store.letPass(late);
        await("the request arrives", arrivesEarly);
        if (!Waiting.until(soon(), arrivesLate)) {
            report("not carried out", "the store has ended the connection before the request arrived");
        }
        granted(peer(), name + "/late", recovery(b)).close();
        expectFreeWithin(recovery(a), "after requests that came late");
    }

    @Test
    void f2_13_connectionsThatBreakInMidReplyMixUpNothing() throws Exception {
        causes(StoreFault.CONNECTION_CUT);
        Peer a = connected();
        Peer b = connected();
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger grants = new AtomicInteger();
        List<Task<Boolean>> workers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Peer peer = i < 3 ? a : b;
            String lockName = i < 2 ? name + "/" + i : name;
            workers.add(start(() -> {
                long last = 0;
                while (!over.get()) {
                    last = useOnce(peer, lockName, last, inside);
                    grants.incrementAndGet();
                }
                return true;
            }));
        }
        await("locks are used", () -> grants.get() > 20);
        a.network.slice();
        for (int i = 0; i < 20; i++) {
            store.letPass(lease.dividedBy(100));
            a.network.reset();
        }
        a.network.heal();
        int before = grants.get();
        await("locks are used again", () -> grants.get() > before + 20);
        over.set(true);
        for (Task<Boolean> worker : workers) {
            get(worker);
        }
        for (String lockName : List.of(name + "/0", name + "/1")) {
            granted(peer(), lockName, recovery(a)).close();
        }
        expectFreeWithin(recovery(a), "after connections were reset");
    }

    private long useOnce(Peer peer, String lockName, long lastToken, AtomicInteger inside) throws InterruptedException {
        try {
            Optional<LockHandle> tried = peer.lock(lockName).tryAcquire(brief());
            if (tried.isEmpty()) {
                return lastToken;
            }
            LockHandle held = tried.get();
            expect(held.lockName().equals(lockName), "a hold of " + lockName, held.lockName());
            expect(held.fencingToken() > lastToken, "more than " + lastToken, held.fencingToken());
            if (lockName.equals(name)) {
                int holders = inside.incrementAndGet();
                expect(holders == 1, "one holder of " + lockName, holders);
                inside.decrementAndGet();
            }
            held.release();
            return held.fencingToken();
        } catch (LockException e) {
            return lastToken;
        }
    }

    @Test
    void f2_14_aClientComesBackAfterALongPartition() throws Exception {
        causes(StoreFault.HALF_OPEN);
        Peer once = connected();
        Peer longer = connected();
        LockHandle first = once.lock(name + "/1").acquire();
        LockHandle second = longer.lock(name + "/5").acquire();
        List<LockLoss> firstLosses = losses(first);
        List<LockLoss> secondLosses = losses(second);
        once.network.silence();
        longer.network.silence();
        store.letPass(lease);
        expectState(first, State.LOST, "after a lease of silence");
        once.network.heal();
        expectComesBack(once, name + "/1", first, firstLosses);
        store.letPass(lease.multipliedBy(4));
        longer.network.heal();
        expectComesBack(longer, name + "/5", second, secondLosses);
        expectFreeWithin(recovery(once), "after the partitions");
    }

    private void expectComesBack(Peer peer, String lockName, LockHandle former, List<LockLoss> losses)
            throws Exception {
        LockHandle held = granted(peer, lockName, recovery(peer));
        expect(held.fencingToken() > former.fencingToken(), "a greater token", held.fencingToken());
        expectState(former, State.LOST, "although its client is back");
        expect(losses.size() == 1, "the loss is reported once", losses);
        former.release();
        expectReleased(held, "after the release of the one before");
    }

    @Test
    void f2_15_aLinkThatFlapsLetsNothingGrow() throws Exception {
        causes(StoreFault.HALF_OPEN);
        Peer a = connected();
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger uses = new AtomicInteger();
        Task<Boolean> worker = start(() -> {
            while (!over.get()) {
                useOnce(a, name, 0, new AtomicInteger());
                uses.incrementAndGet();
            }
            return true;
        });
        await("the lock is used", () -> uses.get() > 10);
        int threads = a.threads().size() + FEW;
        int connections = a.network.connections() + FEW;
        for (int i = 0; i < 30; i++) {
            a.network.silence();
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
                () -> a.threads().size() <= threads && a.network.connections() <= connections);
        expectFreeWithin(recovery(a), "after the link has flapped");
    }

    @Test
    void f2_16_connectionsThatAreRefusedHurtNobodyElse() throws Exception {
        causes(StoreFault.CONNECTION_CUT);
        Peer a = connected();
        Peer b = peer();
        LockHandle lost = a.lock(name + "/lost").acquire();
        LockHandle kept = b.lock(name + "/kept").acquire();
        a.network.refuse();
        expectFailureInTime(a, name, "whose connections are refused");
        store.letPass(lease);
        expectState(lost, State.LOST, "after a lease without connections");
        expectState(kept, State.HELD, "of a client whose connections are not refused");
        kept.close();
        a.network.heal();
        granted(a, name, recovery(a)).close();
        expectFreeWithin(recovery(a), "once connections are accepted again");
    }

    @Test
    void f2_17_aHoldSurvivesConnectionsThatAreCut() throws Exception {
        causes(StoreFault.CONNECTION_CUT);
        Peer a = connected();
        LockHandle held = a.lock(name).acquire();
        for (int i = 0; i < 3; i++) {
            a.network.cut();
            store.letPass(lease.dividedBy(2));
        }
        expectHeld(held, "although its connections were cut again and again");
        expectBusy(peer(), "although the connections of its holder were cut");
        expectReleased(held, "in the end");
        expectFree("after the release");
    }

    @Test
    void f2_18_aWaiterThatIsCutOffWhileTheLockIsReleasedGetsIt() throws Exception {
        causes(StoreFault.CONNECTION_CUT);
        Peer a = peer();
        Peer b = peer();
        LockHandle held = a.lock(name).acquire();
        Task<LockHandle> waiter = startQueued(b, b.lock(name));
        b.network.refuse();
        held.close();
        b.network.heal();
        within(recovery(b), "the waiter is granted", waiter::isDone);
        get(waiter).close();
        expectFree("after the waiter's release");
    }
}

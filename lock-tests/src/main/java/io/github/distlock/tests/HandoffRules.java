package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.spi.Capability;
import io.github.distlock.tests.FaultyBackend.Request;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Rules about local handoffs: the store may let a client go on with them, but only while no other contender waits. */
abstract class HandoffRules extends Rules {
    /** After so many local handoffs, the store is asked again. */
    private static final int BOUND = 2;

    private Peer handingOn() {
        return peer(builder -> builder.localHandoff(BOUND, Duration.ofMinutes(1)));
    }

    private List<CompletableFuture<LockHandle>> waiting(Peer peer, int number) {
        return IntStream.range(0, number)
                .mapToObj(any -> peer.lock(name).acquireAsync())
                .toList();
    }

    /** Releases each hold for the next waiter. Returns all holds, of which the last one is still held. */
    private List<LockHandle> handOn(LockHandle first, List<CompletableFuture<LockHandle>> waiting) throws Exception {
        List<LockHandle> holds = new ArrayList<>(List.of(first));
        for (CompletableFuture<LockHandle> next : waiting) {
            holds.get(holds.size() - 1).release();
            holds.add(get(next, "a thread of the same client is granted the lock"));
        }
        return holds;
    }

    @Test
    void s3_8_tokensIncreaseWhileAClientAloneHandsTheLockOn() throws Exception {
        Peer a = handingOn();
        List<LockHandle> holds = handOn(acquire(a), waiting(a, 10));
        LockHandle last = holds.get(holds.size() - 1);

        expectRelease(last, Release.RELEASED, "after many local handoffs");
        LockHandle next = acquireSoon(peer());

        holds.add(next);
        for (int i = 1; i < holds.size(); i++) {
            long before = holds.get(i - 1).fencingToken();
            long token = holds.get(i).fencingToken();
            expect(token > before, "a token above " + before, token);
        }
        next.close();
        expectFree("after the other client's release");
    }

    @Test
    void s5_6_aLocalHandoffOfADeletedHoldTakesNothing() throws Exception {
        Peer a = handingOn();
        a.faults.hearNoSignals();
        LockHandle held = acquire(a);
        List<CompletableFuture<LockHandle>> waiting = waiting(a, BOUND);
        lose(name);

        List<LockHandle> holds = handOn(held, waiting);

        LockHandle last = holds.get(BOUND);
        // Otherwise a renewal has come in between, and the last hold is another grant.
        if (last.fencingToken() == held.fencingToken() + BOUND) {
            LockHandle successor = acquireSoon(peer());
            expectRelease(last, Release.LOST, "as the hold was deleted before the handoffs");
            expectBusy(peer(), "after the release of the deleted hold");
            expectRelease(successor, Release.RELEASED, "for the successor, whose hold was spared");
        }
        last.close();
        expectFree("after the last release");
    }

    @Test
    void s7_16_aReleaseFreesTheLockAlthoughAnAnswerDuringHandoffsWasLost() throws Exception {
        Peer a = handingOn();
        a.faults.dropReplies(1, Request.NEXT_BASE);
        List<LockHandle> holds = handOn(acquire(a), waiting(a, BOUND));
        LockHandle last = holds.get(BOUND);

        expectRelease(last, Release.RELEASED, "as no other client took the lock");

        LockHandle next = acquireSoon(peer());
        expect(next.fencingToken() > last.fencingToken(), "a token above " + last.fencingToken(), next.fencingToken());
        next.close();
        expectFree("after the other client's release");
    }

    @Test
    void v3_3_localHandoffsEndWhileAnotherClientWaits() throws Exception {
        Peer a = handingOn();
        Peer b = peer();
        LockHandle held = acquire(a);
        Task<Boolean> other = queued(
                b,
                () -> start(() -> {
                    b.lock(name).acquire().close();
                    return true;
                }));
        List<CompletableFuture<LockHandle>> waiting = waiting(a, BOUND + 1);

        List<LockHandle> holds = handOn(held, waiting.subList(0, BOUND));
        holds.get(BOUND).close();

        if (can(Capability.FAIR)) {
            get(other, "the other client is granted the lock after " + BOUND + " local handoffs", soon());
            get(waiting.get(BOUND), "the next local waiter is granted the lock").close();
        } else {
            get(waiting.get(BOUND), "the next local waiter is granted the lock").close();
            get(other);
        }
        expectFree("after the last release");
    }
}

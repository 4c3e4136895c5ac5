package io.github.distlock.tests;

import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rules V6: nothing grows with each acquire. */
abstract class LeakRules extends Rules {

    @ParameterizedTest
    @EnumSource
    void v6_1_manyAcquiresLeaveNothing(LockUse use) throws Exception {
        Peer a = peer();
        use(a, 50);
        int threads = a.threads().size();

        use(a, 200);

        expectClean("after many acquires and releases");
        expectNoMoreThreads(a, threads);
    }

    private void use(Peer peer, int names) throws InterruptedException {
        for (int i = 0; i < names; i++) {
            Optional<LockHandle> answer = use().lock(peer.locks, name + "/" + i).tryAcquire(store.patience());
            granted(answer, "a free lock is granted").close();
        }
    }

    @Test
    void v6_2_abandonedAttemptsLeaveNothing() throws Exception {
        Peer b = peer();
        LockHandle held = acquire(peer());
        abandon(b, held, 20);
        int threads = b.threads().size();

        abandon(b, held, 80);

        // First, for the store drops what was left behind after some time, and threads take some time to end.
        held.close();
        expectFree("after many attempts were abandoned");
        expectNoMoreThreads(b, threads);
    }

    private void abandon(Peer peer, LockHandle held, int times) throws InterruptedException {
        for (int i = 0; i < times; i++) {
            Optional<LockHandle> tried = peer.lock(name).tryAcquire();
            expectBusy(tried, held);
            try {
                Optional<LockHandle> waited = peer.lock(name).tryAcquire(Duration.ofMillis(1));
                expectBusy(waited, held);
            } catch (LockException e) {
                // So short a wait may be over before the store has answered once.
            }
            peer.lock(name).acquireAsync().cancel(true);
        }
    }

    /** Says whether the holds overlap, or whether a machine that stood still has lost the first one. */
    private void expectBusy(Optional<LockHandle> answer, LockHandle held) {
        expect(answer.isEmpty(), "busy", "granted, while the state of the hold is " + held.state());
    }

    private void expectNoMoreThreads(Peer peer, int before) {
        await(
                "at most " + before + " threads, as before",
                soon(),
                () -> peer.threads().size() <= before);
    }
}

package io.github.distlock.tests;

import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import io.github.distlock.LockLostException;
import io.github.distlock.LossReason;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rules V5: the end of a client. */
abstract class CloseRules extends Rules {

    @ParameterizedTest
    @EnumSource
    void v5_3_closingReportsRemainingHoldsAsLost(LockUse use) {
        Duration shutdown = Duration.ofMillis(100);
        Peer a = peer(builder -> builder.shutdownTimeout(shutdown));
        LockHandle held = acquire(a);
        List<LockLoss> losses = losses(held);

        closeWithin(a, shutdown);

        expectState(held, State.LOST, "after its client was closed");
        await("the loss is reported", soon(), () -> !losses.isEmpty());
        expect(losses.get(0).reason() == LossReason.CLIENT_CLOSED, "CLIENT_CLOSED", losses);
        LockLostException thrown = thrown(LockLostException.class, "by close of the hold", held::close);
        expect(thrown.loss().reason() == LossReason.CLIENT_CLOSED, "CLIENT_CLOSED", thrown.loss());
        expectFree("after its client was closed");
    }

    @Test
    void v5_5_closingIsBoundedIfTheStoreIsSilent() throws Exception {
        Duration shutdown = Duration.ofMillis(100);
        Peer a = peer(builder -> builder.requestTimeout(brief()).shutdownTimeout(shutdown));
        LockHandle held = acquire(a);
        a.lock(name + "x").acquire().ensureHeld();
        silence(a);

        closeWithin(a, shutdown.plus(brief().multipliedBy(2)));

        expectState(held, State.LOST, "after its client was closed");
        expectNoThreads(a);
    }

    @Test
    void v5_9_closingLeavesNoThread() {
        ThreadGroup threads = new ThreadGroup(name);
        useAndClose(threads);
        // What a client library keeps for the whole process is there from the first client on.
        Set<Thread> kept = alive(threads);

        useAndClose(threads);
        useAndClose(threads);

        if (!Waiting.until(soon(), () -> alive(threads).size() <= kept.size())) {
            throw broken(
                    "further clients leave no more threads than the first, " + kept,
                    alive(threads).toString(),
                    null);
        }
    }

    /** Uses two clients in a group of threads, to which all threads belong that they start. */
    private void useAndClose(ThreadGroup threads) {
        Peer a = peer();
        Peer b = peer();
        get(new Task<>(threads, name, () -> {
            LockHandle held = acquire(a);
            CompletableFuture<LockHandle> waiter = queued(b, () -> b.lock(name).acquireAsync());
            store.letPass(lease);
            expect(!a.threads().isEmpty(), "threads named distlock-" + a.client + "-", a.threads());
            b.locks.close();
            a.locks.close();
            expect(waiter.isDone() && !held.isHeld(), "wait and hold have ended", waiter);
            return true;
        }));
        expectNoThreads(a);
        expectNoThreads(b);
        expectFree("after its clients were closed");
    }

    private static Set<Thread> alive(ThreadGroup group) {
        Thread[] threads = new Thread[2 * group.activeCount() + 10];
        return Set.copyOf(Arrays.asList(threads).subList(0, group.enumerate(threads)));
    }

    @Test
    void v5_11_closingFailsFiftyWaiters() throws Exception {
        Peer a = peer();
        Peer b = peer();
        List<LockHandle> busy = new ArrayList<>();
        List<Task<LockHandle>> waiters = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            busy.add(a.lock(i == 0 ? name : name + "/" + i).acquire());
        }
        for (int i = 0; i < 50; i++) {
            waiters.add(start(b.lock(busy.get(i % busy.size()).lockName())::acquire));
        }
        await("all wait", () -> b.events.count("waiting") == 50);

        closeWithin(b, Duration.ZERO);

        for (Task<LockHandle> waiter : waiters) {
            failure(waiter, LockException.class, "of a waiter whose client is closed");
        }
        for (LockHandle held : busy) {
            expectHeld(held, "after another client was closed");
            held.close();
        }
        // First, for the store drops what was left behind after some time, and threads take some time to end.
        expectFree("after the releases, although waiters were closed");
        expectNoThreads(b);
    }

    @ParameterizedTest
    @EnumSource
    void v5_12_closingFreesAHundredLocks(LockUse use) throws Exception {
        Duration shutdown = Duration.ofMillis(100);
        Peer a = peer(builder -> builder.shutdownTimeout(shutdown));
        for (int i = 0; i < 100; i++) {
            use.lock(a.locks, i == 0 ? name : name + "/" + i).acquire().ensureHeld();
        }

        closeWithin(a, shutdown);

        expectFree("after a client with a hundred holds was closed");
    }

    private void expectNoThreads(Peer peer) {
        if (!Waiting.until(soon(), () -> peer.threads().isEmpty())) {
            throw broken("no thread of a closed client", peer.threads().toString(), null);
        }
    }

    private void closeWithin(Peer peer, Duration bound) {
        Task<Boolean> closing = start(() -> {
            peer.locks.close();
            return true;
        });
        get(closing);
        expectInTime(closing, bound);
    }
}

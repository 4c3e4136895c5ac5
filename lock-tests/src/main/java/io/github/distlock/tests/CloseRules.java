package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockInspector;
import io.github.distlock.LockLoss;
import io.github.distlock.LockLostException;
import io.github.distlock.LossReason;
import io.github.distlock.spi.Capability;
import io.github.distlock.tests.servers.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** The end of a client. */
abstract class CloseRules extends Rules {

    @Test
    void v5_1_closingFailsWaiters() throws Exception {
        Peer b = peer();
        LockHandle held = peer().lock(name).acquire();
        Task<LockHandle> waiter = startQueued(b, b.lock(name));
        Task<LockHandle> local = startWaiter(b, b.lock(name));
        Task<Optional<LockHandle>> timed = start(() -> b.lock(name).tryAcquire(Duration.ofHours(1)));
        CompletableFuture<LockHandle> future = b.lock(name).acquireAsync();
        await("all wait", () -> b.events.count("waiting") == 4);
        closeWithin(b, Duration.ZERO);
        failure(waiter, LockException.class, "of a waiter whose client is closed");
        failure(local, LockException.class, "of a local waiter whose client is closed");
        failure(timed, LockException.class, "of a timed waiter whose client is closed");
        failure(future, LockException.class, "of an asynchronous waiter whose client is closed");
        expectHeld(held, "after another client was closed");
        held.close();
        expectFree("after the release, although waiters were closed");
    }

    @Test
    void v5_2_holdersMayFinishWhileTheirClientCloses() throws Exception {
        Peer a = peer(builder -> builder.shutdownTimeout(Duration.ofHours(1)));
        LockHandle held = a.lock(name).acquire();
        DistributedLock lock = a.lock(name);
        List<LockLoss> losses = losses(held);
        Task<Boolean> closing = start(() -> {
            a.locks.close();
            return true;
        });
        await("new acquires are refused", () -> isRefused(lock));
        store.letPass(lease.multipliedBy(2));
        expectHeld(held, "and renewed while its client waits for it");
        expectBusy(peer(), "while the closing client waits for its holder");
        expect(!closing.isDone(), "close waits for the holder", "ended");
        LockHandle.Release outcome = held.release();
        expect(outcome == LockHandle.Release.RELEASED, "RELEASED", outcome);
        get(closing, "close ends when the last holder has finished", soon());
        expect(losses.isEmpty(), "no loss", losses);
        expectFree("after client and holder have ended");
    }

    private static boolean isRefused(DistributedLock lock) {
        try {
            lock.tryAcquire().ifPresent(LockHandle::release);
            return false;
        } catch (IllegalStateException e) {
            return true;
        }
    }

    @Test
    void v5_3_holdsThatRemainAreLost() throws Exception {
        Peer a = peer(builder -> builder.shutdownTimeout(Duration.ofMillis(100)));
        LockHandle held = a.lock(name).acquire();
        List<LockLoss> losses = losses(held);
        closeWithin(a, Duration.ofMillis(100));
        expectState(held, State.LOST, "after its client was closed");
        await("the loss is reported", soon(), () -> !losses.isEmpty());
        expect(losses.get(0).reason() == LossReason.CLIENT_CLOSED, "CLIENT_CLOSED", losses);
        LockLostException thrown = thrown(LockLostException.class, "by close of the hold", held::close);
        expect(thrown.loss().reason() == LossReason.CLIENT_CLOSED, "CLIENT_CLOSED", thrown.loss());
        expectFree("after its client was closed");
    }

    @Test
    void v5_4_holdsThatRemainAreReportedLostBeforeTheyAreFree() throws Exception {
        // Callbacks run where the engine reports, so that their order with the release can be seen.
        Peer a = peer(builder -> builder.callbackExecutor(Runnable::run));
        LockHandle held = a.lock(name).acquire();
        List<Integer> sent = new CopyOnWriteArrayList<>();
        held.onLost(loss -> sent.add(a.faults.releases()));
        a.locks.close();
        await("the loss is reported", () -> !sent.isEmpty());
        expect(sent.equals(List.of(0)), "no release has been sent when the loss is reported", sent + " releases");
        expectFree("after its client was closed");
    }

    @Test
    void s1_8_holdsEndBeforeAWaiterIsGrantedWhenTheirClientCloses() throws Exception {
        Peer a = peer();
        Peer b = peer();
        LockHandle held = a.lock(name).acquire();
        Task<State> waiter = start(() -> {
            try (LockHandle next = b.lock(name).acquire()) {
                expectHeld(next, "after the grant");
                return held.state();
            }
        });
        await("an acquire waits", () -> b.faults.toldBusy() > 0);
        a.locks.close();
        State seen = get(waiter);
        expect(seen == State.LOST, "LOST when the next is granted", seen);
    }

    @Test
    void v5_5_closingIsBoundedWhenTheStoreIsSilent() throws Exception {
        Duration requestTimeout = brief();
        Peer a = peer(builder -> builder.requestTimeout(requestTimeout).shutdownTimeout(Duration.ofMillis(100)));
        LockHandle held = a.lock(name).acquire();
        a.lock(name + "x").acquire().ensureHeld();
        silence(a);
        closeWithin(a, requestTimeout.multipliedBy(2).plusMillis(100));
        expectState(held, State.LOST, "after its client was closed");
        expectNoThreads(a);
    }

    @Test
    void v5_6_closingTwiceAndAtOnceIsNothing() throws Exception {
        Peer a = peer(builder -> builder.shutdownTimeout(Duration.ofMillis(100)));
        LockHandle held = a.lock(name).acquire();
        List<Task<State>> closings = List.of(start(() -> closeAndSee(a, held)), start(() -> closeAndSee(a, held)));
        for (Task<State> closing : closings) {
            State seen = get(closing);
            expect(seen == State.LOST, "each close ends when the client has ended", seen);
        }
        a.locks.close();
        expectFree("after its client was closed");
    }

    private static State closeAndSee(Peer peer, LockHandle held) {
        peer.locks.close();
        return held.state();
    }

    @Test
    void v5_7_aListenerMayCloseTheClient() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        LockHandle other = a.lock(name + "x").acquire();
        List<String> closed = new CopyOnWriteArrayList<>();
        held.onLost(loss -> {
            a.locks.close();
            closed.add("closed");
        });
        lose(name);
        store.letPass(lease.dividedBy(2));
        await("a listener closes its client", () -> !closed.isEmpty());
        expectState(other, State.LOST, "after its client was closed");
        expectFree(name + "x", "after its client was closed");
        expectNoThreads(a);
    }

    @Test
    void v5_8_aClosedClientRefusesAllUse() throws Exception {
        Peer a = peer();
        DistributedLock lock = a.lock(name);
        lock.acquire().close();
        Optional<LockInspector> inspector =
                can(Capability.INSPECT) ? Optional.of(a.locks.inspector()) : Optional.empty();
        a.locks.close();
        int before = a.faults.requests();
        Class<IllegalStateException> refusal = IllegalStateException.class;
        thrown(refusal, "by lock of a closed client", () -> a.locks.lock(name));
        thrown(refusal, "by lock of a closed client", () -> a.locks.lock(name, options()));
        thrown(refusal, "by acquire of a closed client", lock::acquire);
        thrown(refusal, "by tryAcquire of a closed client", lock::tryAcquire);
        thrown(refusal, "by a timed acquire of a closed client", () -> lock.tryAcquire(Duration.ofSeconds(1)));
        failure(lock.acquireAsync(), refusal, "of an asynchronous acquire of a closed client");
        failure(lock.tryAcquireAsync(Duration.ZERO), refusal, "of an asynchronous acquire of a closed client");
        inspector.ifPresent(closed -> thrown(refusal, "by inspect of a closed client", () -> closed.inspect(name)));
        expect(a.faults.requests() == before, "nothing is sent", (a.faults.requests() - before) + " requests");
        expectClean("after its client was closed");
    }

    @Test
    void v5_9_noThreadStaysBehind() throws Exception {
        ThreadGroup threads = new ThreadGroup(name);
        useAndClose(threads);
        // What a client library keeps for the whole process is there from the first client on.
        Set<Thread> kept = alive(threads);
        for (int i = 0; i < 2; i++) {
            useAndClose(threads);
        }
        if (!Waiting.until(soon(), () -> alive(threads).size() <= kept.size())) {
            throw broken(
                    "further clients leave no more threads than the first, " + kept,
                    alive(threads).toString(),
                    null);
        }
    }

    /** Two clients, whose threads belong to a group, whoever starts them. */
    private void useAndClose(ThreadGroup threads) throws Exception {
        Peer a = peer();
        Peer b = peer();
        get(startIn(threads, () -> {
            LockHandle held = a.lock(name).acquire();
            CompletableFuture<LockHandle> waiter = b.lock(name).acquireAsync();
            await("an acquire waits", () -> b.faults.toldBusy() > 0);
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
    void v5_10_anUnusedClientClosesToo() {
        Peer a = peer();
        a.locks.close();
        expect(a.faults.requests() == 0, "a client that was never used sends nothing", a.faults.requests());
        expectNoThreads(a);
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
        long latest = latest(bound);
        expect(closing.millis() <= latest, "closed within " + latest + " ms", closing.millis() + " ms");
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
            DistributedLock lock = b.lock(busy.get(i % busy.size()).lockName());
            waiters.add(start(lock::acquire));
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
        // First, for a place that was left behind is dropped after some time, and threads take some time to end.
        expectFree("after the releases, although waiters were closed");
        expectNoThreads(b);
    }
}

package io.github.distlock.tests;

import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Nothing grows, and nothing is forgotten. */
abstract class LeakRules extends Rules {

    @Test
    void v6_1_manyAcquiresLeaveNothing() throws Exception {
        Peer a = peer();
        for (int i = 0; i < 50; i++) {
            cycle(a, i);
        }
        int threads = a.threads().size();
        for (int i = 0; i < 200; i++) {
            cycle(a, i);
        }
        expectClean("after many acquires and releases");
        await(
                "at most " + threads + " threads, as before",
                soon(),
                () -> a.threads().size() <= threads);
    }

    private void cycle(Peer peer, int number) throws InterruptedException {
        peer.lock(name + "/" + number).acquire().close();
    }

    @Test
    void v6_2_abandonedAttemptsLeaveNothing() throws Exception {
        Peer b = peer();
        LockHandle held = peer().lock(name).acquire();
        for (int i = 0; i < 20; i++) {
            abandon(b);
        }
        int threads = b.threads().size();
        for (int i = 0; i < 80; i++) {
            abandon(b);
        }
        // First, for a place that was left behind is dropped after some time, and threads take some time to end.
        held.close();
        expectFree("after many attempts were abandoned");
        await(
                "at most " + threads + " threads, as before",
                soon(),
                () -> b.threads().size() <= threads);
    }

    private void abandon(Peer peer) throws InterruptedException {
        Optional<LockHandle> tried = peer.lock(name).tryAcquire();
        expect(tried.isEmpty(), "busy", "granted");
        try {
            Optional<LockHandle> waited = peer.lock(name).tryAcquire(Duration.ofMillis(1));
            expect(waited.isEmpty(), "busy", "granted");
        } catch (LockException e) {
            // So short a wait may be over before the store has answered once.
        }
        peer.lock(name).acquireAsync().cancel(true);
    }

    @Test
    void v9_1_aForgottenHandleIsNoticedAndReleased() {
        Peer a = peer();
        Forgotten forgotten = get(start(() -> forget(a)));
        awaitCollection(forgotten);
        await(
                "a forgotten handle is noticed once it is collected",
                Duration.ofSeconds(1).plus(soon()),
                () -> a.events.count("leaked") > 0);
        expectFree("after a handle was forgotten");
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        Events.Entry leak = a.events.of("leaked").get(0);
        expect(
                leak.event().lockName().equals(name) && leak.event().fencingToken() == forgotten.token,
                "the lock's name and the hold's token " + forgotten.token,
                leak.event());
        expect(a.events.count("leaked") == 1, "reported once", a.events.of("leaked"));
    }

    @Test
    void v9_2_aHandleThatIsClosedIsNotReported() throws Exception {
        Peer a = peer();
        for (int i = 0; i < 5; i++) {
            a.lock(name).acquire().close();
        }
        Forgotten forgotten = get(start(() -> forget(a)));
        awaitCollection(forgotten);
        await("a forgotten handle is noticed", () -> a.events.count("leaked") > 0);
        expect(
                a.events.of("leaked").stream().allMatch(leak -> leak.event().fencingToken() == forgotten.token),
                "only the forgotten one is reported",
                a.events.of("leaked"));
    }

    private record Forgotten(long token, WeakReference<LockHandle> handle) {}

    private Forgotten forget(Peer peer) throws InterruptedException {
        LockHandle forgotten = peer.lock(name).acquire();
        return new Forgotten(forgotten.fencingToken(), new WeakReference<>(forgotten));
    }

    private void awaitCollection(Forgotten forgotten) {
        await("a handle that nobody has is collected", () -> {
            System.gc();
            return forgotten.handle.get() == null;
        });
    }
}

package io.github.distlock.tests;

import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockListener;
import io.github.distlock.LockLoss;
import io.github.distlock.LossReason;
import io.github.distlock.tests.servers.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** Who listens is told everything, and can hurt nobody. */
abstract class ListenerRules extends Rules {

    @Test
    void api_24_acquireAndReleaseAreTold() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        held.close();
        expectEvents(a, "acquired", "released");
        Events.Entry acquired = a.events.all().get(0);
        Events.Entry released = a.events.all().get(1);
        expect(
                acquired.event().lockName().equals(name)
                        && acquired.event().fencingToken() == held.fencingToken()
                        && !acquired.event().duration().isNegative(),
                "name, token and duration of the acquire",
                acquired);
        expect(
                released.event().lockName().equals(name)
                        && released.event().fencingToken() == held.fencingToken()
                        && released.detail().equals("RELEASED"),
                "name, token and outcome of the release",
                released);
    }

    @Test
    void api_25_waitsAndTheirLengthAreTold() throws Exception {
        Peer b = peer();
        LockHandle held = peer().lock(name).acquire();
        Task<LockHandle> waiter = startQueued(b, b.lock(name));
        Events.Entry waiting = first(b, "waiting");
        expect(
                waiting.event().lockName().equals(name)
                        && waiting.event().fencingToken() == 0
                        && waiting.event().duration().isZero(),
                "name, no token and no duration of a wait",
                waiting);
        store.letPass(Duration.ofMillis(50));
        held.close();
        LockHandle next = get(waiter);
        Duration duration = first(b, "acquired").event().duration();
        expect(duration.compareTo(Duration.ofMillis(50)) >= 0, "the acquire took 50 ms or more", duration);
        store.letPass(Duration.ofMillis(50));
        next.close();
        Duration heldFor = first(b, "released").event().duration();
        expect(heldFor.compareTo(Duration.ofMillis(50)) >= 0, "it was held for 50 ms or more", heldFor);
        expectEvents(b, "waiting", "acquired", "released");
    }

    @Test
    void api_26_localPassesAreTold() throws Exception {
        Peer a = peer(builder -> builder.passing(64, Duration.ofMinutes(1)));
        LockHandle held = a.lock(name).acquire();
        Task<LockHandle> waiter = startWaiter(a, a.lock(name));
        held.close();
        LockHandle next = get(waiter);
        next.close();
        // The end of the one hold and the begin of the other are told in no fixed order.
        await("the listener is told both ends", () -> a.events.count("released") == 2);
        List<String> told = withoutRenewals(a).stream().sorted().toList();
        List<String> expected = List.of("acquired", "acquired", "passed", "released", "released", "waiting");
        expect(told.equals(expected), "the listener is told " + expected, told);
        Events.Entry passed = first(a, "passed");
        expect(
                passed.event().lockName().equals(name) && passed.event().fencingToken() == next.fencingToken(),
                "name and token of the new hold",
                passed);
        expect(next.fencingToken() > held.fencingToken(), "a token above " + held.fencingToken(), next.fencingToken());
        expectFree("after a pass");
    }

    @Test
    void api_27_renewalsAreTold() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        store.letPass(lease);
        Events.Entry renewed = first(a, "renewed");
        expect(
                renewed.event().lockName().equals(name) && renewed.event().fencingToken() == held.fencingToken(),
                "name and token of the hold",
                renewed);
        held.close();
    }

    @Test
    void s8_7_doubtAndItsEndAreTold() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        a.faults.failRenewals(Integer.MAX_VALUE);
        letPassUntilSuspect(a);
        Events.Entry suspect = first(a, "suspect");
        expectState(held, State.SUSPECT, "after a failed renewal");
        expect(held.isHeld(), "still held while in doubt", held.state());
        Duration left = suspect.event().duration();
        expect(
                left.compareTo(Duration.ZERO) > 0 && left.compareTo(lease) < 0,
                "some time is left, less than the lease of " + lease,
                left);
        int before = a.events.count("renewed");
        a.faults.failRenewals(0);
        letPassUntil("the listener is told that it was renewed", () -> a.events.count("renewed") > before);
        expectState(held, State.HELD, "after the next renewal succeeded");
        held.close();
        expectFree("after the release");
    }

    private void letPassUntilSuspect(Peer peer) {
        letPassUntil("a hold that is not renewed is in doubt", () -> peer.events.count("suspect") > 0);
    }

    private void letPassUntil(String expected, BooleanSupplier condition) {
        for (int i = 0; i < 18 && !condition.getAsBoolean(); i++) {
            store.letPass(lease.dividedBy(20));
        }
        await(expected, condition);
    }

    @Test
    void s8_8_aHoldInDoubtIsNotPassedOn() throws Exception {
        Peer a = peer(builder -> builder.passing(64, Duration.ofMinutes(1))
                .requestTimeout(brief())
                .outageTimeout(Duration.ofHours(24)));
        LockHandle held = a.lock(name).acquire();
        Task<LockHandle> waiter = startWaiter(a, a.lock(name));
        silence(a);
        // Then there is time enough left for a pass, if it were not in doubt.
        letPassUntilSuspect(a);
        held.release();
        restore(a);
        LockHandle next = get(waiter);
        expect(
                next.fencingToken() >> 8 > held.fencingToken() >> 8,
                "a grant of the store's for the next, after base " + (held.fencingToken() >> 8),
                "base " + (next.fencingToken() >> 8));
        expect(a.events.count("passed") == 0, "no pass", a.events.kinds());
        next.close();
        expectFree("after the release");
    }

    @Test
    void api_28_lossesAreTold() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        silence(a);
        store.letPass(lease);
        Events.Entry lost = first(a, "lost");
        expect(
                lost.detail().equals(LossReason.EXPIRED.name())
                        && lost.event().fencingToken() == held.fencingToken()
                        && lost.event().duration().compareTo(Duration.ZERO) > 0,
                "EXPIRED, with token and duration",
                lost);
        restore(a);
        held.release();
        expectFree("after the loss");
        List<Events.Entry> ends = a.events.of("lost");
        expect(ends.size() == 1, "one loss", ends);
    }

    @Test
    void v8_7_aListenerThatThrowsHurtsNobody() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        LockHandle other = a.lock(name + "x").acquire();
        held.onLost(loss -> {
            throw new AssertionError("thrown by a listener, on purpose");
        });
        List<LockLoss> losses = losses(held);
        lose(name);
        store.letPass(lease.multipliedBy(2));
        await("the other listener is called", () -> !losses.isEmpty());
        expectState(other, State.HELD, "although a listener threw");
        other.close();
        expectFree("although a listener threw");
    }

    @Test
    void v8_8_aListenerThatBlocksHurtsNobody() throws Exception {
        Peer a = peer();
        CountDownLatch over = new CountDownLatch(1);
        CountDownLatch inside = new CountDownLatch(1);
        LockHandle held = a.lock(name).acquire();
        LockHandle other = a.lock(name + "x").acquire();
        try {
            held.onLost(loss -> {
                inside.countDown();
                waitFor(over);
            });
            List<LockLoss> losses = losses(held);
            List<LockLoss> otherLosses = losses(other);
            lose(name);
            store.letPass(lease.dividedBy(2));
            await("the listener is called", () -> inside.getCount() == 0);
            await("the other listener is called", () -> !losses.isEmpty());
            store.letPass(lease.multipliedBy(2));
            expectState(other, State.HELD, "although a listener blocks");
            lose(name + "x");
            store.letPass(lease.dividedBy(2));
            await("losses are reported although a listener blocks", () -> !otherLosses.isEmpty());
            granted(a.lock(name).tryAcquire(), "granted although a listener blocks")
                    .close();
            a.locks.close();
        } finally {
            over.countDown();
        }
        expectFree("although a listener blocked");
    }

    @Test
    void v8_9_aClientListenerThatThrowsOrBlocksHurtsNobody() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        LockListener bad = new LockListener() {
            @Override
            public void acquired(LockEvent event) {
                throw new AssertionError("thrown by a listener, on purpose");
            }

            @Override
            public void released(LockEvent event, LockHandle.Release outcome) {
                waitFor(over);
            }
        };
        Peer a = peer(builder -> builder.listener(bad));
        try {
            for (int i = 0; i < 3; i++) {
                LockHandle held = get(start(a.lock(name)::acquire), "granted although a listener blocks", soon());
                List<LockLoss> losses = losses(held);
                if (i == 2) {
                    lose(name);
                    store.letPass(lease.dividedBy(2));
                    await("losses are reported although a listener blocks", () -> !losses.isEmpty());
                }
                held.release();
            }
            Task<Boolean> closing = start(() -> {
                a.locks.close();
                return true;
            });
            get(closing, "close ends although a listener blocks", store.patience());
        } finally {
            over.countDown();
        }
        expectFree("although a listener blocked");
    }

    private static void waitFor(CountDownLatch latch) {
        while (true) {
            try {
                latch.await();
                return;
            } catch (InterruptedException e) {
                // A listener that does not heed interrupts, either.
            }
        }
    }

    private Events.Entry first(Peer peer, String kind) {
        await("the listener is told: " + kind, () -> peer.events.count(kind) > 0);
        return peer.events.of(kind).get(0);
    }

    private void expectEvents(Peer peer, String... kinds) {
        if (!Waiting.until(soon(), () -> withoutRenewals(peer).equals(List.of(kinds)))) {
            throw broken(
                    "the listener is told " + List.of(kinds),
                    withoutRenewals(peer).toString(),
                    null);
        }
    }

    private static List<String> withoutRenewals(Peer peer) {
        return peer.events.kinds().stream()
                .filter(kind -> !kind.equals("renewed"))
                .toList();
    }
}

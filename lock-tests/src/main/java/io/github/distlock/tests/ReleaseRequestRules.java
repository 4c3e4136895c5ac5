package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import io.github.distlock.ReleaseRequest;
import io.github.distlock.spi.Capability;
import io.github.distlock.tests.FaultyBackend.Request;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rules V12: a request for release reaches the listeners of the present holders, and changes nothing else. */
abstract class ReleaseRequestRules extends Rules {
    private static final Duration SECOND = Duration.ofSeconds(1);
    /** Longer than a client takes to read a request. */
    private static final Duration LONG = SECOND.multipliedBy(2);

    /** Collects the requests that reach a listener of the hold. */
    private static List<ReleaseRequest> requests(LockHandle held) {
        List<ReleaseRequest> requests = new CopyOnWriteArrayList<>();
        held.onReleaseRequested(requests::add);
        return requests;
    }

    private void awaitInTime(String expected, List<ReleaseRequest> heard, int count) {
        await(expected, Duration.ofMillis(latest(SECOND)), () -> heard.size() == count);
    }

    /** Expects the refusal of a store that has no requests. */
    private boolean isRefused() {
        Peer peer = peer();
        if (peer.backend.capabilities().contains(Capability.RELEASE_REQUESTS)) {
            return false;
        }
        String without = "without " + Capability.RELEASE_REQUESTS;
        LockHandle held = acquire(peer);
        thrown(UnsupportedOperationException.class, without, () -> held.onReleaseRequested(request -> {}));
        thrown(
                UnsupportedOperationException.class,
                without,
                () -> peer.locks.inspector().requestRelease(name));
        held.close();
        return true;
    }

    private static boolean isShared(LockUse use) {
        return use == LockUse.READER || use == LockUse.PERMIT;
    }

    @ParameterizedTest
    @EnumSource
    void v12_1_eachHolderHearsOfARequest(LockUse use) {
        if (isRefused()) {
            return;
        }
        List<LockHandle> holds = new ArrayList<>(List.of(acquire(peer())));
        if (isShared(use)) {
            holds.add(acquire(peer()));
        }
        List<List<ReleaseRequest>> heard =
                holds.stream().map(ReleaseRequestRules::requests).toList();
        Peer c = peer();

        int holders = c.locks.inspector().requestRelease(name);

        expect(holders == holds.size(), holds.size() + " holders", holders);
        for (List<ReleaseRequest> each : heard) {
            awaitInTime("the listener of each holder is called", each, 1);
            String client = each.get(0).requester().client();
            expect(client.equals(c.client), "a request of " + c.client, client);
        }
        holds.forEach(held -> expectHeld(held, "after a request for release"));
        expectBusy(peer(), "after a request for release");
        holds.forEach(LockHandle::close);
        expectFree("after the releases");
    }

    @Test
    void v12_2_aListenerHearsOfAnEarlierRequest() {
        if (isRefused()) {
            return;
        }
        LockHandle held = acquire(peer());
        peer().locks.inspector().requestRelease(name);

        List<ReleaseRequest> heard = requests(held);

        awaitInTime("the listener is called for an earlier request", heard, 1);
        held.close();
        expectFree("after the release");
    }

    @ParameterizedTest
    @EnumSource
    void v12_3_aLaterHoldDoesNotHearOfARequest(LockUse use) {
        if (isRefused()) {
            return;
        }
        LockHandle first = acquire(peer());
        Peer c = peer();
        c.locks.inspector().requestRelease(name);
        if (!isShared(use)) {
            first.close();
        }
        LockHandle later = acquireSoon(peer());

        List<ReleaseRequest> heard = requests(later);

        store.letPass(LONG);
        expect(heard.isEmpty(), "no request from before the hold", heard);
        c.locks.inspector().requestRelease(name);
        awaitInTime("the listener is called for a later request", heard, 1);
        first.close();
        later.close();
        expectFree("after the releases");
    }

    @Test
    void v12_4_aHoldAfterALocalHandoffDoesNotHearOfARequest() {
        if (isRefused()) {
            return;
        }
        Peer a = peer(builder -> builder.localHandoff(64, Duration.ofMinutes(1)));
        LockHandle first = acquire(a);
        Task<LockHandle> waiter = start(lock(a)::acquire);
        await("a thread waits", () -> a.locks.usage().stream().anyMatch(used -> used.waiters() > 0));
        List<ReleaseRequest> heardByFirst = requests(first);
        Peer c = peer();
        c.locks.inspector().requestRelease(name);
        awaitInTime("the listener of the holder is called", heardByFirst, 1);
        first.close();
        LockHandle next = get(waiter, "a thread of the same client is granted the lock", soon());

        List<ReleaseRequest> heard = requests(next);

        store.letPass(LONG);
        expect(heard.isEmpty(), "no request from before the hold", heard);
        c.locks.inspector().requestRelease(name);
        awaitInTime("the listener is called for a later request", heard, 1);
        expect(heardByFirst.size() == 1, "no request for a hold that has ended", heardByFirst);
        next.close();
        expectFree("after the releases");
    }

    @Test
    void v12_5_aListenerHearsOfARequestOnce() {
        if (isRefused()) {
            return;
        }
        LockHandle held = acquire(peer());
        List<ReleaseRequest> heard = requests(held);
        Peer c = peer();
        c.locks.inspector().requestRelease(name);
        awaitInTime("the listener is called", heard, 1);

        store.letPass(LONG);

        expect(heard.size() == 1, "one call for one request", heard);
        c.locks.inspector().requestRelease(name);
        awaitInTime("the listener is called for another request", heard, 2);
        held.close();
        expectFree("after the release");
    }

    @Test
    void v12_6_aLostAnswerDelaysARequest() {
        if (isRefused()) {
            return;
        }
        Peer a = peer();
        LockHandle held = acquire(a);
        List<ReleaseRequest> heard = requests(held);
        a.faults.dropReplies(Integer.MAX_VALUE, Request.REQUESTED_RELEASES);
        peer().locks.inspector().requestRelease(name);
        int before = a.faults.dropped();
        // The first answer may be one from before the request.
        await("answers are lost", () -> a.faults.dropped() >= before + 2);

        a.faults.dropReplies(0);

        awaitInTime("the listener is called after the next answer", heard, 1);
        held.close();
        expectFree("after the release");
    }

    @Test
    void v12_7_aRequestOutlivesItsSender() {
        if (isRefused()) {
            return;
        }
        LockHandle held = acquire(peer());
        Peer c = peer();
        c.locks.inspector().requestRelease(name);
        c.locks.close();

        List<ReleaseRequest> heard = requests(held);

        awaitInTime("the listener is called for a request of a closed client", heard, 1);
        held.close();
        expectFree("after the release");
    }

    @Test
    void v12_8_aClientThatWasCutOffHearsOfARequest() {
        if (isRefused()) {
            return;
        }
        Peer a = peer();
        LockHandle held = acquire(a);
        List<ReleaseRequest> heard = requests(held);
        silence(a);
        peer().locks.inspector().requestRelease(name);
        store.letPass(lease.dividedBy(4));

        restore(a);

        await("the listener is called when the store answers again", () -> heard.size() == 1);
        held.close();
        expectFree("after the release");
    }
}

package io.github.distlock.tests;

import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockInspector;
import io.github.distlock.LockLoss;
import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.LossReason;
import io.github.distlock.spi.Capability;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A look from the outside; where a store offers none, the refusal. */
abstract class InspectorRules extends Rules {

    @Test
    void api_39_theInspectorSeesTheHolder() throws Exception {
        if (isRefused(Capability.INSPECT, peer())) {
            return;
        }
        Peer a = peer();
        LockInspector inspector = peer().locks.inspector();
        expectFreeStatus(inspector.inspect(name));
        Task<LockHandle> acquire = start(a.lock(name)::acquire);
        LockHandle held = get(acquire);
        LockStatus status = inspector.inspect(name);
        LockStatus.Holder holder = status.holder().orElseThrow(() -> broken("a holder", status.toString(), null));
        LockOwner owner = holder.owner();
        expect(status.lockName().equals(name), name, status.lockName());
        expect(
                owner.client().equals(a.client)
                        && owner.thread().equals(acquire.thread.getName())
                        && owner.processId() == ProcessHandle.current().pid()
                        && !owner.host().isBlank(),
                "client " + a.client + ", thread " + acquire.thread.getName() + ", this process and host",
                owner);
        expect(holder.fencingToken() == held.fencingToken(), "token " + held.fencingToken(), holder.fencingToken());
        expect(
                holder.remainingLease().compareTo(Duration.ZERO) > 0
                        && holder.remainingLease().compareTo(expiry(a)) <= 0,
                "at most " + expiry(a) + " of the lease are left",
                holder.remainingLease());
        Duration age = Duration.between(
                holder.since(), Instant.ofEpochMilli(a.backend.clock().wallMillis()));
        expect(age.abs().compareTo(Duration.ofMinutes(1)) < 0, "held since now", holder.since());
        expect(status.waiters().isEmpty(), "no waiters", status.waiters());
        held.close();
        expectFreeStatus(inspector.inspect(name));
        expectClean("after it was inspected");
    }

    private void expectFreeStatus(LockStatus status) {
        expect(
                status.holder().isEmpty()
                        && status.waiters().isEmpty()
                        && status.lockName().equals(name),
                "a free lock",
                status);
    }

    @Test
    void api_40_theInspectorSeesTheWaiters() throws Exception {
        if (isRefused(Capability.INSPECT, peer())) {
            return;
        }
        Peer b = peer();
        Peer c = peer();
        LockHandle held = peer().lock(name).acquire();
        Task<LockHandle> second = startQueued(b, b.lock(name));
        Task<LockHandle> third = startQueued(c, c.lock(name));
        List<String> waiters = peer().locks.inspector().inspect(name).waiters().stream()
                .map(LockOwner::client)
                .toList();
        List<String> expected = List.of(b.client, c.client);
        if (can(Capability.FAIR)) {
            expect(waiters.equals(expected), "the waiters in their order, " + expected, waiters);
        } else {
            expect(expected.containsAll(waiters), "nobody who does not wait", waiters);
        }
        held.close();
        b.locks.close();
        await("both waits end", () -> second.isDone());
        get(third).close();
        expectFree("after waiters were inspected");
    }

    @Test
    void v4_10_theInspectorReturnsInTimeWhenTheStoreIsSilent() {
        if (isRefused(Capability.INSPECT, peer())) {
            return;
        }
        Peer a = peer(builder -> builder.requestTimeout(Duration.ofMillis(200)));
        silence(a);
        Task<LockStatus> inspecting = start(() -> a.locks.inspector().inspect(name));
        failure(inspecting, LockException.class, "while the store is silent");
        long latest = latest(Duration.ofMillis(200));
        expect(inspecting.millis() <= latest, "back within " + latest + " ms", inspecting.millis() + " ms");
    }

    @Test
    void api_41_aForcedReleaseFreesTheLockAndTellsItsHolder() throws Exception {
        if (isRefused(Capability.FORCE_RELEASE, peer())) {
            return;
        }
        Peer a = peer();
        Peer b = peer();
        LockHandle held = a.lock(name).acquire();
        List<LockLoss> losses = losses(held);
        Task<LockHandle> waiter = startQueued(b, b.lock(name));
        LockInspector inspector = peer().locks.inspector();
        Optional<LockStatus.Holder> ended = inspector.forceRelease(name);
        expect(
                ended.map(LockStatus.Holder::fencingToken).equals(Optional.of(held.fencingToken())),
                "the hold that was ended, token " + held.fencingToken(),
                ended);
        LockHandle next = get(waiter, "the next waiter is served", soon());
        expect(next.fencingToken() > held.fencingToken(), "a token above " + held.fencingToken(), next.fencingToken());
        store.letPass(lease.dividedBy(2));
        await("the holder is told by its next renewal", soon(), () -> !losses.isEmpty());
        expect(losses.get(0).reason() == LossReason.GONE && !held.isHeld(), "GONE, and not held", losses);
        expectHeld(next, "after the renewal of the one before");
        next.close();
        expectFree("after the release");
        expect(inspector.forceRelease(name).isEmpty(), "nothing to end of a free lock", "a hold");
        expectClean("after a forced release of a free lock");
    }

    /** Asserts the refusal where the store cannot do it; without {@link Capability#INSPECT} there is no inspector at all. */
    private boolean isRefused(Capability capability, Peer peer) {
        if (peer.backend.capabilities().containsAll(List.of(capability, Capability.INSPECT))) {
            return false;
        }
        thrown(UnsupportedOperationException.class, "without " + capability, () -> {
            LockInspector inspector = peer.locks.inspector();
            if (capability == Capability.FORCE_RELEASE) {
                inspector.forceRelease(name);
            } else {
                expect(inspector.inspect(name) == null, "a refusal", "a status");
            }
        });
        return true;
    }
}

package io.github.distlock.engine;

import static java.util.Objects.requireNonNull;

import io.github.distlock.AcquireOutcome;
import io.github.distlock.LockEvent;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockListener;
import io.github.distlock.LockLoss;
import io.github.distlock.LockLostException;
import io.github.distlock.LossReason;
import io.github.distlock.engine.Outcome.Ended;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.view.Owned;
import java.time.Duration;
import java.util.Optional;

/**
 * Turns write holds into read holds, on the caller's thread.
 *
 * <p>The write hold ends as released, by the compare-and-set that ends every hold. Then its lease ends, which stops
 * renewals, and only then the store is asked. At the store, the hold changes in one step. So a crash or a loss at any
 * time leaves a write hold or a read hold there, which its lease ends.
 *
 * <p>The read hold belongs to a new lease in the queue of readers. The backend's signals find it through its
 * predecessor ({@link StoreHints}). Closing the client changes the {@link Lifecycle} and then ends all leases
 * that are watched. A downgrade has its lease watched and then reads the lifecycle, so no lease is missed.
 */
final class Downgrades {
    private final LocalQueues queues;
    private final Requests requests;
    private final Releases releases;
    private final Lease.Shared leases;
    private final boolean recordsAcquireStacks;

    Downgrades(LocalQueues queues, Requests requests, Releases releases, Lease.Shared leases) {
        this.queues = queues;
        this.requests = requests;
        this.releases = releases;
        this.leases = leases;
        this.recordsAcquireStacks = leases.settings().recordsAcquireStacks();
    }

    LockHandle downgrade(String name, LockHandle writing) {
        Handle handle = requireWriting(name, writing);
        Handle reading = handle.changing(() -> downgrade(handle));
        Hooks hooks = leases.callbacks().hooks();
        if (!hooks.areNone()) {
            LockEvent event = new LockEvent(name, reading.fencingToken(), Duration.ZERO);
            hooks.afterAcquire(event, AcquireOutcome.ACQUIRED);
        }
        Owned.interruptOnLoss(reading);
        return reading;
    }

    private Handle downgrade(Handle handle) {
        String name = handle.lockName();
        Hold hold = handle.hold();
        if (!hold.endForDowngrade()) {
            throw ended(handle);
        }
        Lease before = hold.lease();
        requests.begin();
        try {
            Handle reading = read(before, handle);
            hold.downgraded(Release.RELEASED);
            return reading;
        } catch (LockLostException e) {
            throw e;
        } catch (RuntimeException | Error e) {
            releases.releaseInBackground(before.won(), hold::releaseConfirmed);
            hold.downgraded(Release.PENDING);
            if (e instanceof Error error) {
                throw error;
            }
            throw new LockException(name, "not downgraded: " + (e.getMessage() == null ? e : e.getMessage()), e);
        } finally {
            before.wasGivenBack();
            requests.end();
        }
    }

    private Handle requireWriting(String name, LockHandle writing) {
        if (requireNonNull(writing, "writing") instanceof Handle handle
                && handle.isRenewedBy(leases.keeper())
                && handle.lockName().equals(name)
                && handle.hold().lease().won().request().mode().equals(LockMode.WRITE)) {
            return handle;
        }
        throw new IllegalArgumentException("writing must be a hold of the write lock \"" + name
                + "\", as an acquire of this client returned it, but was: " + writing);
    }

    /** Returns what the owner of an ended hold gets to see. */
    private static RuntimeException ended(Handle writing) {
        LockLoss loss = writing.hold().loss();
        return loss == null
                ? new IllegalStateException("lock \"" + writing.lockName() + "\" was released")
                : new LockLostException(loss);
    }

    private static RuntimeException lost(Handle writing, LossReason reason) {
        writing.hold().lostByDowngrade(reason);
        return ended(writing);
    }

    private Handle read(Lease before, Handle writing) {
        WonGrant won = before.won();
        Optional<Grant> granted = requests.repeatUninterrupted(won.grant()::downgrade);
        if (granted.isEmpty()) {
            won.contender().forget();
            throw lost(writing, LossReason.GONE);
        }
        WonGrant reading = won.downgraded(granted.get());
        LockKey key =
                new LockKey(writing.lockName(), LockMode.READ, writing.hold().options());
        LocalQueue queue;
        Lease lease;
        do {
            queue = queues.get(key);
            lease = new Lease(queue, reading, leases, writing.fencingToken());
        } while (!queue.adopt(lease));
        lease.holds.followWriter();
        before.hints.setSuccessor(lease.hints);
        Handle read = lease.offer();
        Thread thread = Thread.currentThread();
        if (read == null || !read.hold().accept(thread.getId(), thread.getName(), recordsAcquireStacks)) {
            throw lost(writing, lease.lossReason());
        }
        leases.callbacks().event(key.name(), read.fencingToken(), 0, LockListener::acquired);
        Ended refusal = queues.refusal();
        if (refusal != null) {
            lease.lose(refusal == Ended.CLOSED ? LossReason.CLIENT_CLOSED : LossReason.CHECKPOINT);
        }
        return read;
    }
}

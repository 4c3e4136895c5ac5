package io.github.distlock.engine;

import static java.util.Objects.requireNonNull;

import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import java.time.Duration;
import java.util.OptionalLong;

/** A grant, with the contender that won it. */
record WonGrant(Grant grant, Contender contender, LockRequest request) {
    /** Throws if the backend names no server. */
    WonGrant {
        requireNonNull(grant.server(), "the grant's server");
    }

    /** Returns the server that keeps the grant at present. */
    Object server() {
        return grant.server();
    }

    /** Returns whether the lock stays busy for some time if the hold is lost. */
    boolean hasLockDelay() {
        return !request.lockDelay().isZero();
    }

    /** Returns the read grant that this write grant has become. */
    WonGrant downgraded(Grant reading) {
        return new WonGrant(reading, contender, request.withMode(LockMode.READ));
    }

    /** Returns the same grant for a store that may keep it for this time. */
    WonGrant lasting(Duration lease) {
        LockRequest longer = LockRequest.exclusive(request.name(), lease, request.owner())
                .withMode(request.mode())
                .withMinimumHold(request.minimumHold())
                .withLockDelay(request.lockDelay());
        return lease.compareTo(request.lease()) > 0 ? new WonGrant(grant, contender, longer) : this;
    }

    /** Returns another base for local handoffs, or empty if the store has none. */
    OptionalLong nextBase(Deadline deadline) throws InterruptedException {
        return request.mode().kind() == LockMode.Kind.EXCLUSIVE ? grant.nextBase(deadline) : OptionalLong.empty();
    }

    /** Ends the hold at the store, which keeps the lock for some time if that is not zero. */
    Grant.Release release(Duration keptFor, Deadline deadline) throws InterruptedException {
        return keptFor.isZero() ? grant.release(deadline) : grant.keep(keptFor, deadline);
    }
}

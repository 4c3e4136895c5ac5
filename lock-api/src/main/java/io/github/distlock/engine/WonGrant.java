package io.github.distlock.engine;

import static java.util.Objects.requireNonNull;

import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import java.time.Duration;

/**
 * A grant, with the contender that won it.
 *
 * @param server the server that keeps the grant
 */
record WonGrant(Grant grant, Contender contender, LockRequest request, Object server) {
    /** Throws if the backend names no server. */
    WonGrant(Grant grant, Contender contender, LockRequest request) {
        this(grant, contender, request, requireNonNull(grant.server(), "the grant's server"));
    }

    /** Returns the read grant that this write grant has become. */
    WonGrant downgraded(Grant reading) {
        return new WonGrant(reading, contender, request.withMode(LockMode.READ));
    }

    /** Ends the hold at the store, which keeps the lock for some time if that is not zero. */
    Grant.Release release(Duration keptFor, Deadline deadline) throws InterruptedException {
        return keptFor.isZero() ? grant.release(deadline) : grant.keep(keptFor, deadline);
    }
}

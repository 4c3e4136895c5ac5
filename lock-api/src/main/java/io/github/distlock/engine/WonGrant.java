package io.github.distlock.engine;

import static java.util.Objects.requireNonNull;

import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;

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
}

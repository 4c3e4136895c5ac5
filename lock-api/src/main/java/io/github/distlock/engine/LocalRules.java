package io.github.distlock.engine;

import io.github.distlock.spi.LockMode;

/**
 * What the mode of a lock allows among the waiters of one client. Queues and leases know nothing else of the mode.
 *
 * @param handsOff whether a lease may go to the next local waiter after a release
 * @param joins whether waiters may join a lease that others use
 * @param meansBusy whether a hold of this client excludes all other acquires of the queue, which wait for it
 * @param stopsJoins whether a waiter keeps others from joining leases of the same name
 */
record LocalRules(boolean handsOff, boolean joins, boolean meansBusy, boolean stopsJoins) {
    private static final LocalRules EXCLUSIVE = new LocalRules(true, false, true, false);
    private static final LocalRules READ = new LocalRules(false, true, false, false);
    private static final LocalRules WRITE = new LocalRules(true, false, true, true);
    private static final LocalRules PERMITS = new LocalRules(true, false, false, false);

    static LocalRules of(LockMode mode) {
        return switch (mode.kind()) {
            case EXCLUSIVE -> EXCLUSIVE;
            case READ -> READ;
            case WRITE -> WRITE;
            case PERMITS -> PERMITS;
        };
    }
}

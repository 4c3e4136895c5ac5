package io.github.distlock.engine;

/**
 * What the mode of a lock allows among the waiters of one client. Nothing else in the engine depends on the mode.
 *
 * @param handsOff whether a lease may go to the next local waiter after a release
 * @param meansBusy whether a hold of this client excludes all other acquires of this client
 */
record LocalRules(boolean handsOff, boolean meansBusy) {
    /** One holder at a time. */
    static final LocalRules EXCLUSIVE = new LocalRules(true, true);
}

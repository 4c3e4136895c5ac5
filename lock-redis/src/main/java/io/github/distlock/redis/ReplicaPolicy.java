package io.github.distlock.redis;

/**
 * How many replicas must have confirmed a grant before it counts.
 *
 * @param least the least number; 0 if no replica has to
 * @param all whether all replicas must that are connected at the time of the grant
 */
record ReplicaPolicy(int least, boolean all) {
    static final ReplicaPolicy NONE = new ReplicaPolicy(0, false);

    boolean isNone() {
        return least == 0;
    }

    /** Returns how many replicas must confirm a grant of a primary with some connected ones. */
    int needed(int connected) {
        return all ? Math.max(least, connected) : least;
    }
}

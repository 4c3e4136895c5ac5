package io.github.distlock.tests.history;

/**
 * Counts what a history contains. A history that contains too little proves nothing.
 *
 * @param grants how many acquires were granted
 * @param aimedFaults how many faults struck their target: a holder, the first waiter, or the server
 * @param ambiguousAcquires how many requests for a lock had an unknown outcome because their reply was dropped
 * @param losses how many holders were notified of a loss
 * @param grantsOfEachMode how many acquires were granted in the rarest mode of those that the store has
 */
public record Coverage(long grants, long aimedFaults, long ambiguousAcquires, long losses, long grantsOfEachMode) {
    /** The share of all grants that each mode needs. */
    private static final int SHARE = 200;

    /**
     * Counts a minimum in which each mode has one of 200 grants.
     *
     * @param grants as in the record
     * @param aimedFaults as in the record
     * @param ambiguousAcquires as in the record
     * @param losses as in the record
     */
    public Coverage(long grants, long aimedFaults, long ambiguousAcquires, long losses) {
        this(grants, aimedFaults, ambiguousAcquires, losses, grants / SHARE);
    }

    /**
     * Compares each count with a minimum.
     *
     * @param minimum the least counts
     * @return true if no count is less than its minimum
     */
    public boolean reaches(Coverage minimum) {
        return grants >= minimum.grants
                && aimedFaults >= minimum.aimedFaults
                && ambiguousAcquires >= minimum.ambiguousAcquires
                && losses >= minimum.losses
                && grantsOfEachMode >= minimum.grantsOfEachMode;
    }
}

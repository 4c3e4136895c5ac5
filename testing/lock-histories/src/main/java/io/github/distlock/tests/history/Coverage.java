package io.github.distlock.tests.history;

/**
 * Counts what a history contains. A history that contains too little proves nothing.
 *
 * @param grants how many acquires were granted
 * @param aimedFaults how many faults struck their target: a holder, the first waiter, or the server
 * @param ambiguousAcquires how many requests for a lock had an unknown outcome because their reply was dropped
 * @param losses how many holders were notified of a loss
 */
public record Coverage(long grants, long aimedFaults, long ambiguousAcquires, long losses) {
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
                && losses >= minimum.losses;
    }
}

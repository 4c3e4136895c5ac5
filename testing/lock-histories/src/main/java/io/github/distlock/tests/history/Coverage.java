package io.github.distlock.tests.history;

/**
 * What a history has to contain before it proves anything.
 *
 * @param grants how many acquires got the lock
 * @param aimedFaults how many faults hit whom they were aimed at: a holder, the first waiter, or the server
 * @param ambiguousAcquires how many requests for a lock lost their replies
 * @param losses how many holders were told that they had lost the lock
 */
public record Coverage(long grants, long aimedFaults, long ambiguousAcquires, long losses) {
    /**
     * Whether it is enough.
     *
     * @param minimum what is wanted
     * @return true when there is at least as much of each
     */
    public boolean reaches(Coverage minimum) {
        return grants >= minimum.grants
                && aimedFaults >= minimum.aimedFaults
                && ambiguousAcquires >= minimum.ambiguousAcquires
                && losses >= minimum.losses;
    }
}

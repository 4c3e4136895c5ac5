package io.github.distlock.tests.history;

/** What a history has to show, and the promises behind it. */
public enum HistoryRule {
    /** No record is missing or out of place: otherwise nothing can be said. */
    COMPLETE("the history is complete"),
    /** S1. */
    HOLDS_DO_NOT_OVERLAP("S1: holds of one lock do not overlap"),
    /** S6. */
    CLAIMS_END_BEFORE_THE_NEXT_GRANT("S6: no hold claims to be valid beyond the next grant"),
    /** S3. */
    TOKENS_RISE("S3: tokens rise in the order of grants, and in real time"),
    /** S6. */
    LOSS_IS_TOLD("S6: a loss is told within a second after the hold's own end"),
    /** V4. */
    CALLS_RETURN_IN_TIME("V4: a timed call returns in time, and each call returns"),
    /** V3. */
    FAIR_LOCKS_SERVE_IN_ORDER("V3: fair locks serve first come, first served"),
    /** S7, V6. */
    NOTHING_IS_LEFT("S7, V6: nothing is left in the store after its expiry"),
    /** V5. */
    PROCESSES_END("V5: processes end in time and in order");

    private final String sentence;

    HistoryRule(String sentence) {
        this.sentence = sentence;
    }

    /**
     * The rule.
     *
     * @return a sentence for people, with the number of its promise
     */
    public String sentence() {
        return sentence;
    }
}

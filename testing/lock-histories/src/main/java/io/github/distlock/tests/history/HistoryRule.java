package io.github.distlock.tests.history;

/** The rules of a history, with the promises that they check. */
public enum HistoryRule {
    /** No event is missing or out of order. Otherwise the other rules prove nothing. */
    COMPLETE("the history is complete"),
    /** S1. */
    HOLDS_DO_NOT_OVERLAP("S1: holds of one lock do not overlap"),
    /** S9. */
    WRITERS_EXCLUDE_OTHERS("S9: a write hold overlaps no other hold"),
    /** S10. */
    PERMITS_FIT("S10: permits in use do not exceed the limit"),
    /** S11. */
    WRITERS_TOKENS_RISE("S11: a writer's token is greater than those before it, and a downgraded hold keeps its token"),
    /** S12. */
    NAMES_HAVE_ONE_KIND("S12: holds of one name at the same time are of one kind"),
    /** S6. */
    CLAIMS_END_BEFORE_THE_NEXT_GRANT("S6: no hold claims validity beyond the next grant"),
    /** S3. */
    TOKENS_RISE("S3: tokens rise in the order of grants, and in real time"),
    /** S3. */
    LOCAL_TOKENS_RISE("S3: the token of a local handoff is greater than those of all grants before it"),
    /** S6. */
    LOSS_IS_REPORTED("S6: a loss is reported within a second of the hold's end"),
    /** V4. */
    CALLS_RETURN_IN_TIME("V4: a timed call returns in time, and each call returns"),
    /** V3, V10. */
    FAIR_LOCKS_SERVE_IN_ORDER("V3, V10: fair locks grant in the order of the queue"),
    /** V2, V10. */
    FREE_LOCKS_ARE_GRANTED("V2, V10: a waiter gets what is free for it without delay, if no fault has struck"),
    /** S13. */
    MINIMUM_HOLDS_LAST("S13: a released lock is granted to nobody before its minimum hold is over"),
    /** S15. */
    LOCK_DELAYS_LAST("S15: a lost lock is granted to nobody before its lock delay is over"),
    /** V9. */
    DROPPED_HANDLES_ARE_REPORTED("V9: a dropped handle is reported once, and its hold ends"),
    /** S7, V6. */
    NOTHING_IS_LEFT("S7, V6: nothing stays in the store beyond its expiry"),
    /** S14. */
    EXTENSIONS_LAST("S14: after a confirmed extension, a hold lasts for at least that time"),
    /** S2. */
    GRANTS_ARE_VALID("S2: no acquire succeeds with less than its minimum validity"),
    /** S14. */
    EXTENSIONS_ARE_NOT_INHERITED("S14: a hold begins with a usual lease, whatever an earlier one has asked for"),
    /** V11. */
    STICKY_LOCKS_GO_BACK("V11: a client keeps a sticky lock without a holder for a second, or until it is wanted"),
    /** V12. */
    REQUESTS_ARE_HEARD_ONCE("V12: a listener hears of each request at most once, and of none from before its hold"),
    /** Holders are warned of the ends of their holds. */
    WARNINGS_COME("API: a warning runs on a callback thread, once for each fall of the validity"),
    /** V5. */
    PROCESSES_END("V5: processes end in time and in order"),
    /** The contract of the API. */
    FAILURES_ARE_DOCUMENTED("API: calls throw only what their contract names, and no error ends a thread");

    private final String sentence;

    HistoryRule(String sentence) {
        this.sentence = sentence;
    }

    /** {@return the rule as a sentence, with the number of its promise} */
    public String sentence() {
        return sentence;
    }

    /** {@return the numbers of the promises} */
    public String promises() {
        return sentence.substring(0, Math.max(0, sentence.indexOf(':')));
    }
}

package io.github.distlock.tests.history;

/**
 * A violation of a rule.
 *
 * @param rule the rule
 * @param what a description of what the history shows
 * @param from when the history begins to break the rule, on its clock
 * @param until when the history was last seen to break the rule
 */
public record Violation(HistoryRule rule, String what, long from, long until) {
    /**
     * Makes a violation that has no time.
     *
     * @param rule the rule
     * @param what a description of what was seen
     */
    public Violation(HistoryRule rule, String what) {
        this(rule, what, Long.MIN_VALUE, Long.MAX_VALUE);
    }

    @Override
    public String toString() {
        return rule.sentence() + " -- seen: " + what;
    }
}

package io.github.distlock.tests.history;

/**
 * A violation of a rule.
 *
 * @param rule the rule
 * @param what a description of what the history shows
 */
public record Violation(HistoryRule rule, String what) {
    @Override
    public String toString() {
        return rule.sentence() + " -- seen: " + what;
    }
}

package io.github.distlock.tests.history;

/**
 * Something that cannot be.
 *
 * @param rule what it breaks
 * @param what for people
 */
public record Violation(HistoryRule rule, String what) {
    @Override
    public String toString() {
        return rule.sentence() + " -- seen: " + what;
    }
}

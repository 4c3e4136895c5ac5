/**
 * The contract that every backend has to keep, as JUnit tests.
 *
 * <p>Start at {@link io.github.distlock.tests.LockContract}.
 */
module io.github.distlock.tests {
    requires transitive io.github.distlock;
    requires org.junit.jupiter.api;
    requires static org.jspecify;

    exports io.github.distlock.tests;

    opens io.github.distlock.tests to
            org.junit.platform.commons;
}

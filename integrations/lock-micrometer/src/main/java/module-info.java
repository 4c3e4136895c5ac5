/**
 * Metrics and observations of distlock for Micrometer.
 *
 * <p>Start at {@link io.github.distlock.micrometer.LockMetrics}.
 */
module io.github.distlock.micrometer {
    requires transitive io.github.distlock;
    requires micrometer.commons;
    requires transitive micrometer.core;
    requires transitive micrometer.observation;
    requires org.slf4j;
    requires static com.google.errorprone.annotations;
    requires static org.jspecify;

    exports io.github.distlock.micrometer;
}

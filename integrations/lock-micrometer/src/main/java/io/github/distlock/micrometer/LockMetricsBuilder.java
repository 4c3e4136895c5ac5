package io.github.distlock.micrometer;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Settings of {@link LockMetrics}. Not thread-safe. */
@SuppressWarnings("exports") // an annotation for tools, which users need not have
public final class LockMetricsBuilder {
    private final MeterRegistry registry;
    private @Nullable ObservationRegistry observations;
    private boolean observesAll;
    private Function<String, Optional<String>> lockTag = name -> Optional.empty();

    LockMetricsBuilder(MeterRegistry registry) {
        this.registry = registry;
    }

    /**
     * Makes an observation of each blocking acquire that waits.
     *
     * @param registry where the observations go; {@link ObservationRegistry#NOOP} counts as none
     * @return this
     */
    @CanIgnoreReturnValue
    public LockMetricsBuilder observations(ObservationRegistry registry) {
        observations = requireNonNull(registry, "registry").equals(ObservationRegistry.NOOP) ? null : registry;
        return this;
    }

    /**
     * Makes an observation of each blocking acquire, whether or not it waits. Each costs a span.
     *
     * @param every false by default
     * @return this
     */
    @CanIgnoreReturnValue
    public LockMetricsBuilder observeEveryAcquire(boolean every) {
        observesAll = every;
        return this;
    }

    /**
     * Sets what the tag {@code lock} is.
     *
     * @param tag returns the value for a lock's name, or empty for the default: the text before the first {@code /} or
     *     {@code :}. Must be quick, and must not throw
     * @return this
     */
    @CanIgnoreReturnValue
    public LockMetricsBuilder lockTag(Function<String, Optional<String>> tag) {
        lockTag = requireNonNull(tag, "tag");
        return this;
    }

    /**
     * Builds the metrics.
     *
     * @return new metrics, which measure no client yet
     */
    public LockMetrics build() {
        return new LockMetrics(registry, observations, observesAll, new LockTags(lockTag));
    }
}

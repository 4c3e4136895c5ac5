package io.github.distlock.micrometer;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.ObservationFilter;
import io.micrometer.observation.ObservationRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Settings of {@link LockMetrics}. Not thread-safe. */
@SuppressWarnings("exports") // an annotation for tools, which users need not have
public final class LockMetricsBuilder {
    private final MeterRegistry registry;
    private @Nullable ObservationRegistry observations;
    private boolean observesAll;
    private final List<ObservationFilter> filters = new ArrayList<>();
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
     * Adds a filter to the acquires that are no observations. They count in the same timer, and some monitoring systems
     * want the same tags for all timers of a name. So give the filters that the observation registry has, in their
     * order: the registry does not tell them.
     *
     * @param filter may add tags; is called for each acquire, on its thread or on the callback executor
     * @return this
     */
    @CanIgnoreReturnValue
    public LockMetricsBuilder observationFilter(ObservationFilter filter) {
        filters.add(requireNonNull(filter, "filter"));
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
        return new LockMetrics(registry, observations, observesAll, List.copyOf(filters), new LockTags(lockTag));
    }
}

package io.github.distlock.micrometer;

import io.github.distlock.AcquireOutcome;
import io.micrometer.common.KeyValue;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationFilter;
import java.util.List;

/** The tags that the timer of an observed acquire has, for acquires that only count. */
final class ObservedTags {
    /** The handlers of observations add it. */
    private static final Tags NO_ERROR = Tags.of("error", "none");

    private final List<ObservationFilter> filters;

    ObservedTags(List<ObservationFilter> filters) {
        this.filters = filters;
    }

    Tags of(AcquireContext acquire, AcquireOutcome outcome) {
        acquire.setName(AcquireContext.NAME);
        acquire.addLowCardinalityKeyValue(KeyValue.of(ClientMeters.OUTCOME, ClientMeters.text(outcome)));
        Observation.Context context = acquire;
        for (ObservationFilter filter : filters) {
            context = filter.map(context);
        }
        return NO_ERROR.and(context.getLowCardinalityKeyValues().stream()
                .map(pair -> Tag.of(pair.getKey(), pair.getValue()))
                .toList());
    }
}

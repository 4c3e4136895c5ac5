package io.github.distlock.micrometer;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockClient;
import io.github.distlock.LockClientBuilder;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.ObservationFilter;
import io.micrometer.observation.ObservationRegistry;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Measures lock clients for Micrometer. Make one for each {@link MeterRegistry}; it can measure several clients.
 * Thread-safe.
 *
 * <p>All meters have the tag {@code client} with the client's name. Meters of a lock have the tag {@code lock}, which
 * is not the lock's name but the text before the first {@code /} or {@code :} in it. So {@code orders/42} counts as
 * {@code orders}. There are at most 100 values; further ones count as {@code other}, and the log has one warning.
 *
 * <p>Meters count the events of a {@link io.github.distlock.LockListener}, so they may be a little late. If the client
 * drops events, {@code distlock.listener.dropped} says how many. The gauges do not depend on events. Clients of one
 * name share their meters.
 *
 * <p>With an {@linkplain LockMetricsBuilder#observations observation registry}, a blocking acquire that waits is an
 * observation {@code distlock.acquire}, whose handlers make the timer of this name and a span. Its scope is open while
 * the thread waits. All other acquires only count in the timer, which then has the tag {@code error} of observations,
 * too. The registry must have a handler that makes timers. The registry of Spring Boot has one.
 */
@SuppressWarnings("exports") // an annotation for tools, which users need not have
public final class LockMetrics {
    private final MeterRegistry registry;
    private final @Nullable ObservationRegistry observations;
    private final boolean observesAll;
    private final List<ObservationFilter> filters;
    private final LockTags tags;
    private final Gauges gauges;
    /** Not to count twice what a framework and the application both measure. */
    private final Set<LockClientBuilder> measured =
            Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    LockMetrics(
            MeterRegistry registry,
            @Nullable ObservationRegistry observations,
            boolean observesAll,
            List<ObservationFilter> filters,
            LockTags tags) {
        this.registry = registry;
        this.observations = observations;
        this.observesAll = observesAll;
        this.filters = filters;
        this.tags = tags;
        gauges = new Gauges(registry, tags);
    }

    /**
     * Begins the settings of new metrics.
     *
     * @param registry where the meters are
     * @return a builder with defaults
     */
    public static LockMetricsBuilder builder(MeterRegistry registry) {
        return new LockMetricsBuilder(requireNonNull(registry, "registry"));
    }

    /**
     * Builds a client that is measured.
     *
     * @param settings of the client, which gets a listener, and a hook if there is an observation registry
     * @return the new client
     * @throws IllegalArgumentException as {@link LockClientBuilder#build()} does
     * @throws IllegalStateException as {@link LockClientBuilder#build()} does
     */
    public LockClient build(LockClientBuilder settings) {
        LockClient client = measure(settings).build();
        show(client);
        return client;
    }

    /**
     * Adds the meters to the settings of a client that other code builds, such as a framework. {@link #build} does this
     * itself. The client's name may still change. Settings that have these meters already are not changed.
     *
     * @param settings of the client, which gets a listener, and a hook if there is an observation registry
     * @return the same settings
     */
    @CanIgnoreReturnValue
    public LockClientBuilder measure(LockClientBuilder settings) {
        if (measured.add(requireNonNull(settings, "settings"))) {
            ClientMeters meters = meters(settings::name);
            settings.listener(meters);
            if (observations != null) {
                settings.hook(new AcquireObservations(observations, observesAll, meters));
            }
        }
        return settings;
    }

    ClientMeters meters(Supplier<String> client) {
        return new ClientMeters(
                client, registry, tags, gauges, observations == null ? null : new ObservedTags(filters));
    }

    /**
     * Lets the gauges count the holds and waiters of a client whose settings {@link #measure} has changed.
     * {@link #build} does this itself.
     *
     * @param client is not kept from the garbage collector
     */
    public void show(LockClient client) {
        gauges.add(requireNonNull(client, "client"));
    }
}

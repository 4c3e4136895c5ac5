package io.github.distlock.micrometer;

import io.github.distlock.LockClient;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToDoubleFunction;

/**
 * The gauges of all clients. Clients of one name share theirs. A registry warns of a gauge that is registered twice. So
 * this class knows those that it has registered, and forgets what the registry removes.
 *
 * <p>No thread registers a gauge while it holds a lock of the maps, because registries call {@link #forget} under a
 * lock of theirs. If a registry is cleared while a gauge is registered, the gauge may stay away.
 */
final class Gauges {
    private final MeterRegistry registry;
    private final LockTags tags;
    private final Map<String, Usage> usages = new ConcurrentHashMap<>();
    private final Set<Key> shown = ConcurrentHashMap.newKeySet();
    private final Map<Meter, Key> meters = new ConcurrentHashMap<>();

    private record Key(String client, String tag) {}

    Gauges(MeterRegistry registry, LockTags tags) {
        this.registry = registry;
        this.tags = tags;
        registry.config().onMeterRemoved(this::forget);
    }

    private void forget(Meter removed) {
        Key key = meters.remove(removed);
        if (key != null) {
            shown.remove(key);
        }
    }

    void add(LockClient client) {
        usage(client.name()).add(client);
    }

    private Usage usage(String client) {
        return usages.computeIfAbsent(client, name -> new Usage(tags));
    }

    /** Shows the use of a client's locks with one tag. Returns false if it is shown already. */
    boolean show(String client, String tag) {
        Key key = new Key(client, tag);
        if (!shown.add(key)) {
            return false;
        }
        register("distlock.holds", "Holds at present", key, usage -> usage.holds(tag));
        register("distlock.waiters", "Acquires that wait at present", key, usage -> usage.waiters(tag));
        return true;
    }

    private void register(String name, String description, Key key, ToDoubleFunction<Usage> value) {
        Gauge gauge = Gauge.builder(name, usage(key.client), value)
                .description(description)
                .tags(Tags.of(ClientMeters.CLIENT, key.client, ClientMeters.LOCK, key.tag))
                .register(registry);
        meters.put(gauge, key);
    }
}

package io.github.distlock.micrometer;

import io.github.distlock.AcquireOutcome;
import io.github.distlock.HandoffKind;
import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle;
import io.github.distlock.LockListener;
import io.github.distlock.LossReason;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Counts the events of one client. */
final class ClientMeters implements LockListener {
    static final String ACQUIRE = "distlock.acquire";
    static final String CLIENT = "client";
    static final String LOCK = "lock";
    static final String OUTCOME = "outcome";
    private static final String OK = "ok";
    private static final String FAILED = "failed";

    private final Supplier<String> name;
    private final MeterRegistry registry;
    private final LockTags tags;
    private final Gauges gauges;
    private final @Nullable ObservedTags observed;

    /**
     * Makes a listener. It registers nothing before the first event.
     *
     * @param name returns the client's name, which may change until the client is built
     * @param observed not null if a hook observes or counts the blocking acquires
     */
    ClientMeters(
            Supplier<String> name,
            MeterRegistry registry,
            LockTags tags,
            Gauges gauges,
            @Nullable ObservedTags observed) {
        this.name = name;
        this.registry = registry;
        this.tags = tags;
        this.gauges = gauges;
        this.observed = observed;
    }

    String clientName() {
        return name.get();
    }

    String tag(String lockName) {
        return tags.of(lockName);
    }

    /** Counts an acquire that is no observation. */
    void acquireEnded(LockEvent event, AcquireOutcome outcome) {
        String lockName = event.lockName();
        Tags all = observed == null
                ? lock(event).and(OUTCOME, text(outcome))
                : observed.of(new AcquireContext(clientName(), lockName, tag(lockName)), outcome);
        timer(ACQUIRE, "How long acquires took", all).record(event.duration());
    }

    private void ended(LockEvent event, AcquireOutcome outcome) {
        if (observed == null || event.isAsynchronous()) {
            acquireEnded(event, outcome);
        }
    }

    @Override
    public void waiting(LockEvent event) {
        inUse(event.lockName());
    }

    @Override
    public void notAcquired(LockEvent event, AcquireOutcome outcome) {
        ended(event, outcome);
    }

    @Override
    public void acquired(LockEvent event) {
        inUse(event.lockName());
        ended(event, AcquireOutcome.ACQUIRED);
    }

    @Override
    public void handedOff(LockEvent event, HandoffKind kind) {
        handoffs(tag(event.lockName()), kind).increment();
    }

    @Override
    public void renewed(LockEvent event) {
        renewal(event, OK);
    }

    @Override
    public void renewalFailed(LockEvent event, Throwable cause) {
        renewal(event, FAILED);
    }

    private void renewal(LockEvent event, String outcome) {
        renewals(outcome).record(event.duration());
    }

    @Override
    public void lost(LockEvent event, LossReason reason) {
        counter("distlock.lost", "Holds that were lost", lock(event).and("reason", text(reason)))
                .increment();
        held(event, "lost");
    }

    @Override
    public void released(LockEvent event, LockHandle.Release outcome) {
        switch (outcome) {
            case RELEASED -> held(event, "released");
            case PENDING -> held(event, "unconfirmed");
            case LOST -> {} // The loss has been reported, too.
        }
    }

    private void held(LockEvent event, String outcome) {
        timer("distlock.hold.duration", "How long locks were held", lock(event).and(OUTCOME, outcome))
                .record(event.duration());
    }

    @Override
    public void leaked(LockEvent event) {
        leaks().increment();
    }

    @Override
    public void eventsDropped(long count) {
        drops().increment((double) count);
    }

    private Tags lock(LockEvent event) {
        return client().and(LOCK, tag(event.lockName()));
    }

    /** Meters that do not exist before their first event would hide it from a rate. */
    private void inUse(String lockName) {
        String tag = tag(lockName);
        if (gauges.show(clientName(), tag)) {
            for (HandoffKind kind : HandoffKind.values()) {
                var unused = handoffs(tag, kind);
            }
            var unused = List.of(renewals(OK), renewals(FAILED), leaks(), drops());
        }
    }

    private Counter handoffs(String tag, HandoffKind kind) {
        return counter(
                "distlock.handoff",
                "Holds that began without a request to the store",
                client().and(LOCK, tag).and("kind", text(kind)));
    }

    private Timer renewals(String outcome) {
        return timer("distlock.renewal", "How long renewals took", client().and(OUTCOME, outcome));
    }

    private Counter leaks() {
        return counter("distlock.leaked", "Handles that were dropped without being closed", client());
    }

    private Counter drops() {
        return counter("distlock.listener.dropped", "Events that the other meters miss", client());
    }

    private Tags client() {
        return Tags.of(CLIENT, clientName());
    }

    private Timer timer(String name, String description, Tags all) {
        return Timer.builder(name).description(description).tags(all).register(registry);
    }

    private Counter counter(String name, String description, Tags all) {
        return Counter.builder(name).description(description).tags(all).register(registry);
    }

    static String text(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}

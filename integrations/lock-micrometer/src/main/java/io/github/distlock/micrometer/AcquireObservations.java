package io.github.distlock.micrometer;

import io.github.distlock.AcquireOutcome;
import io.github.distlock.LockEvent;
import io.github.distlock.LockHook;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;

/**
 * Makes observations of blocking acquires, and counts those without one. The scope of an observation is open from its
 * start to the end of the acquire, on one thread. So the end finds it as the thread's current observation.
 */
final class AcquireObservations implements LockHook {
    private final ObservationRegistry registry;
    private final boolean everyAcquire;
    private final ClientMeters meters;

    AcquireObservations(ObservationRegistry registry, boolean everyAcquire, ClientMeters meters) {
        this.registry = registry;
        this.everyAcquire = everyAcquire;
        this.meters = meters;
    }

    @Override
    public void beforeAcquire(String lockName) {
        if (everyAcquire) {
            start(lockName);
        }
    }

    @Override
    public void beforeWait(String lockName) {
        if (!everyAcquire) {
            start(lockName);
        }
    }

    /** Does nothing while the registry has no handler. It may get handlers later. */
    private void start(String lockName) {
        if (registry.isNoop()) {
            return;
        }
        AcquireContext context = new AcquireContext(meters.clientName(), lockName, meters.tag(lockName));
        Observation observation = Observation.createNotStarted(AcquireContext.NAME, () -> context, registry);
        // A predicate of the registry may have refused it. The end would not find its scope, and leave it open.
        if (observation.getContext() instanceof AcquireContext) {
            var unused = observation.start().openScope();
        }
    }

    @Override
    public void afterAcquire(LockEvent event, AcquireOutcome outcome) {
        Observation.Scope scope = registry.getCurrentObservationScope();
        if (scope != null
                && scope.getCurrentObservation().getContext() instanceof AcquireContext acquire
                && acquire.lockName().equals(event.lockName())) {
            end(scope, event, outcome);
        } else {
            meters.acquireEnded(event, outcome);
        }
    }

    private static void end(Observation.Scope scope, LockEvent event, AcquireOutcome outcome) {
        Observation observation = scope.getCurrentObservation();
        try {
            scope.close();
            var unused = observation.lowCardinalityKeyValue(ClientMeters.OUTCOME, ClientMeters.text(outcome));
            if (event.fencingToken() != 0) {
                unused = observation.highCardinalityKeyValue("fencing.token", Long.toString(event.fencingToken()));
            }
        } finally {
            observation.stop();
        }
    }
}

package io.github.distlock.tests;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.Signals;
import java.time.Duration;
import java.util.List;

/** Clients that keep a sticky lock without a reason, for too long, or not at all. */
final class BrokenStickyLocks {
    private BrokenStickyLocks() {}

    static List<PlantedBug> all() {
        return List.of(
                new PlantedBug("no hold is sticky", "V11.1", it -> it.hearsOthers = grant -> false),
                new PlantedBug(
                        "a hold is sticky although others wait",
                        "V11.4",
                        it -> it.hearsOthers = grant -> grant.contender.request.isSticky()),
                new PlantedBug(
                        "a client is not notified of others that ask for its sticky lock",
                        "V11.2 V11.3",
                        it -> it.signals = (request, signals) -> new Deaf(signals)),
                new PlantedBug(
                        "a single try only looks whether the lock is held",
                        "V11.3",
                        it -> it.attempt = (contender, deadline) -> contender.request.waits()
                                        || it.inner
                                                .inspect(contender.request.name(), deadline)
                                                .holders()
                                                .isEmpty()
                                ? contender.inner.attempt(deadline)
                                : Attempt.busy(Duration.ofSeconds(1))),
                new PlantedBug(
                        "a sticky hold ends with its lease alone",
                        "V11.2 V11.3 V11.4 V11.5 V11.6",
                        it -> it.release = (grant, deadline) -> grant.contender.request.isSticky()
                                ? Grant.Release.RELEASED
                                : grant.inner.release(deadline)));
    }

    /** Passes on all signals except that others want the lock. */
    private record Deaf(Signals signals) implements Signals {
        @Override
        public void wakeUp() {
            signals.wakeUp();
        }

        @Override
        public void wanted() {}

        @Override
        public void suspect() {
            signals.suspect();
        }

        @Override
        public void gone() {
            signals.gone();
        }
    }
}

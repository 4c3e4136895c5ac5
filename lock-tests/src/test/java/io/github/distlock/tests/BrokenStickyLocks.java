package io.github.distlock.tests;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.Signals;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

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
                        "V11.2 V11.3 V11.9",
                        it -> it.signals = (request, signals) -> new Deaf(signals, () -> true)),
                new PlantedBug(
                        "a client is not notified of a request to release its sticky lock", "V11.9", silentRequests()),
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

    private static Consumer<BrokenBackend> silentRequests() {
        AtomicBoolean isRequesting = new AtomicBoolean();
        return it -> {
            it.signals = (request, signals) -> new Deaf(signals, isRequesting::get);
            it.requestRelease = (name, requester, deadline) -> {
                isRequesting.set(true);
                try {
                    return it.inner.requestRelease(name, requester, deadline);
                } finally {
                    isRequesting.set(false);
                }
            };
        };
    }

    /** Passes on all signals, except at times that others want the lock. */
    private record Deaf(Signals signals, BooleanSupplier isDeaf) implements Signals {
        @Override
        public void wakeUp() {
            signals.wakeUp();
        }

        @Override
        public void wanted() {
            if (!isDeaf.getAsBoolean()) {
                signals.wanted();
            }
        }

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

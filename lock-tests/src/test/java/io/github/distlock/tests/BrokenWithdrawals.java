package io.github.distlock.tests;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.LockRequest;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** What stays behind of an attempt that is given up, or whose outcome is unknown. */
final class BrokenWithdrawals {
    private BrokenWithdrawals() {}

    static List<PlantedBug> all() {
        return List.of(
                new PlantedBug(
                        "a withdrawal does nothing",
                        "API.10 S7.1 S7.10 S7.11 S7.12 S7.14 V5.11 V6.2 V7.2",
                        it -> it.withdraw = (place, deadline) -> {}),
                new PlantedBug(
                        "nothing is cleaned up after a lost reply",
                        "S7.10 V7.10",
                        it -> it.withdraw = (place, deadline) -> {
                            Optional<LockOwner> holder = it.inspect(place.request.name(), deadline)
                                    .holder()
                                    .map(LockStatus.Holder::owner);
                            if (!holder.equals(Optional.of(place.request.owner()))) {
                                place.inner.withdraw(deadline);
                            }
                        }),
                new PlantedBug(
                        "a withdrawal loses the lock that was handed to it",
                        "S7.5 S7.14",
                        it -> it.withdraw = (place, deadline) -> {
                            if (place.inner.attempt(deadline) instanceof Attempt.Busy) {
                                place.inner.withdraw(deadline);
                            }
                        }),
                new PlantedBug(
                        "a withdrawal goes by the name, not by the contender",
                        "S7.11",
                        it -> it.withdraw = (place, deadline) -> {
                            place.inner.withdraw(deadline);
                            it.store.delete(place.request.name());
                        }),
                new PlantedBug("a request is sent again after its cleanup", "S7.13", BrokenWithdrawals::sendAgain),
                new PlantedBug(
                        "each retry has a new owner value",
                        "S7.7 S7.9 S7.10",
                        it -> it.attempt = (place, deadline) -> {
                            Attempt answer = place.inner.attempt(deadline);
                            if (answer instanceof Attempt.Busy) {
                                place.inner.withdraw(deadline);
                            }
                            place.inner = it.inner.contend(place.request, place.signals);
                            return answer;
                        }),
                new PlantedBug("an interrupt leaves what its request has won", "V7.6 V7.10", BrokenWithdrawals::leave),
                new PlantedBug(
                        "a single try enters the queue",
                        "S1.5 V6.2",
                        it -> it.request =
                                request -> LockRequest.exclusive(request.name(), request.lease(), request.owner())));
    }

    /** As a client library that retries does. */
    private static void sendAgain(BrokenBackend it) {
        Set<Contender> unanswered = ConcurrentHashMap.newKeySet();
        it.attempt = (place, deadline) -> {
            unanswered.add(place);
            Attempt answer = place.inner.attempt(deadline);
            unanswered.remove(place);
            return answer;
        };
        it.withdraw = (place, deadline) -> {
            place.inner.withdraw(deadline);
            if (unanswered.remove(place)) {
                var unused = place.inner.attempt(deadline);
            }
        };
    }

    private static void leave(BrokenBackend it) {
        Set<Contender> interrupted = ConcurrentHashMap.newKeySet();
        it.attempt = (place, deadline) -> {
            Attempt answer = place.inner.attempt(deadline);
            try {
                TimeUnit.MILLISECONDS.sleep(200);
            } catch (InterruptedException e) {
                interrupted.add(place);
                throw e;
            }
            return answer;
        };
        it.withdraw = (place, deadline) -> {
            if (!interrupted.contains(place)) {
                place.inner.withdraw(deadline);
            }
        };
    }
}

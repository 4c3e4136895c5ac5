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
                        it -> it.withdraw = (contender, deadline) -> {}),
                new PlantedBug(
                        "nothing is cleaned up after a lost reply",
                        "S7.10 V7.10 F2.1",
                        it -> it.withdraw = (contender, deadline) -> {
                            Optional<LockOwner> holder =
                                    it.inspect(contender.request.name(), deadline).holders().stream()
                                            .findFirst()
                                            .map(LockStatus.Holder::owner);
                            if (!holder.equals(Optional.of(contender.request.owner()))) {
                                contender.inner.withdraw(deadline);
                            }
                        }),
                new PlantedBug(
                        "a withdrawal loses the lock that was handed to it",
                        "S7.5 S7.14",
                        it -> it.withdraw = (contender, deadline) -> {
                            if (contender.inner.attempt(deadline) instanceof Attempt.Busy) {
                                contender.inner.withdraw(deadline);
                            }
                        }),
                new PlantedBug(
                        "a withdrawal goes by the name, not by the contender",
                        "S7.11",
                        it -> it.withdraw = (contender, deadline) -> {
                            contender.inner.withdraw(deadline);
                            it.store.delete(contender.request.name());
                        }),
                new PlantedBug("a request is sent again after its cleanup", "S7.13", BrokenWithdrawals::sendAgain),
                new PlantedBug(
                        "each retry has a new owner value",
                        "S7.7 S7.9 S7.10",
                        it -> it.attempt = (contender, deadline) -> {
                            Attempt answer = contender.inner.attempt(deadline);
                            if (answer instanceof Attempt.Busy) {
                                contender.inner.withdraw(deadline);
                            }
                            contender.inner = it.inner.contend(contender.request, contender.signals);
                            return answer;
                        }),
                new PlantedBug("an interrupt leaves what its request has won", "V7.6 V7.10", BrokenWithdrawals::leave),
                new PlantedBug(
                        "a single try enters the queue",
                        "S1.5 V6.2",
                        it -> it.request =
                                request -> LockRequest.exclusive(request.name(), request.lease(), request.owner())
                                        .withMode(request.mode())));
    }

    /** As a client library that retries does. */
    private static void sendAgain(BrokenBackend it) {
        Set<Contender> unanswered = ConcurrentHashMap.newKeySet();
        it.attempt = (contender, deadline) -> {
            unanswered.add(contender);
            Attempt answer = contender.inner.attempt(deadline);
            unanswered.remove(contender);
            return answer;
        };
        it.withdraw = (contender, deadline) -> {
            contender.inner.withdraw(deadline);
            if (unanswered.remove(contender)) {
                var unused = contender.inner.attempt(deadline);
            }
        };
    }

    private static void leave(BrokenBackend it) {
        Set<Contender> interrupted = ConcurrentHashMap.newKeySet();
        it.attempt = (contender, deadline) -> {
            Attempt answer = contender.inner.attempt(deadline);
            try {
                // Ample time for the test to see the request, and to interrupt.
                TimeUnit.MILLISECONDS.sleep(answer instanceof Attempt.Granted ? 1_000 : 0);
            } catch (InterruptedException e) {
                interrupted.add(contender);
                throw e;
            }
            return answer;
        };
        it.withdraw = (contender, deadline) -> {
            if (!interrupted.contains(contender)) {
                contender.inner.withdraw(deadline);
            }
        };
    }
}

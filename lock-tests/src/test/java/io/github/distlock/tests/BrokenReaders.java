package io.github.distlock.tests;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.WrappedBackend.WrappedContender;
import io.github.distlock.tests.WrappedBackend.WrappedGrant;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** Readers and writers that exclude too much or too little, end each other's holds, or come out of turn. */
final class BrokenReaders {
    private BrokenReaders() {}

    static List<PlantedBug> all() {
        Map<String, Grant> lastReaders = new ConcurrentHashMap<>();
        AtomicBoolean hasWoken = new AtomicBoolean();
        AtomicBoolean isDowngrading = new AtomicBoolean();
        AtomicBoolean isWithdrawing = new AtomicBoolean();
        return List.of(
                new PlantedBug(
                        "readers exclude each other",
                        "S9.1 V10.2 V10.3 V10.4",
                        it -> it.request = request -> isReader(request) ? request.withMode(LockMode.WRITE) : request),
                new PlantedBug(
                        "a writer asks as a reader",
                        "S9.2 S9.3 S9.4 V10.1",
                        it -> it.request = request ->
                                request.mode().equals(LockMode.WRITE) ? request.withMode(LockMode.READ) : request),
                new PlantedBug(
                        "a reader's release ends the holds of all readers",
                        "S9.3",
                        it -> it.release = (grant, deadline) -> {
                            Grant.Release outcome = grant.inner.release(deadline);
                            if (isReader(grant.contender.request)) {
                                it.store.delete(grant.contender.request.name());
                            }
                            return outcome;
                        }),
                new PlantedBug("a reader joins readers of other clients, although a writer waits", "V10.1", it -> {
                    it.attempt = (contender, deadline) -> {
                        Attempt answer = contender.inner.attempt(deadline);
                        Grant other = lastReaders.get(contender.request.name());
                        return answer instanceof Attempt.Busy && isReader(contender.request) && other != null
                                ? Attempt.granted(other)
                                : answer;
                    };
                    it.onGrant((contender, grant) -> {
                        if (isReader(contender.request)) {
                            lastReaders.put(contender.request.name(), grant);
                        }
                    });
                }),
                new PlantedBug("a release wakes one waiter, although more of them fit", "V10.2 V10.6 V10.7", it -> {
                    QuietSignals.plant(it, () -> hasWoken.getAndSet(true));
                    it.release = (grant, deadline) -> {
                        hasWoken.set(false);
                        return grant.inner.release(deadline);
                    };
                }),
                new PlantedBug("a downgrade wakes no waiter", "V10.3", it -> {
                    QuietSignals.plant(it, isDowngrading::get);
                    it.downgrade = (grant, deadline) -> {
                        isDowngrading.set(true);
                        try {
                            return grant.inner.downgrade(deadline);
                        } finally {
                            isDowngrading.set(false);
                        }
                    };
                }),
                new PlantedBug("a withdrawal wakes no waiter", "V10.4 V10.9", it -> {
                    QuietSignals.plant(it, isWithdrawing::get);
                    it.withdraw = (contender, deadline) -> {
                        isWithdrawing.set(true);
                        try {
                            contender.inner.withdraw(deadline);
                        } finally {
                            isWithdrawing.set(false);
                        }
                    };
                }),
                new PlantedBug(
                        "the readers' marker is constant: a renewal succeeds while any reader holds the lock",
                        "S5.4 S9.7",
                        it -> it.gone = renewal -> {
                            if (isReader(request(renewal))
                                    && hasReaders(it, request(renewal).name())) {
                                renewal.renewed(Validity.of(it.clock().now(), renewal.lease()));
                            } else {
                                renewal.gone();
                            }
                        }),
                new PlantedBug(
                        "a renewal enters a stale reader again",
                        "S5.3 S9.7",
                        it -> it.gone = renewal -> {
                            if (isReader(request(renewal))) {
                                it.contendAndAttempt(request(renewal), soon(it));
                                renewal.renewed(Validity.of(it.clock().now(), renewal.lease()));
                            } else {
                                renewal.gone();
                            }
                        }),
                new PlantedBug(
                        "a reader's renewal renews the holds of all readers",
                        "S9.6",
                        renewTogether(BrokenReaders::isReader)),
                new PlantedBug(
                        "tokens of readers come from another counter",
                        "S11.1",
                        it -> it.fencingBase = grant ->
                                grant.inner.fencingBase() + (isReader(grant.contender.request) ? 1_000_000 : 0)),
                new PlantedBug(
                        "each holder is told that others wait",
                        "S11.2",
                        it -> it.onGrant((contender, grant) -> contender.signals.wanted())),
                new PlantedBug(
                        "a downgrade releases the lock, and then asks for it as a reader",
                        "S9.5 S11.3",
                        it -> it.downgrade = (grant, deadline) -> {
                            var unused = grant.inner.release(deadline);
                            return reader(it, grant, deadline);
                        }),
                new PlantedBug("a repeated downgrade does not know the reader", "S9.8 F2.20", it -> {
                    Set<Grant> asked = ConcurrentHashMap.newKeySet();
                    it.downgrade =
                            (grant, deadline) -> asked.add(grant) ? grant.inner.downgrade(deadline) : Optional.empty();
                }),
                new PlantedBug("a hold cannot be released after a downgrade that was not answered", "S9.9", it -> {
                    Set<Grant> asked = ConcurrentHashMap.newKeySet();
                    it.downgrade = (grant, deadline) -> {
                        asked.add(grant);
                        return grant.inner.downgrade(deadline);
                    };
                    it.release = (grant, deadline) ->
                            asked.contains(grant) ? Grant.Release.GONE : grant.inner.release(deadline);
                }),
                new PlantedBug(
                        "a downgrade of a hold that is gone takes the lock again",
                        "S9.10",
                        it -> it.downgrade = (grant, deadline) -> {
                            Optional<Grant> reading = grant.inner.downgrade(deadline);
                            return reading.isPresent() ? reading : reader(it, grant, deadline);
                        }));
    }

    private static boolean isReader(LockRequest request) {
        return request.mode().equals(LockMode.READ);
    }

    private static LockRequest request(Renewal renewal) {
        return ((WrappedGrant) renewal.grant()).contender.request;
    }

    private static Deadline soon(BrokenBackend it) {
        return Deadline.after(Duration.ofSeconds(1), it.clock());
    }

    private static boolean hasReaders(BrokenBackend it, String name) {
        try {
            return it.inspect(name, soon(it)).holders().stream()
                    .anyMatch(holder -> holder.mode().equals(LockMode.READ));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Asks as a reader, as one more contender. */
    private static Optional<Grant> reader(BrokenBackend it, WrappedGrant writer, Deadline deadline)
            throws InterruptedException {
        WrappedContender contender = writer.contender;
        Attempt answer = it.inner
                .contend(contender.request.withMode(LockMode.READ), contender.signals)
                .attempt(deadline);
        return answer instanceof Attempt.Granted granted ? Optional.of(granted.grant()) : Optional.empty();
    }

    /** Gives all holds of a name one expiry, which each renewal moves. */
    static Consumer<BrokenBackend> renewTogether(Predicate<LockRequest> requests) {
        Map<String, Map<Grant, Duration>> holders = new ConcurrentHashMap<>();
        return it -> {
            it.onGrant((contender, grant) -> {
                if (requests.test(contender.request)) {
                    holders.computeIfAbsent(contender.request.name(), any -> new ConcurrentHashMap<>())
                            .put(grant, contender.request.lease());
                }
            });
            it.renewAll = (due, deadline) -> {
                for (Renewal renewal : due) {
                    Map<Grant, Duration> together =
                            holders.getOrDefault(request(renewal).name(), Map.of());
                    for (Map.Entry<Grant, Duration> held : together.entrySet()) {
                        it.renew(held.getKey(), held.getValue(), deadline);
                    }
                }
                it.passOn(due, deadline);
            };
        };
    }
}

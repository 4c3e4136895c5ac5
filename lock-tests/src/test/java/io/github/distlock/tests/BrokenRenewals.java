package io.github.distlock.tests;

import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.WrappedBackend.WrappedGrant;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;

/** Renewals that touch other holds than they should, come too seldom or too often, or give a wrong answer. */
final class BrokenRenewals {
    private static final int POOL = 10;

    private BrokenRenewals() {}

    static List<PlantedBug> all() {
        Map<String, Grant> holders = new ConcurrentHashMap<>();
        Set<InMemoryStore> disconnected = ConcurrentHashMap.newKeySet();
        return List.of(
                new PlantedBug(
                        "the renewal of a lost hold succeeds",
                        "S5.3 S5.4 S6.5 S14.3 F1.7",
                        it -> it.gone = renewal ->
                                renewal.renewed(Validity.of(it.clock().now(), renewal.lease()))),
                new PlantedBug("a renewal never reports that a hold is lost", "S6.5", it -> it.gone = renewal -> {}),
                new PlantedBug(
                        "a renewal creates what is missing",
                        "S5.3",
                        it -> it.renewAll = (due, deadline) -> {
                            due.forEach(renewal -> it.contendAndAttempt(request(renewal), deadline));
                            it.passOn(due, deadline);
                        }),
                new PlantedBug(
                        "a renewal does not compare the owner",
                        "S5.4",
                        it -> it.gone = renewal -> {
                            it.store.delete(request(renewal).name());
                            it.contendAndAttempt(request(renewal), Deadline.after(Duration.ofSeconds(1), it.clock()));
                            renewal.gone();
                        }),
                new PlantedBug("objects of other backends are skipped", "API.43", it -> {
                    it.renewAll = (due, deadline) -> it.passOn(
                            due.stream()
                                    .filter(each -> each.grant() instanceof WrappedGrant)
                                    .toList(),
                            deadline);
                }),
                new PlantedBug(
                        "nothing is renewed",
                        "V8.2 V8.3 V8.4 V8.12 API.42 F1.3 F2.7 F2.17",
                        it -> it.renewAll = (due, deadline) -> {}),
                new PlantedBug(
                        "a renewal is confirmed and not carried out",
                        "S14.7 V8.2 V8.4",
                        it -> it.renewAll = (due, deadline) -> due.forEach(
                                each -> each.renewed(Validity.of(it.clock().now(), each.lease())))),
                new PlantedBug("the first error ends renewal", "V8.3", it -> {
                    AtomicBoolean failed = new AtomicBoolean();
                    it.renewAll = (due, deadline) -> {
                        if (failed.compareAndSet(false, true)) {
                            it.passOn(due, deadline);
                            failed.set(false);
                        }
                    };
                }),
                new PlantedBug(
                        "an error counts as loss",
                        "S6.3 V8.3",
                        it -> it.renewAll = (due, deadline) -> {
                            try {
                                it.passOn(due, deadline);
                            } catch (IllegalStateException e) {
                                due.forEach(Renewal::gone);
                            }
                        }),
                new PlantedBug("renewals come far too often", "V8.5", it -> {
                    it.validity = grant -> often(grant.inner.validity());
                    it.renewed = BrokenRenewals::often;
                }),
                new PlantedBug("renewal goes by the name and outlives the release", "V1.4", it -> watch(it, holders)),
                new PlantedBug("waits and renewals share a connection", "V8.10 V4.1", BrokenRenewals::shareConnection),
                new PlantedBug("waiters use up the pool that renewals need", "V8.12", it -> {
                    Set<Contender> waiters = ConcurrentHashMap.newKeySet();
                    it.attempt = (contender, deadline) -> {
                        Attempt answer = contender.inner.attempt(deadline);
                        boolean unused =
                                answer instanceof Attempt.Busy ? waiters.add(contender) : waiters.remove(contender);
                        return answer;
                    };
                    it.renewAll = (due, deadline) -> {
                        if (waiters.size() < POOL) {
                            it.passOn(due, deadline);
                        }
                    };
                }),
                new PlantedBug(
                        "clients and servers share a connection, which breaks for all",
                        "V8.6 V8.11 F2.16",
                        it -> it.renewAll = (due, deadline) -> {
                            if (!disconnected.contains(it.store)) {
                                disconnected.add(it.store);
                                it.passOn(due, deadline);
                                disconnected.remove(it.store);
                            }
                        }));
    }

    private static LockRequest request(Renewal renewal) {
        return ((WrappedBackend.WrappedGrant) renewal.grant()).contender.request;
    }

    private static Validity often(Validity validity) {
        return validity.withRenewAfter(validity.length().dividedBy(200));
    }

    /** Renews, along with what is due, every hold of the names that this client has ever held. */
    private static void watch(BrokenBackend it, Map<String, Grant> holders) {
        Set<String> watched = ConcurrentHashMap.newKeySet();
        it.attempt = (contender, deadline) -> {
            Attempt answer = contender.inner.attempt(deadline);
            if (answer instanceof Attempt.Granted granted) {
                holders.put(contender.request.name(), granted.grant());
                watched.add(contender.request.name());
            }
            return answer;
        };
        it.renewAll = (due, deadline) -> {
            it.passOn(due, deadline);
            for (Renewal any : due) {
                it.inner.renewAll(
                        watched.stream()
                                .map(name -> new ForwardingRenewal(any) {
                                    @Override
                                    public Grant grant() {
                                        return holders.getOrDefault(name, super.grant());
                                    }
                                })
                                .toList(),
                        deadline);
            }
        };
    }

    private static void shareConnection(BrokenBackend it) {
        ReentrantLock connection = new ReentrantLock();
        it.attempt = (contender, deadline) -> {
            connection.lock();
            try (LockClock.Parker parker = it.clock().parker()) {
                Attempt answer = contender.inner.attempt(deadline);
                if (answer instanceof Attempt.Busy && contender.request.waits()) {
                    Duration wait = contender.request.lease().multipliedBy(2);
                    parker.parkUntil(it.clock().nanoTime() + wait.toNanos());
                }
                return answer;
            } finally {
                connection.unlock();
            }
        };
        it.renewAll = (due, deadline) -> {
            connection.lock();
            try {
                it.passOn(due, deadline);
            } finally {
                connection.unlock();
            }
        };
    }
}

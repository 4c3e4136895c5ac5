package io.github.distlock.tests;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

/** Holds that end sooner than their holders believe, and leases of another length than the engine asked for. */
final class BrokenTerms {
    private BrokenTerms() {}

    static List<PlantedBug> all() {
        return List.of(
                new PlantedBug("validity counts from the answer", "S6.2 F2.11 F2.19", BrokenTerms::countFromAnswer),
                new PlantedBug(
                        "a grant that comes too late is taken for a fresh one",
                        "S2.1 S2.5 S2.6 S6.2",
                        it -> it.validity = grant -> Validity.of(it.clock().now(), grant.contender.request.lease())),
                new PlantedBug(
                        "validity is longer than the lease",
                        "S6.1 S6.3 S6.4 F1.1 F1.4 F2.8 F3.1",
                        it -> it.validity = grant ->
                                ofLength(grant, grant.contender.request.lease().multipliedBy(2))),
                new PlantedBug(
                        "a hold has no deadline",
                        "S6.1 S6.3 S6.4",
                        it -> it.validity = grant -> ofLength(grant, Duration.ofDays(1))),
                new PlantedBug(
                        "a renewal without an answer extends",
                        "S6.1 S6.3 S6.7 S14.2 V8.6 V8.11",
                        it -> it.renewAll = (due, deadline) -> {
                            try {
                                it.passOn(due, deadline);
                            } catch (IllegalStateException e) {
                                due.forEach(each ->
                                        each.renewed(Validity.of(it.clock().now(), each.lease())));
                            }
                        }),
                new PlantedBug("\"yours\" is answered without a fresh lease", "S6.7", BrokenTerms::answerYours),
                new PlantedBug(
                        "the store keeps holds for longer than it says",
                        "S3.4 S6.1 V1.1 V1.2 V1.4 V11.7",
                        it -> it.expiry = expiry -> expiry.dividedBy(10)),
                new PlantedBug("the lease of the request is ignored", "S3.4 S6.1 S7.15 V1.2 V1.4", it -> {
                    it.request = request -> withLease(request, Duration.ofDays(1));
                    it.validity = grant -> ofLength(grant, grant.contender.request.lease());
                }),
                new PlantedBug(
                        "leases beyond an hour are refused",
                        "API.36",
                        it -> it.attempt = (contender, deadline) -> {
                            if (contender.request.lease().compareTo(Duration.ofHours(1)) > 0) {
                                throw new RequestRefusedException("lease out of range", null);
                            }
                            return contender.inner.attempt(deadline);
                        }),
                new PlantedBug("a session ends before the lease, and nothing keeps it", "API.22", it -> {
                    it.validity = grant ->
                            ofLength(grant, grant.contender.request.lease().dividedBy(3));
                    it.renewAll = (due, deadline) -> {};
                }),
                new PlantedBug(
                        "each renewal sets a longer lease",
                        "V1.1",
                        it -> it.renewAll = (due, deadline) ->
                                it.passOn(due.stream().map(Longer::new).toList(), deadline)),
                new PlantedBug(
                        "each renewal sets the lease of the request, and confirms the one that it was asked for",
                        "S14.1 S14.4 S14.6",
                        it -> it.renewAll = (due, deadline) ->
                                it.passOn(due.stream().map(Usual::new).toList(), deadline)),
                new PlantedBug("the renewal that arrives last decides about the lease", "S14.4", BrokenTerms::obeyLast),
                new PlantedBug("later grants of a client inherit its longest lease", "S14.5", BrokenTerms::inherit));
    }

    /** Another contender takes the place of a hold whose lease becomes shorter. */
    private static void obeyLast(BrokenBackend it) {
        Map<Grant, Duration> leases = new ConcurrentHashMap<>();
        it.renewAll = (due, deadline) -> {
            it.passOn(due, deadline);
            for (Renewal renewal : due) {
                LockRequest asked = ((WrappedBackend.WrappedGrant) renewal.grant()).contender.request;
                Duration before = leases.put(renewal.grant(), renewal.lease());
                if (before != null && before.compareTo(renewal.lease()) > 0) {
                    it.store.delete(asked.name());
                    it.contendAndAttempt(withLease(asked, renewal.lease()), deadline);
                }
            }
        };
    }

    private static void inherit(BrokenBackend it) {
        AtomicReference<Duration> longest = new AtomicReference<>(Duration.ZERO);
        it.renewAll = (due, deadline) -> {
            due.forEach(renewal -> longest.accumulateAndGet(
                    renewal.lease(), (before, lease) -> before.compareTo(lease) > 0 ? before : lease));
            it.passOn(due, deadline);
        };
        it.attempt = (contender, deadline) -> {
            Attempt answer = contender.inner.attempt(deadline);
            if (answer instanceof Attempt.Granted granted && !longest.get().isZero()) {
                it.renew(granted.grant(), longest.get(), deadline);
            }
            return answer;
        };
    }

    private static Validity ofLength(WrappedBackend.WrappedGrant grant, Duration length) {
        return Validity.of(grant.inner.validity().from(), length);
    }

    private static LockRequest withLease(LockRequest request, Duration lease) {
        LockRequest other =
                LockRequest.exclusive(request.name(), lease, request.owner()).withMode(request.mode());
        return request.waits() ? other : other.withoutWaiting();
    }

    private static void countFromAnswer(BrokenBackend it) {
        Map<Grant, Validity> validities = new ConcurrentHashMap<>();
        it.attempt = (contender, deadline) -> {
            Attempt answer = contender.inner.attempt(deadline);
            if (answer instanceof Attempt.Granted granted) {
                validities.put(granted.grant(), Validity.of(it.clock().now(), contender.request.lease()));
            }
            return answer;
        };
        it.validity = grant -> Optional.ofNullable(validities.get(grant.inner)).orElseThrow();
    }

    private static void answerYours(BrokenBackend it) {
        Map<WrappedBackend.WrappedContender, Attempt> grants = new ConcurrentHashMap<>();
        Map<WrappedBackend.WrappedContender, Validity> validities = new ConcurrentHashMap<>();
        it.attempt = (contender, deadline) -> {
            Attempt own = grants.get(contender);
            if (own != null) {
                validities.put(contender, Validity.of(it.clock().now(), contender.request.lease()));
                return own;
            }
            Attempt answer = contender.inner.attempt(deadline);
            if (answer instanceof Attempt.Granted) {
                grants.put(contender, answer);
            }
            return answer;
        };
        it.validity = grant -> validities.getOrDefault(grant.contender, grant.inner.validity());
    }

    private static final class Usual extends ForwardingRenewal {
        private final Duration usual;

        private Usual(Renewal outer) {
            super(outer);
            usual = ((WrappedBackend.WrappedGrant) outer.grant()).contender.request.lease();
        }

        @Override
        public Duration lease() {
            return usual;
        }

        @Override
        public void renewed(Validity validity) {
            super.renewed(Validity.of(validity.from(), super.lease()));
        }
    }

    private static final class Longer extends ForwardingRenewal {
        private Longer(Renewal outer) {
            super(outer);
        }

        @Override
        public Duration lease() {
            return super.lease().multipliedBy(10);
        }

        @Override
        public void renewed(Validity validity) {
            super.renewed(Validity.of(validity.from(), super.lease()));
        }
    }
}

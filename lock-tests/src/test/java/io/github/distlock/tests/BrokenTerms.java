package io.github.distlock.tests;

import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Holds that are good for a shorter time than their holders are told, and leases longer than anybody asked for. */
final class BrokenTerms {
    private static final Duration A_DAY = Duration.ofDays(1);

    private BrokenTerms() {}

    static List<BrokenBackend> all() {
        return List.of(
                new BrokenBackend("validity counts from the answer", "S6.2", FromTheAnswer::new),
                new BrokenBackend(
                        "a grant that comes too late is taken for a fresh one",
                        "S2.1 S2.2 S2.3 S2.5 S6.2",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected Validity validity(Held held) {
                                return Validity.of(
                                        clock().now(), super.validity(held).length());
                            }
                        }),
                new BrokenBackend(
                        "validity is longer than the lease",
                        "S6.1 S6.3 S6.4 F1.1 F1.4 F2.8 F2.9",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected Validity validity(Held held) {
                                Validity validity = super.validity(held);
                                return Validity.of(
                                        validity.from(), validity.length().multipliedBy(2));
                            }
                        }),
                new BrokenBackend(
                        "a hold has no deadline", "S6.1 S6.3 S6.4 S8.6", store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected Validity validity(Held held) {
                                return Validity.of(super.validity(held).from(), A_DAY);
                            }
                        }),
                new BrokenBackend(
                        "a renewal without an answer extends",
                        "S6.1 S6.3 S6.7 S8.6 V8.6 V8.11",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {
                                try {
                                    super.renewAll(due, deadline);
                                } catch (IllegalStateException e) {
                                    due.forEach(each -> each.renewed(Validity.of(clock().now(), each.lease())));
                                }
                            }
                        }),
                new BrokenBackend("\"yours\" is answered without a fresh lease", "S6.7", YoursAlready::new),
                new BrokenBackend(
                        "the store keeps holds for longer than it says",
                        "S3.4 S6.1 V1.1 V1.2 V1.4",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            public Duration expiry(LockRequest request) {
                                return super.expiry(request).dividedBy(10);
                            }
                        }),
                new BrokenBackend(
                        "the lease of the request is ignored",
                        "S3.4 S6.1 V1.2 V1.4",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            public Contender contend(LockRequest request, Signals signals) {
                                LockRequest longer = LockRequest.exclusive(request.name(), A_DAY, request.owner());
                                LockRequest asked = request.waits() ? longer : longer.withoutWaiting();
                                return new Place(request, signals, inner.contend(asked, signals));
                            }

                            @Override
                            protected Validity validity(Held held) {
                                return Validity.of(super.validity(held).from(), held.place.request.lease());
                            }
                        }),
                new BrokenBackend(
                        "each renewal sets a longer lease", "V1.1", store -> new WrappedBackend(store.connect()) {
                            @Override
                            public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {
                                super.renewAll(due.stream().map(Longer::new).toList(), deadline);
                            }
                        }));
    }

    private static final class FromTheAnswer extends WrappedBackend {
        private final Map<Grant, Validity> validities = new ConcurrentHashMap<>();

        private FromTheAnswer(InMemoryStore store) {
            super(store.connect());
        }

        @Override
        protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
            Attempt answer = super.attempt(place, deadline);
            if (answer instanceof Attempt.Granted granted) {
                validities.put(granted.grant(), Validity.of(clock().now(), place.request.lease()));
            }
            return answer;
        }

        @Override
        protected Validity validity(Held held) {
            return Optional.ofNullable(validities.get(held.inner)).orElseThrow();
        }
    }

    private static final class YoursAlready extends WrappedBackend {
        private final Map<Place, Attempt> grants = new ConcurrentHashMap<>();
        private final Map<Place, Validity> validities = new ConcurrentHashMap<>();

        private YoursAlready(InMemoryStore store) {
            super(store.connect());
        }

        @Override
        protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
            Attempt own = grants.get(place);
            if (own != null) {
                validities.put(place, Validity.of(clock().now(), place.request.lease()));
                return own;
            }
            Attempt answer = super.attempt(place, deadline);
            if (answer instanceof Attempt.Granted) {
                grants.put(place, answer);
            }
            return answer;
        }

        @Override
        protected Validity validity(Held held) {
            return Optional.ofNullable(validities.get(held.place)).orElseGet(() -> super.validity(held));
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

package io.github.distlock.tests;

import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/** Renewals that touch what is not theirs, come too seldom or too often, or do not tell the truth. */
final class BrokenRenewals {
    private BrokenRenewals() {}

    static List<BrokenBackend> all() {
        Map<String, Grant> holders = new ConcurrentHashMap<>();
        return List.of(
                new BrokenBackend(
                        "the renewal of a hold that is gone succeeds",
                        "S5.3 S5.4 S6.5 S8.2 S8.3 F1.7",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected void gone(Renewal renewal) {
                                renewal.renewed(Validity.of(clock().now(), renewal.lease()));
                            }
                        }),
                new BrokenBackend("a renewal never says that a hold is gone", "S6.5 S8.3", store -> {
                    return new WrappedBackend(store.connect()) {
                        @Override
                        protected void gone(Renewal renewal) {}
                    };
                }),
                new BrokenBackend(
                        "a renewal creates what is missing", "S5.3", store -> new WrappedBackend(store.connect()) {
                            @Override
                            public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {
                                due.forEach(renewal -> create(inner, renewal, deadline));
                                super.renewAll(due, deadline);
                            }
                        }),
                new BrokenBackend(
                        "a renewal does not compare the owner", "S5.4", store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected void gone(Renewal renewal) {
                                store.delete(((Held) renewal.grant()).place.request.name());
                                create(inner, renewal, Deadline.after(Duration.ofSeconds(1), clock()));
                                super.gone(renewal);
                            }
                        }),
                new BrokenBackend("nothing is renewed", "V8.2 V8.3 V8.4 API.27 V8.12 API.42 F1.3 F2.7 F2.17", store -> {
                    return new WrappedBackend(store.connect()) {
                        @Override
                        public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {}
                    };
                }),
                new BrokenBackend(
                        "a renewal is confirmed and not carried out",
                        "V8.2 V8.4",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {
                                due.forEach(renewal -> renewal.renewed(Validity.of(clock().now(), renewal.lease())));
                            }
                        }),
                new BrokenBackend("the first error ends renewal", "V8.3", UntilAnError::new),
                new BrokenBackend(
                        "an error counts as loss", "S6.3 V8.3 API.28", store -> new WrappedBackend(store.connect()) {
                            @Override
                            public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {
                                try {
                                    super.renewAll(due, deadline);
                                } catch (IllegalStateException e) {
                                    due.forEach(Renewal::gone);
                                }
                            }
                        }),
                new BrokenBackend("a failed renewal is hidden, so that a hold in doubt is passed on", "S8.8", store -> {
                    return new WrappedBackend(store.connect()) {
                        @Override
                        public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {
                            try {
                                super.renewAll(due, deadline);
                            } catch (IllegalStateException e) {
                                due.forEach(renewal ->
                                        renewal.renewed(renewal.grant().validity()));
                            }
                        }
                    };
                }),
                new BrokenBackend("renewals come far too often", "V8.5", store -> new WrappedBackend(store.connect()) {
                    @Override
                    protected Validity validity(Held held) {
                        return often(super.validity(held));
                    }

                    @Override
                    protected void renewed(Renewal renewal, Validity validity) {
                        super.renewed(renewal, often(validity));
                    }

                    private static Validity often(Validity validity) {
                        return validity.withRenewAfter(validity.length().dividedBy(200));
                    }
                }),
                new BrokenBackend("renewal goes by the name and outlives the release", "V1.4", store -> {
                    return new Watchdog(store, holders);
                }),
                new BrokenBackend("waits and renewals share a connection", "V8.10 V4.1", OneConnection::new));
    }

    private static void create(LockBackend store, Renewal renewal, Deadline deadline) {
        WrappedBackend.Held held = (WrappedBackend.Held) renewal.grant();
        try {
            var unused = store.contend(held.place.request, held.place.signals).attempt(deadline);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static final class UntilAnError extends WrappedBackend {
        private volatile boolean failed;

        private UntilAnError(InMemoryStore store) {
            super(store.connect());
        }

        @Override
        public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {
            if (!failed) {
                failed = true;
                super.renewAll(due, deadline);
                failed = false;
            }
        }
    }

    /** Renews, along with what is due, whoever holds the names that this client has ever held. */
    private static final class Watchdog extends WrappedBackend {
        private final Map<String, Grant> holders;
        private final Set<String> watched = ConcurrentHashMap.newKeySet();

        private Watchdog(InMemoryStore store, Map<String, Grant> holders) {
            super(store.connect());
            this.holders = holders;
        }

        @Override
        protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
            Attempt answer = super.attempt(place, deadline);
            if (answer instanceof Attempt.Granted granted) {
                holders.put(place.request.name(), granted.grant());
                watched.add(place.request.name());
            }
            return answer;
        }

        @Override
        public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {
            super.renewAll(due, deadline);
            for (Renewal any : due) {
                inner.renewAll(
                        watched.stream().map(name -> renewalOf(name, any)).toList(), deadline);
            }
        }

        private Renewal renewalOf(String name, Renewal like) {
            return new ForwardingRenewal(like) {
                @Override
                public Grant grant() {
                    return holders.getOrDefault(name, super.grant());
                }
            };
        }
    }

    private static final class OneConnection extends WrappedBackend {
        private final ReentrantLock connection = new ReentrantLock();

        private OneConnection(InMemoryStore store) {
            super(store.connect());
        }

        @Override
        protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
            connection.lock();
            try (LockClock.Parker parker = clock().parker()) {
                Attempt answer = super.attempt(place, deadline);
                if (answer instanceof Attempt.Busy && place.request.waits()) {
                    parker.parkUntil(clock().nanoTime()
                            + place.request.lease().multipliedBy(2).toNanos());
                }
                return answer;
            } finally {
                connection.unlock();
            }
        }

        @Override
        public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {
            connection.lock();
            try {
                super.renewAll(due, deadline);
            } finally {
                connection.unlock();
            }
        }
    }
}

package io.github.distlock.tests;

import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Signals;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** What stays behind of an attempt that nobody wants any more, or whose outcome nobody knows. */
final class BrokenWithdrawals {
    private BrokenWithdrawals() {}

    static List<BrokenBackend> all() {
        return List.of(
                new BrokenBackend(
                        "a withdrawal does nothing", "S7.1 S7.10 S7.11 S7.12 S7.14 V6.2 V7.2 V5.11", store -> {
                            return new WrappedBackend(store.connect()) {
                                @Override
                                protected void withdraw(Place place, Deadline deadline) {}
                            };
                        }),
                new BrokenBackend(
                        "nothing is cleaned up after a lost reply",
                        "S7.10 V7.10 F2.2",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected void withdraw(Place place, Deadline deadline) throws InterruptedException {
                                boolean held = inspect(place.request.name(), deadline)
                                        .holder()
                                        .map(holder -> holder.owner().equals(place.request.owner()))
                                        .orElse(false);
                                if (!held) {
                                    super.withdraw(place, deadline);
                                }
                            }
                        }),
                new BrokenBackend(
                        "a withdrawal loses the lock that was handed over meanwhile",
                        "S7.14",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected void withdraw(Place place, Deadline deadline) throws InterruptedException {
                                if (super.attempt(place, deadline) instanceof Attempt.Busy) {
                                    super.withdraw(place, deadline);
                                }
                            }
                        }),
                new BrokenBackend(
                        "a withdrawal goes by the name, whoever holds",
                        "S7.11",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected void withdraw(Place place, Deadline deadline) throws InterruptedException {
                                super.withdraw(place, deadline);
                                store.delete(place.request.name());
                            }
                        }),
                new BrokenBackend("the value is sent again after its clean-up", "S7.13", SentAgain::new),
                new BrokenBackend(
                        "each retry has a new owner value",
                        "S7.7 S7.8 S7.9 S7.10 F2.4",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
                                Attempt answer = super.attempt(place, deadline);
                                if (answer instanceof Attempt.Busy) {
                                    place.inner.withdraw(deadline);
                                }
                                place.inner = inner.contend(place.request, place.signals);
                                return answer;
                            }
                        }),
                new BrokenBackend("an interrupt leaves what its request has won", "V7.10", LeftByInterrupts::new),
                new BrokenBackend(
                        "a single try takes a place", "S1.5 V6.2", store -> new WrappedBackend(store.connect()) {
                            @Override
                            public Contender contend(LockRequest request, Signals signals) {
                                return super.contend(
                                        LockRequest.exclusive(request.name(), request.lease(), request.owner()),
                                        signals);
                            }
                        }));
    }

    /** As a client library that retries does. */
    private static final class SentAgain extends WrappedBackend {
        private final Set<Place> unanswered = ConcurrentHashMap.newKeySet();

        private SentAgain(InMemoryStore store) {
            super(store.connect());
        }

        @Override
        protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
            unanswered.add(place);
            Attempt answer = super.attempt(place, deadline);
            unanswered.remove(place);
            return answer;
        }

        @Override
        protected void withdraw(Place place, Deadline deadline) throws InterruptedException {
            super.withdraw(place, deadline);
            if (unanswered.remove(place)) {
                var unused = super.attempt(place, deadline);
            }
        }
    }

    private static final class LeftByInterrupts extends WrappedBackend {
        private final Set<Place> interrupted = ConcurrentHashMap.newKeySet();

        private LeftByInterrupts(InMemoryStore store) {
            super(store.connect());
        }

        @Override
        protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
            Attempt answer = super.attempt(place, deadline);
            try {
                TimeUnit.MILLISECONDS.sleep(200);
            } catch (InterruptedException e) {
                interrupted.add(place);
                throw e;
            }
            return answer;
        }

        @Override
        protected void withdraw(Place place, Deadline deadline) throws InterruptedException {
            if (!interrupted.contains(place)) {
                super.withdraw(place, deadline);
            }
        }
    }
}

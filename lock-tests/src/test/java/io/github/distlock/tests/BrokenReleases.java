package io.github.distlock.tests;

import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.RequestRefusedException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Releases that free nothing, or somebody else's hold. */
final class BrokenReleases {
    private BrokenReleases() {}

    static List<BrokenBackend> all() {
        return List.of(
                new BrokenBackend("a release does nothing", "S8.1 API.19", store -> {
                    return new WrappedBackend(store.connect()) {
                        @Override
                        protected Grant.Release release(Held held, Deadline deadline) {
                            return Grant.Release.RELEASED;
                        }
                    };
                }),
                new BrokenBackend(
                        "a release is a plain delete, whoever holds",
                        "S2.4 S5.2 S5.5",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected Grant.Release release(Held held, Deadline deadline) {
                                store.delete(held.place.request.name());
                                return Grant.Release.RELEASED;
                            }
                        }),
                new BrokenBackend("a release goes by the name, not by the hold", "S5.5", ByName::new),
                new BrokenBackend(
                        "a release never says that the hold was gone",
                        "S5.2 S5.5",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected Grant.Release release(Held held, Deadline deadline) throws InterruptedException {
                                var unused = super.release(held, deadline);
                                return Grant.Release.RELEASED;
                            }
                        }),
                new BrokenBackend("a release cannot be repeated", "S7.6", store -> {
                    return new WrappedBackend(store.connect()) {
                        private final Set<Held> released = ConcurrentHashMap.newKeySet();

                        @Override
                        protected Grant.Release release(Held held, Deadline deadline) throws InterruptedException {
                            if (!released.add(held)) {
                                throw new RequestRefusedException("released before", null);
                            }
                            return super.release(held, deadline);
                        }
                    };
                }),
                new BrokenBackend(
                        "holds are counted over all names", "API.31 API.32 API.33 API.34", CountedTogether::new));
    }

    private static final class ByName extends WrappedBackend {
        private final Map<String, Grant> holds = new ConcurrentHashMap<>();

        private ByName(InMemoryStore store) {
            super(store.connect());
        }

        @Override
        protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
            Attempt answer = super.attempt(place, deadline);
            if (answer instanceof Attempt.Granted granted) {
                holds.put(place.request.name(), granted.grant());
            }
            return answer;
        }

        @Override
        protected Grant.Release release(Held held, Deadline deadline) throws InterruptedException {
            return holds.getOrDefault(held.place.request.name(), held.inner).release(deadline);
        }
    }

    private static final class CountedTogether extends WrappedBackend {
        private final AtomicInteger holds = new AtomicInteger();

        private CountedTogether(InMemoryStore store) {
            super(store.connect());
        }

        @Override
        protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
            Attempt answer = super.attempt(place, deadline);
            if (answer instanceof Attempt.Granted) {
                holds.incrementAndGet();
            }
            return answer;
        }

        @Override
        protected Grant.Release release(Held held, Deadline deadline) throws InterruptedException {
            return holds.decrementAndGet() > 0 ? Grant.Release.RELEASED : super.release(held, deadline);
        }
    }
}

package io.github.distlock.tests;

import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Signals;
import java.text.Normalizer;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/** Locks that do not exclude, or exclude what they have nothing to do with. */
final class BrokenExclusion {
    private BrokenExclusion() {}

    static List<BrokenBackend> all() {
        return List.of(
                new BrokenBackend("each client has locks of its own", "S1.2 S1.3 S1.4 S1.5", store -> {
                    String client = "@" + System.identityHashCode(new Object());
                    return new Renaming(store, name -> name + client);
                }),
                new BrokenBackend("the owner is the client", "S1.1 S1.6", OwnedByClient::new),
                new BrokenBackend("names are compared without their case", "API.31 API.33", store -> {
                    return new Renaming(store, name -> name.toLowerCase(Locale.ROOT));
                }),
                new BrokenBackend("braces in names are dropped", "API.32", store -> {
                    return new Renaming(store, name -> name.replace("{", "").replace("}", ""));
                }),
                new BrokenBackend("names are normalised", "API.33", store -> {
                    return new Renaming(store, name -> Normalizer.normalize(name, Normalizer.Form.NFC));
                }),
                new BrokenBackend("long names are cut", "API.34", store -> {
                    return new Renaming(store, name -> name.substring(0, Math.min(name.length(), 250)));
                }));
    }

    private static final class Renaming extends WrappedBackend {
        private final UnaryOperator<String> renamed;

        private Renaming(InMemoryStore store, UnaryOperator<String> renamed) {
            super(store.connect());
            this.renamed = renamed;
        }

        @Override
        public Contender contend(LockRequest request, Signals signals) {
            return super.contend(request.withNames(List.of(renamed.apply(request.name()))), signals);
        }
    }

    private static final class OwnedByClient extends WrappedBackend {
        private final Map<String, Attempt> grants = new ConcurrentHashMap<>();

        private OwnedByClient(InMemoryStore store) {
            super(store.connect());
        }

        @Override
        protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
            Attempt own = grants.get(place.request.name());
            if (own != null) {
                return own;
            }
            Attempt answer = super.attempt(place, deadline);
            if (answer instanceof Attempt.Granted) {
                grants.put(place.request.name(), answer);
            }
            return answer;
        }

        @Override
        protected Grant.Release release(Held held, Deadline deadline) throws InterruptedException {
            grants.remove(held.place.request.name());
            return super.release(held, deadline);
        }
    }
}

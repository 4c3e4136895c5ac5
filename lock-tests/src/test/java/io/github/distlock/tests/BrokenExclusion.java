package io.github.distlock.tests;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.LockRequest;
import java.text.Normalizer;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** Locks that do not exclude, or that exclude holds of other names. */
final class BrokenExclusion {
    private BrokenExclusion() {}

    static List<PlantedBug> all() {
        return List.of(
                new PlantedBug("each client has locks of its own", "S1.2 S1.3 S1.4 S1.5", it -> {
                    String client = "@" + System.identityHashCode(it);
                    rename(it, name -> name + client);
                }),
                new PlantedBug("the owner is the client", "S1.1 S1.6", BrokenExclusion::ownByClient),
                new PlantedBug(
                        "names are reduced to their digits", "S1.7", it -> rename(it, n -> n.replaceAll("\\D", ""))),
                new PlantedBug(
                        "names are compared without their case",
                        "API.31 API.33",
                        it -> rename(it, name -> name.toLowerCase(Locale.ROOT))),
                new PlantedBug(
                        "braces in names are dropped", "API.32", it -> rename(it, n -> n.replaceAll("[{}]", ""))),
                new PlantedBug(
                        "names are normalized",
                        "API.33",
                        it -> rename(it, name -> Normalizer.normalize(name, Normalizer.Form.NFC))),
                new PlantedBug(
                        "long names are cut",
                        "API.34",
                        it -> rename(it, name -> name.substring(0, Math.min(name.length(), 250)))));
    }

    private static void rename(BrokenBackend it, UnaryOperator<String> rename) {
        renameByRequest(it, request -> rename.apply(request.name()));
    }

    static void renameByRequest(BrokenBackend it, Function<LockRequest, String> names) {
        it.request = request -> {
            LockRequest renamed = LockRequest.exclusive(names.apply(request), request.lease(), request.owner())
                    .withMode(request.mode());
            return request.waits() ? renamed : renamed.withoutWaiting();
        };
    }

    private static void ownByClient(BrokenBackend it) {
        Map<String, Attempt> grants = new ConcurrentHashMap<>();
        it.attempt = (contender, deadline) -> {
            Attempt own = grants.get(contender.request.name());
            Attempt answer = own == null ? contender.inner.attempt(deadline) : own;
            if (answer instanceof Attempt.Granted) {
                grants.put(contender.request.name(), answer);
            }
            return answer;
        };
        it.release = (grant, deadline) -> {
            grants.remove(grant.contender.request.name());
            return grant.inner.release(deadline);
        };
    }
}

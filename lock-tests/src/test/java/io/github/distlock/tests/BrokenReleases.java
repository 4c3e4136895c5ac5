package io.github.distlock.tests;

import io.github.distlock.LockOwner;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Releases that free nothing, too little, or the hold of another contender. */
final class BrokenReleases {
    private BrokenReleases() {}

    static List<PlantedBug> all() {
        return List.of(
                new PlantedBug(
                        "a release does nothing",
                        "API.19",
                        it -> it.release = (grant, deadline) -> Grant.Release.RELEASED),
                new PlantedBug(
                        "a release deletes the lock, whichever client holds it",
                        "S2.4 S5.1 S5.2 S5.5 V11.8",
                        it -> it.release = (grant, deadline) -> {
                            var unused = grant.inner.release(deadline);
                            it.store.delete(grant.contender.request.name());
                            return Grant.Release.RELEASED;
                        }),
                new PlantedBug("a release goes by the name, not by the hold", "S5.5", it -> {
                    Map<String, Grant> holds = new ConcurrentHashMap<>();
                    it.attempt = (contender, deadline) -> {
                        Attempt answer = contender.inner.attempt(deadline);
                        if (answer instanceof Attempt.Granted granted) {
                            holds.put(contender.request.name(), granted.grant());
                        }
                        return answer;
                    };
                    it.release = (grant, deadline) -> holds.getOrDefault(grant.contender.request.name(), grant.inner)
                            .release(deadline);
                }),
                new PlantedBug(
                        "a release never reports that the hold was lost",
                        "S5.2 S5.5",
                        it -> it.release = (grant, deadline) -> {
                            var unused = grant.inner.release(deadline);
                            return Grant.Release.RELEASED;
                        }),
                new PlantedBug("a release cannot be repeated", "S7.6", it -> {
                    Set<Grant> released = ConcurrentHashMap.newKeySet();
                    it.release = (grant, deadline) -> {
                        if (!released.add(grant)) {
                            throw new RequestRefusedException("released before", null);
                        }
                        return grant.inner.release(deadline);
                    };
                }),
                new PlantedBug(
                        "a release leaves the parent node of its name",
                        "V6.1",
                        it -> it.release = (grant, deadline) -> {
                            LockOwner nobody = LockOwner.of("unknown", 0, "unknown", "unknown");
                            String parent = grant.contender.request.name() + "/parent";
                            it.contendAndAttempt(LockRequest.exclusive(parent, Duration.ofDays(1), nobody), deadline);
                            return grant.inner.release(deadline);
                        }),
                new PlantedBug("holds are counted over all names", "API.31 API.32 API.33 API.34", it -> {
                    AtomicInteger holds = new AtomicInteger();
                    it.attempt = (contender, deadline) -> {
                        Attempt answer = contender.inner.attempt(deadline);
                        holds.addAndGet(answer instanceof Attempt.Granted ? 1 : 0);
                        return answer;
                    };
                    it.release = (grant, deadline) ->
                            holds.decrementAndGet() > 0 ? Grant.Release.RELEASED : grant.inner.release(deadline);
                }));
    }
}

package io.github.distlock.tests;

import io.github.distlock.LockOwner;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Another base for local handoffs that others do not know, or that takes their turn or their lock. */
final class BrokenHandoffs {
    private BrokenHandoffs() {}

    static List<PlantedBug> all() {
        AtomicLong minted = new AtomicLong();
        return List.of(
                new PlantedBug(
                        "another base is the one that the hold has",
                        "S3.8",
                        it -> it.nextBase = (grant, deadline) -> OptionalLong.of(grant.inner.fencingBase())),
                new PlantedBug(
                        "another base is counted by the client",
                        "S3.8",
                        it -> it.nextBase = (grant, deadline) ->
                                OptionalLong.of(grant.inner.fencingBase() + minted.incrementAndGet())),
                new PlantedBug(
                        "another base is minted although another client waits",
                        "V3.3",
                        it -> it.nextBase = (grant, deadline) -> {
                            LockOwner nobody = LockOwner.of("unknown", 0, "unknown", "unknown");
                            String counter = grant.contender.request.name() + "/" + minted.incrementAndGet();
                            LockRequest asked = LockRequest.exclusive(counter, Duration.ofMillis(1), nobody);
                            Attempt answer = it.inner
                                    .contend(asked, new IgnoredSignals())
                                    .attempt(deadline);
                            Grant counted = ((Attempt.Granted) answer).grant();
                            var unused = counted.release(deadline);
                            return OptionalLong.of(counted.fencingBase());
                        }),
                new PlantedBug(
                        "another base takes a lock again that was deleted",
                        "S5.6",
                        it -> it.nextBase = (grant, deadline) -> {
                            OptionalLong base = grant.inner.nextBase(deadline);
                            return base.isPresent()
                                            || !(grant.contender.inner.attempt(deadline)
                                                    instanceof Attempt.Granted again)
                                    ? base
                                    : OptionalLong.of(again.grant().fencingBase());
                        }),
                new PlantedBug("a release compares the base of the grant", "S3.8 S7.16", it -> {
                    Set<Grant> changed = ConcurrentHashMap.newKeySet();
                    it.nextBase = (grant, deadline) -> {
                        OptionalLong base = grant.inner.nextBase(deadline);
                        if (base.isPresent()) {
                            changed.add(grant);
                        }
                        return base;
                    };
                    it.release = (grant, deadline) ->
                            changed.contains(grant) ? Grant.Release.GONE : grant.inner.release(deadline);
                }));
    }
}

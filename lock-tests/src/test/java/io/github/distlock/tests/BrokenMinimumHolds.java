package io.github.distlock.tests;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Releases that keep a lock for too short or too long a time, or that keep the lock of another holder. */
final class BrokenMinimumHolds {
    private static final LockOwner NOBODY = LockOwner.of("unknown", 0, "unknown", "unknown");

    private BrokenMinimumHolds() {}

    static List<PlantedBug> all() {
        return List.of(
                new PlantedBug(
                        "a release ignores the minimum hold",
                        "S13.1 S13.2 S13.3 S13.4 S13.5 S13.7 F1.9 F2.21 F3.6 API.44",
                        it -> it.keep = (grant, time, deadline) -> grant.inner.release(deadline)),
                new PlantedBug(
                        "a lock is kept for too long",
                        "S13.1 S13.2 S13.3 S13.4 S13.5 F1.10 F3.6 API.44",
                        it -> it.keep = (grant, time, deadline) -> grant.inner.keep(time.multipliedBy(2), deadline)),
                new PlantedBug(
                        "a kept lock ends with the lease of its holder",
                        "S13.1",
                        it -> it.keep = (grant, time, deadline) -> grant.inner.keep(
                                Collections.min(List.of(time, grant.contender.request.lease())), deadline)),
                new PlantedBug(
                        "a lock is kept for the minimum hold from its release",
                        "S13.7",
                        it -> it.keep = (grant, time, deadline) ->
                                grant.inner.keep(grant.contender.request.minimumHold(), deadline)),
                new PlantedBug("a kept lock ends with its client", "S13.4", it -> {
                    Set<String> kept = ConcurrentHashMap.newKeySet();
                    it.keep = (grant, time, deadline) -> {
                        kept.add(grant.contender.request.name());
                        return grant.inner.keep(time, deadline);
                    };
                    it.close = () -> kept.forEach(it.store::delete);
                }),
                new PlantedBug("a repeated release does not find its kept lock", "S13.5", it -> {
                    Set<Grant> released = ConcurrentHashMap.newKeySet();
                    it.keep = (grant, time, deadline) -> {
                        if (!released.add(grant)) {
                            it.store.delete(grant.contender.request.name());
                        }
                        return grant.inner.keep(time, deadline);
                    };
                }),
                new PlantedBug("a lock is kept by its name, not by the hold", "S13.6", BrokenMinimumHolds::keepByName),
                new PlantedBug(
                        "an inspector shows a kept lock as held",
                        "API.44 S15.8 S15.10",
                        it -> it.inspect = (name, deadline) -> heldIfKept(it.inner.inspect(name, deadline))),
                new PlantedBug(
                        "a forced release spares a kept lock",
                        "API.45",
                        it -> it.forceRelease = (name, base, deadline) ->
                                it.inner.inspect(name, deadline).kept().isPresent()
                                        ? List.of()
                                        : it.inner.forceRelease(name, base, deadline)));
    }

    private static void keepByName(BrokenBackend it) {
        it.keep = (grant, time, deadline) -> {
            Grant.Release found = grant.inner.keep(time, deadline);
            if (found == Grant.Release.GONE) {
                it.store.delete(grant.contender.request.name());
                keepAsAnother(it, grant.contender.request, time, deadline);
            }
            return found;
        };
    }

    private static void keepAsAnother(BrokenBackend it, LockRequest request, Duration time, Deadline deadline)
            throws InterruptedException {
        if (it.inner.contend(request, new IgnoredSignals()).attempt(deadline) instanceof Attempt.Granted granted) {
            var unused = granted.grant().keep(time, deadline);
        }
    }

    private static LockStatus heldIfKept(LockStatus status) {
        return status.kept()
                .map(kept -> LockStatus.free(status.lockName())
                        .withHolders(List.of(
                                LockStatus.Holder.of(NOBODY, LockMode.EXCLUSIVE, Instant.EPOCH, 1, kept.remaining()))))
                .orElse(status);
    }
}

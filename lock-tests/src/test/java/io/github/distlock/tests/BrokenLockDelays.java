package io.github.distlock.tests;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.tests.WrappedBackend.WrappedContender;
import io.github.distlock.tests.WrappedBackend.WrappedGrant;
import java.time.Duration;
import java.util.List;

/** Losses after which a lock is free too early or too late, and other ends of holds that keep a lock. */
final class BrokenLockDelays {
    private static final Duration LEASE = Duration.ofSeconds(30);

    private BrokenLockDelays() {}

    static List<PlantedBug> all() {
        return List.of(
                new PlantedBug("a lock delay is ignored", "S15.1 S15.2 S15.4 S15.5 S15.8 S15.9 S15.10 F3.7", it -> {
                    it.request = asked -> asked.withLockDelay(Duration.ZERO);
                    it.keep = (grant, time, deadline) ->
                            hasDelay(grant) ? grant.inner.release(deadline) : grant.inner.keep(time, deadline);
                }),
                new PlantedBug(
                        "a silent holder's lock stays busy for half of its delay",
                        "S15.1 S15.2 S15.9",
                        it -> it.request =
                                asked -> asked.withLockDelay(asked.lockDelay().dividedBy(2))),
                new PlantedBug(
                        "a silent holder's lock stays busy for twice its delay",
                        "S15.1 S15.2 S15.9",
                        it -> it.request =
                                asked -> asked.withLockDelay(asked.lockDelay().multipliedBy(2))),
                new PlantedBug(
                        "a loss that the client reports frees the lock",
                        "S15.4 S15.5",
                        it -> it.keep = (grant, time, deadline) ->
                                hasDelay(grant) ? grant.inner.release(deadline) : grant.inner.keep(time, deadline)),
                new PlantedBug(
                        "a loss that the client reports changes nothing",
                        "S15.4",
                        it -> it.keep = (grant, time, deadline) ->
                                hasDelay(grant) ? Grant.Release.RELEASED : grant.inner.keep(time, deadline)),
                new PlantedBug(
                        "a release keeps the lock for its lock delay",
                        "S15.3",
                        it -> it.release = (grant, deadline) -> hasDelay(grant)
                                ? grant.inner.keep(grant.contender.request.lockDelay(), deadline)
                                : grant.inner.release(deadline)),
                new PlantedBug(
                        "a grant that nobody got has a lock delay",
                        "S15.6",
                        it -> it.withdraw = BrokenLockDelays::keepWithdrawn),
                new PlantedBug(
                        "a forced release leaves the lock delay",
                        "S15.7",
                        it -> it.forceRelease = (name, base, deadline) -> {
                            List<LockStatus.Holder> ended = it.inner.forceRelease(name, base, deadline);
                            keepAsAnother(it, name, deadline);
                            return ended;
                        }),
                new PlantedBug(
                        "a holder that is back frees its lost lock",
                        "S15.9",
                        it -> it.keep = (grant, time, deadline) -> {
                            Grant.Release found = grant.inner.keep(time, deadline);
                            if (found == Grant.Release.GONE && hasDelay(grant)) {
                                it.store.delete(grant.contender.request.name());
                            }
                            return found;
                        }),
                new PlantedBug(
                        "a request for release counts a lost holder",
                        "S15.10",
                        it -> it.requestRelease = (name, requester, deadline) -> {
                            int holders = it.inner.requestRelease(name, requester, deadline);
                            boolean isKept =
                                    it.inner.inspect(name, deadline).kept().isPresent();
                            return isKept ? holders + 1 : holders;
                        }));
    }

    private static boolean hasDelay(WrappedGrant grant) {
        return !grant.contender.request.lockDelay().isZero();
    }

    private static void keepWithdrawn(WrappedContender contender, Deadline deadline) throws InterruptedException {
        Duration delay = contender.request.lockDelay();
        if (!delay.isZero() && contender.inner.attempt(deadline) instanceof Attempt.Granted granted) {
            var unused = granted.grant().keep(delay, deadline);
        } else {
            contender.inner.withdraw(deadline);
        }
    }

    private static void keepAsAnother(BrokenBackend it, String name, Deadline deadline) throws InterruptedException {
        LockRequest another = LockRequest.exclusive(name, LEASE, LockOwner.of("unknown", 0, "unknown", "unknown"));
        if (it.inner.contend(another, new IgnoredSignals()).attempt(deadline) instanceof Attempt.Granted granted) {
            var unused = granted.grant().keep(LEASE, deadline);
        }
    }
}

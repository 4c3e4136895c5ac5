package io.github.distlock.engine;

import io.github.distlock.LockHandle.Release;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * How the grants of a client go back to the store: at once on the caller's thread, in the background, or all together
 * when the client closes.
 */
final class Releases {
    private final LockBackend backend;
    private final Requests requests;
    private final CleanUp cleanUp;
    private final Work threads;
    private final Work.Shared shared;

    Releases(LockBackend backend, Requests requests, CleanUp cleanUp, Work threads, Work.Shared shared) {
        this.backend = backend;
        this.requests = requests;
        this.cleanUp = cleanUp;
        this.threads = threads;
        this.shared = shared;
    }

    /**
     * Releases a grant, and waits for the answer for at most the request timeout. Without an answer, the release goes
     * on in the background.
     *
     * @param entry won the grant
     * @param confirmed runs if the background gets the answer
     * @return the outcome; lost if the store no longer had the grant
     */
    Release release(Grant grant, QueueEntry entry, Runnable confirmed) {
        requests.begin();
        try {
            boolean found = requests.sendUninterrupted(grant::release) == Grant.Release.RELEASED;
            entry.contender.forget();
            return found ? Release.RELEASED : Release.LOST;
        } catch (RuntimeException | Error e) {
            cleanUp.release(grant, entry, confirmed);
            return Release.PENDING;
        } finally {
            requests.end();
        }
    }

    void releaseInBackground(Grant grant, QueueEntry entry) {
        cleanUp.release(grant, entry, () -> {});
    }

    /** Runs a release on a thread of the engine, or on this one if the client is closed. */
    void execute(Runnable release) {
        if (!threads.execute(release)) {
            shared.runLogged(release);
        }
    }

    /**
     * Releases what the holders of a closing client have left, in one exchange per server and attempt, all servers at
     * the same time. Logs how many releases were not confirmed.
     */
    void releaseAll(Collection<Lease> leases, Deadline deadline) {
        Map<Object, List<Lease>> servers = leases.stream().collect(Collectors.groupingBy(Lease::server));
        Work exchanges = Work.unbounded("close", shared);
        Map<Grant, Lease> unconfirmed = new ConcurrentHashMap<>();
        leases.forEach(lease -> unconfirmed.put(lease.grant(), lease));
        servers.values().forEach(ofServer -> exchanges.execute(() -> releaseServer(ofServer, unconfirmed, deadline)));
        exchanges.closeAfter(deadline.remainingNanos());
        leases.forEach(Lease::forgotten);
        if (!unconfirmed.isEmpty()) {
            int missing = unconfirmed.size();
            shared.log()
                    .write(() -> ClientLog.LOG.warn(
                            "{}: {} of {} holds were not confirmed as released when the client was closed; each stays"
                                    + " locked until its lease ends",
                            shared.client(),
                            missing,
                            leases.size()));
        }
    }

    private void releaseServer(List<Lease> leases, Map<Grant, Lease> unconfirmed, Deadline deadline) {
        Map<Grant, Lease> left = new HashMap<>();
        leases.forEach(lease -> left.put(lease.grant(), lease));
        for (int failures = 0; !left.isEmpty() && !deadline.hasPassed(); failures++) {
            try {
                for (Grant answered : backend.releaseAll(left.keySet(), deadline).keySet()) {
                    left.remove(answered);
                    unconfirmed.remove(answered);
                }
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                shared.log()
                        .write(() -> ClientLog.LOG.debug("{}: releasing all holds failed", shared.client(), e));
            }
            if (!left.isEmpty()) {
                pause(Backoff.afterFailures(failures), deadline);
            }
        }
    }

    private void pause(long nanos, Deadline deadline) {
        LockClock clock = shared.clock();
        try (LockClock.Parker parker = clock.parker()) {
            parker.parkUntil(clock.nanoTime() + Math.min(nanos, deadline.remainingNanos()));
        }
    }
}

package io.github.distlock.engine;

import io.github.distlock.LockHandle.Release;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How the grants of a client go back to the store: at once on the caller's thread, in the background, or all together
 * when the client closes.
 */
final class Releases {
    private final LockBackend backend;
    private final Settings settings;
    private final Requests requests;
    private final CleanUp cleanUp;
    private final Work threads;
    private final Work.Shared shared;

    Releases(
            LockBackend backend,
            Settings settings,
            Requests requests,
            CleanUp cleanUp,
            Work threads,
            Work.Shared shared) {
        this.backend = backend;
        this.settings = settings;
        this.requests = requests;
        this.cleanUp = cleanUp;
        this.threads = threads;
        this.shared = shared;
    }

    /**
     * Releases a grant, and waits for the answer for at most the request timeout. Without an answer, the release goes
     * on in the background.
     *
     * @param ends ends the lease, or returns false if it has ended before
     * @param keptFor returns how long the store keeps the lock from now
     * @param confirmed runs if the background gets the answer
     * @return the outcome; lost if the store no longer had the grant; null if the lease has ended before
     */
    @Nullable
    Release release(WonGrant won, BooleanSupplier ends, Supplier<Duration> keptFor, Runnable confirmed) {
        requests.begin(); // Before the lease ends: a client that closes waits for the one or the other.
        try {
            return ends.getAsBoolean() ? release(won, keptFor, confirmed, deadline()) : null;
        } finally {
            requests.end();
        }
    }

    /** Releases a grant that has no holder, and waits for the answer until then. Otherwise the same. */
    void release(WonGrant won, Deadline deadline) {
        var unused = release(won, () -> Duration.ZERO, () -> {}, deadline);
    }

    Deadline deadline() {
        return requests.deadline();
    }

    private Release release(WonGrant won, Supplier<Duration> keptFor, Runnable confirmed, Deadline until) {
        requests.begin();
        try {
            boolean found = requests.sendUninterrupted(deadline -> won.release(keptFor.get(), deadline), until)
                    == Grant.Release.RELEASED;
            won.contender().forget();
            return found ? Release.RELEASED : Release.LOST;
        } catch (RuntimeException | Error e) {
            cleanUp.release(won, keptFor, confirmed);
            return Release.PENDING;
        } finally {
            requests.end();
        }
    }

    /**
     * Asks for another base of a grant, for at most the request timeout. Returns 0 if there is none, or no answer.
     *
     * @param greatest is raised to the base
     */
    long nextBase(WonGrant won, AtomicLong greatest) {
        requests.begin();
        try {
            OptionalLong base = requests.sendUninterrupted(won::nextBase);
            base.ifPresent(minted -> greatest.accumulateAndGet(FencingTokens.requireBase(minted), Math::max));
            return base.orElse(0);
        } catch (RuntimeException | Error e) {
            shared.log().write(() -> ClientLog.LOG.debug("{}: no other fencing base", shared.client(), e));
            return 0;
        } finally {
            requests.end();
        }
    }

    void releaseInBackground(WonGrant won) {
        releaseInBackground(won, () -> {});
    }

    /** Releases a grant without waiting; {@code confirmed} runs once the store has answered. */
    void releaseInBackground(WonGrant won, Runnable confirmed) {
        cleanUp.release(won, () -> Duration.ZERO, confirmed);
    }

    /**
     * Gives a lost grant back without waiting. The store keeps the lock for the lock delay, unless nobody can have held
     * it. A release that comes after the lease would leave the delay, so a withdrawal takes its place then.
     */
    void releaseLost(WonGrant won, boolean wasHeld) {
        if (!isWithdrawn(won, wasHeld)) {
            cleanUp.release(won, KeptTime.afterLoss(won.request(), settings, backend.clock()), () -> {});
        }
    }

    /** Withdraws a lost grant without waiting if it would have a lock delay that nobody needs. */
    boolean isWithdrawn(WonGrant won, boolean wasHeld) {
        boolean needless = won.hasLockDelay() && !wasHeld;
        if (needless) {
            cleanUp.withdraw(won.contender(), won.request());
        }
        return needless;
    }

    /** Runs a release on a thread of the engine, or on this one if the client is closed. */
    void execute(Runnable release) {
        if (!threads.execute(release)) {
            shared.runLogged(release);
        }
    }

    /**
     * Runs a release on a thread of the engine, and never on this one, which may be one that must not block. Does
     * nothing if the client is closed: it has released all its leases then.
     */
    void executeUnlessClosed(Runnable release) {
        threads.execute(release);
    }

    /**
     * Releases what the holders of a closing client have left, in one exchange per server and attempt, all servers at
     * the same time. Logs how many releases were not confirmed. Those with a lock delay go back in the background.
     */
    void releaseAll(List<WonGrant> lost, Deadline deadline) {
        lost.stream().filter(WonGrant::hasLockDelay).forEach(won -> releaseLost(won, true));
        List<WonGrant> left = lost.stream().filter(won -> !won.hasLockDelay()).toList();
        Work exchanges = Work.unbounded("close", shared);
        Set<Grant> unconfirmed = ConcurrentHashMap.newKeySet();
        left.stream().collect(Collectors.groupingBy(WonGrant::server)).values().forEach(ofServer -> {
            Set<Grant> grants = ofServer.stream().map(WonGrant::grant).collect(Collectors.toSet());
            unconfirmed.addAll(grants);
            exchanges.execute(() -> releaseAll(grants, unconfirmed, deadline));
        });
        exchanges.closeAfter(deadline.remainingNanos());
        left.forEach(won -> won.contender().forget());
        int missing = unconfirmed.size();
        if (missing > 0) {
            shared.log()
                    .write(() -> ClientLog.LOG.warn(
                            "{}: {} of {} holds were not confirmed as released when the client was closed; each stays"
                                    + " locked until its lease ends",
                            shared.client(),
                            missing,
                            left.size()));
        }
    }

    /** Releases the grants of one server, and repeats what is not answered. */
    private void releaseAll(Set<Grant> grants, Set<Grant> unconfirmed, Deadline deadline) {
        Set<Grant> unanswered = new HashSet<>(grants);
        for (int failures = 0; !unanswered.isEmpty() && !deadline.hasPassed(); failures++) {
            try {
                Set<Grant> answered = backend.releaseAll(unanswered, deadline).keySet();
                unconfirmed.removeAll(answered);
                unanswered.removeAll(answered);
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                shared.log().write(() -> ClientLog.LOG.debug("{}: releasing all holds failed", shared.client(), e));
            }
            if (!unanswered.isEmpty()) {
                requests.pause(Backoff.afterFailures(failures), deadline);
            }
        }
    }
}

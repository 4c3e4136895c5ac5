package io.github.distlock.engine;

import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Removes what this client left on the store: abandoned queue entries, and grants that no acquire wants. It works in
 * the background, and repeats each step until it succeeds, is refused, or the store has removed the rest by itself
 * after {@link LockBackend#expiry}. The last case does not exist if entries live with the client's session, because a
 * client whose requests all fail may keep its session by the pings of its connection.
 *
 * <p>However it ends, the last step lets the backend {@linkplain Contender#forget() forget} the contender.
 */
final class CleanUp {
    private static final int THREADS = 4;

    private static final int MOST_REFUSALS_LOGGED = 100;

    private final LockBackend backend;
    private final Work.Shared shared;
    private final Work threads;
    private final long requestTimeout;
    private final AtomicInteger underWay = new AtomicInteger();
    private final Set<String> refusalsLogged = ConcurrentHashMap.newKeySet();

    CleanUp(LockBackend backend, Settings settings, Work.Shared shared) {
        this.backend = backend;
        this.shared = shared;
        this.requestTimeout = settings.requestTimeout();
        this.threads = Work.bounded(THREADS, "cleanup", shared);
    }

    /** One request, which is safe to repeat. */
    private interface Step {
        void run(Deadline deadline) throws InterruptedException;
    }

    private record Job(Contender contender, LockRequest request, Step step) {}

    void withdraw(Contender contender, LockRequest request) {
        start(new Job(contender, request, contender::withdraw));
    }

    /**
     * Releases a grant.
     *
     * @param keptFor returns how long the store keeps the lock from now
     * @param done runs once the store has answered
     */
    void release(WonGrant won, Supplier<Duration> keptFor, Runnable done) {
        start(new Job(won.contender(), won.request(), deadline -> {
            var unused = won.release(keptFor.get(), deadline);
            done.run();
        }));
    }

    private void start(Job job) {
        underWay.incrementAndGet();
        execute(job, Deadline.after(backend.expiry(job.request), backend.clock()), 0);
    }

    private void execute(Job job, Deadline bound, int failures) {
        if (!threads.execute(() -> attempt(job, bound, failures))) {
            end(job);
        }
    }

    private void end(Job job) {
        underWay.decrementAndGet();
        job.contender.forget();
    }

    /** Returns whether nothing is left to clean up. */
    boolean isIdle() {
        return underWay.get() == 0;
    }

    private void attempt(Job job, Deadline bound, int failures) {
        if (bound.hasPassed() && !backend.isBoundToSession()) {
            end(job);
            debug("lock \"{}\": gave up cleaning up, it has ended by itself", job, null);
            return;
        }
        try {
            job.step.run(Deadline.after(Duration.ofNanos(requestTimeout), backend.clock()));
            end(job);
        } catch (RequestRefusedException e) {
            end(job);
            refused(job, e);
        } catch (Throwable e) {
            debug("lock \"{}\": cleaning up failed, trying again", job, e);
            shared.timer()
                    .at(
                            backend.clock().nanoTime() + Backoff.afterFailures(failures),
                            () -> execute(job, bound, failures + 1));
        }
    }

    private void debug(String message, Job job, @Nullable Throwable cause) {
        shared.log().write(() -> ClientLog.LOG.debug(message, job.request.name(), cause));
    }

    /** Logs each cause once: if the store refuses one lock, it often refuses all of them. */
    private void refused(Job job, RequestRefusedException cause) {
        if (refusalsLogged.size() < MOST_REFUSALS_LOGGED && refusalsLogged.add(String.valueOf(cause.getMessage()))) {
            shared.log()
                    .write(() -> ClientLog.LOG.error(
                            "lock \"{}\": the store refuses to clean up, it stays for {}; further locks with the same"
                                    + " cause are not logged",
                            job.request.name(),
                            backend.expiry(job.request),
                            cause));
        }
    }

    /** Waits a limited time for steps that are under way. */
    void close(long nanos) {
        threads.closeAfter(nanos);
    }
}

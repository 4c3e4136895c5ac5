package io.github.distlock.engine;

import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import java.time.Duration;

/**
 * Removes what this client left on the store: abandoned queue entries, and grants that no acquire wants. It works in
 * the background, and repeats each step until it succeeds, is refused, or the store has removed the rest by itself
 * after {@link LockBackend#expiry}. The last case does not exist if entries live with the client's session, because a
 * client whose requests all fail may keep its session by the pings of its connection.
 */
final class CleanUp {
    private static final int THREADS = 4;

    private final LockBackend backend;
    private final Timer timer;
    private final Work threads;
    private final long requestTimeout;

    CleanUp(LockBackend backend, Settings settings, Timer timer) {
        this.backend = backend;
        this.timer = timer;
        this.requestTimeout = settings.requestTimeout();
        this.threads = Work.bounded(THREADS, settings.client(), "cleanup", backend.clock());
    }

    /** One request, which is safe to repeat. */
    interface Step {
        void run(Deadline deadline) throws InterruptedException;
    }

    void withdraw(Contender contender, LockRequest request) {
        start(request, contender::withdraw);
    }

    void release(Grant grant, LockRequest request, Runnable done) {
        start(request, deadline -> {
            Grant.Release found = grant.release(deadline);
            ClientLog.LOG.trace("lock \"{}\": cleaned up, {}", request.name(), found);
            done.run();
        });
    }

    private void start(LockRequest request, Step step) {
        Deadline bound = Deadline.after(backend.expiry(request), backend.clock());
        threads.execute(() -> attempt(request, step, bound, 0));
    }

    private void attempt(LockRequest request, Step step, Deadline bound, int failures) {
        if (bound.hasPassed() && !backend.isBoundToSession()) {
            ClientLog.LOG.debug("lock \"{}\": gave up cleaning up, it has ended by itself", request.name());
            return;
        }
        try {
            step.run(Deadline.after(Duration.ofNanos(requestTimeout), backend.clock()));
        } catch (RequestRefusedException e) {
            ClientLog.LOG.error(
                    "lock \"{}\": the store refuses to clean up, it stays for {}",
                    request.name(),
                    backend.expiry(request),
                    e);
        } catch (InterruptedException | RuntimeException e) {
            ClientLog.LOG.debug("lock \"{}\": cleaning up failed, trying again", request.name(), e);
            timer.at(
                    backend.clock().nanoTime() + Backoff.afterFailures(failures),
                    () -> threads.execute(() -> attempt(request, step, bound, failures + 1)));
        }
    }

    /** Waits a limited time for steps that are under way. */
    void close(long nanos) {
        threads.closeAfter(nanos);
    }
}

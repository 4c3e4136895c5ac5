package io.github.distlock.engine;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.RequestRefusedException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** Requests that acquires and releases send on their own threads. Closing a client waits for them. */
final class Requests {
    private final Duration timeout;
    private final LockClock clock;
    private final AtomicInteger underWay = new AtomicInteger();

    Requests(Settings settings, LockClock clock) {
        this.timeout = Duration.ofNanos(settings.requestTimeout());
        this.clock = clock;
    }

    /** One request, which is safe to repeat. */
    interface Request<T> {
        T send(Deadline deadline) throws InterruptedException;
    }

    /** Begins a request. It lasts until its answer has been used, since an unused grant must be given back. */
    void begin() {
        underWay.incrementAndGet();
    }

    void end() {
        underWay.decrementAndGet();
    }

    boolean areAnswered() {
        return underWay.get() == 0;
    }

    Deadline deadline() {
        return Deadline.after(timeout, clock);
    }

    /** Sends the request. An interrupt does not stop it; the flag is kept. */
    <T> T sendUninterrupted(Request<T> request) {
        return sendUninterrupted(request, deadline());
    }

    <T> T sendUninterrupted(Request<T> request, Deadline deadline) {
        return send(request, false, deadline);
    }

    /** Repeats the request until it is answered, refused, or its time is over. Otherwise the same. */
    <T> T repeatUninterrupted(Request<T> request) {
        return send(request, true, deadline());
    }

    private <T> T send(Request<T> request, boolean afterFailures, Deadline deadline) {
        int failures = 0;
        boolean interrupted = Thread.interrupted();
        try {
            while (true) {
                try {
                    return request.send(deadline);
                } catch (InterruptedException e) {
                    interrupted = true;
                    if (deadline.hasPassed()) {
                        throw new IllegalStateException("interrupted for as long as the request may take", e);
                    }
                } catch (RuntimeException e) {
                    if (!afterFailures || e instanceof RequestRefusedException || deadline.hasPassed()) {
                        throw e;
                    }
                    pause(Backoff.afterFailures(failures++), deadline);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    void pause(long nanos, Deadline deadline) {
        try (LockClock.Parker parker = clock.parker()) {
            parker.parkUntil(clock.nanoTime() + Math.min(nanos, deadline.remainingNanos()));
        }
    }
}

package io.github.distlock;

import io.github.distlock.spi.Deadline;

/** Requests that an interrupt must not stop: repeated until they are answered or their time is over; the flag is kept. */
final class Uninterrupted {
    private Uninterrupted() {}

    /** One request; safe to repeat. */
    interface Request<T> {
        T send(Deadline deadline) throws InterruptedException;
    }

    static <T> T call(Request<T> request, Deadline deadline) {
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
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}

package io.github.distlock.redis.lettuce;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.lettuce.core.api.StatefulConnection;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A connection that is being closed. A backend waits for that for a short time, so that a caller that closes the client
 * next does not close the connection twice.
 */
final class Closing {
    private static final Duration LONGEST = Duration.ofMillis(250);

    private final CountDownLatch closed = new CountDownLatch(1);

    /** Begins to close a connection. Does not block. */
    Closing(StatefulConnection<?, ?> connection) {
        var unused = connection.closeAsync().whenComplete((none, failure) -> closed.countDown());
    }

    /** Returns when a wait that begins now has to end. */
    static Deadline soon(LockClock clock) {
        return Deadline.after(LONGEST, clock);
    }

    /** Waits for the end, unless this is a thread of Lettuce. */
    void await(Deadline soon) {
        if (isOfLettuce(Thread.currentThread())) {
            return;
        }
        try {
            var unused = closed.await(soon.remainingNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Returns whether a thread may be needed to receive answers. */
    static boolean isOfLettuce(Thread thread) {
        return thread.getName().startsWith("lettuce-");
    }
}

package io.github.distlock.redis;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The hold of a program that shares the lock key and is not in the queue, as the first waiter has found it.
 *
 * <p>No message tells the waiter when such a hold ends, and programs that poll may take the lock as soon as it is free.
 * So the waiter polls, too: first every 25 to 50 ms, and after a second every 50 to 100 ms. No other waiter of the lock
 * does. So one lock costs the server at most 40 requests per second.
 *
 * <p>A hold whose key does not expire may be left from a program that has crashed. The pauses then grow to a tenth of
 * the time for which the waiter has seen the hold. When they are longer than a second, heartbeats find the free lock.
 *
 * @param digest of what the program has written, by which the waiter recognizes the hold
 * @param seenAt when the waiter first found the hold, by the nano clock
 */
record ForeignHold(String digest, long seenAt) {
    private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(100);
    private static final int SHARE_OF_AGE = 10;

    /** Returns when to ask again: from half of the longest pause to all of it, so that no two programs keep step. */
    Duration pollAfter(long now, boolean expires) {
        long pause = Math.max(FIRST_PAUSE.toNanos(), (now - seenAt) / SHARE_OF_AGE);
        if (expires) {
            pause = Math.min(pause, LONGEST_PAUSE.toNanos());
        }
        return Duration.ofNanos(ThreadLocalRandom.current().nextLong(pause / 2, pause + 1));
    }
}

package io.github.distlock.redis;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How often a handoff leaves the lock to programs that are not in the queue first, and for how long.
 *
 * <p>Each release draws whether it does. A count of handoffs would need state: on the server one more command for each
 * handoff, and in the client one counter for each name, because a common one could miss a name always.
 *
 * @param handoffs of so many handoffs, one leaves the lock on average; 0 for none of them
 * @param time for how long
 */
record ForeignTurns(int handoffs, Duration time) {
    static final ForeignTurns NONE = new ForeignTurns(0, Duration.ZERO);

    /** Returns for how long the next handoff leaves the lock, in milliseconds; 0 if it does not. */
    long drawMillis() {
        boolean leaves = handoffs > 0 && ThreadLocalRandom.current().nextInt(handoffs) == 0;
        return leaves ? RedisContender.millis(time) : 0;
    }
}

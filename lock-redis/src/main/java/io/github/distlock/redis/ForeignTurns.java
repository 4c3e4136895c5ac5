package io.github.distlock.redis;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How often, and for how long, a handoff first leaves the lock to programs that are not in the queue.
 *
 * <p>Each release decides this by chance. A count of handoffs would need state: on the server one more command for each
 * handoff, or in the client one counter for each name. A common counter of all names could always skip the same name.
 *
 * @param handoffs the average number of handoffs of which one leaves the lock; 0 if none does
 * @param time for how long
 */
record ForeignTurns(int handoffs, Duration time) {
    static final ForeignTurns NONE = new ForeignTurns(0, Duration.ZERO);

    /** Decides by chance for how long the next handoff leaves the lock, in milliseconds; 0 if it does not. */
    long drawMillis() {
        boolean leaves = handoffs > 0 && ThreadLocalRandom.current().nextInt(handoffs) == 0;
        return leaves ? RedisContender.millis(time) : 0;
    }
}

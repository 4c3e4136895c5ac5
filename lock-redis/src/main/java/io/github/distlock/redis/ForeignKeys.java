package io.github.distlock.redis;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Locks whose keys somebody else has set, so that they will never be free: a warning for each, of the first thousand.
 */
final class ForeignKeys {
    private static final Logger LOG = LoggerFactory.getLogger(RedisBackend.class);
    private static final int MOST_WARNINGS = 1_000;

    private final Set<String> warnedOf = ConcurrentHashMap.newKeySet();

    /** With the time to live as Redis states it: -1 for none, or what the scripts answer where the key is no string. */
    void found(LockKeys keys, long ttlMillis) {
        if (warnedOf.size() < MOST_WARNINGS && warnedOf.add(keys.name)) {
            LOG.warn(
                    "lock \"{}\" is busy for good: its key {} {}",
                    keys.name,
                    keys,
                    ttlMillis == -1 ? "has no expiry, so nobody of this library has set it" : "is not a string");
        }
    }
}

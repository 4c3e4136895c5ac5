package io.github.distlock.redis;

import io.github.distlock.spi.BackendContext;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Warns of locks that are never free because another program has set their keys: once each, of the first thousand. */
final class ForeignKeys {
    private static final Logger LOG = LoggerFactory.getLogger(RedisBackend.class);
    private static final int MOST_WARNINGS = 1_000;

    private final Set<String> warnedOf = ConcurrentHashMap.newKeySet();

    /**
     * Warns of one lock.
     *
     * @param ttlMillis -1 for a key without an expiry, -2 for a key that is not a string
     */
    void found(LockKeys keys, long ttlMillis, BackendContext context) {
        if (warnedOf.size() < MOST_WARNINGS && warnedOf.add(keys.name)) {
            String reason = ttlMillis == -1 ? "has no expiry, so another program has set it" : "is not a string";
            context.log(() -> LOG.warn("lock \"{}\" is never free: its key {} {}", keys.name, keys, reason));
        }
    }
}

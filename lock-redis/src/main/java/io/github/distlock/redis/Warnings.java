package io.github.distlock.redis;

import io.github.distlock.spi.RequestRefusedException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Warnings about names: each once for a name, of the first thousand. */
final class Warnings {
    private static final Logger LOG = LoggerFactory.getLogger(RedisBackend.class);
    private static final int MOST_NAMES = 1_000;

    private final RedisContext context;
    private final Set<String> foreignKeys = ConcurrentHashMap.newKeySet();
    private final Set<String> otherLimits = ConcurrentHashMap.newKeySet();
    private final Set<String> refusedReads = ConcurrentHashMap.newKeySet();

    Warnings(RedisContext context) {
        this.context = context;
    }

    private static boolean isNew(String name, Set<String> warnedOf) {
        return warnedOf.size() < MOST_NAMES && warnedOf.add(name);
    }

    /**
     * Warns of a lock that is never free because another program has set its key.
     *
     * @param ttlMillis -1 for a key without an expiry, -2 for a key that is not a string
     */
    void foreignKey(LockKeys keys, long ttlMillis) {
        if (isNew(keys.name, foreignKeys)) {
            String fault = ttlMillis == -1 ? "has no expiry, so another program has set it" : "is not a string";
            context.log(() -> LOG.warn("lock \"{}\" is never free: its key {} {}", keys.name, keys, fault));
        }
    }

    /** Warns of a semaphore of which another client has another limit. */
    void otherLimit(String name, int own, long other) {
        if (isNew(name, otherLimits)) {
            String text = "semaphore \"{}\" has {} permits here, but {} for another client";
            context.log(() -> LOG.warn(text, name, own, other));
        }
    }

    /** Warns of a lock whose listeners hear of no request for release. */
    void refusedRead(String name, RequestRefusedException refusal) {
        if (isNew(name, refusedReads)) {
            context.log(() -> LOG.warn("requests for release are not heard: {}", refusal.getMessage()));
        }
    }
}

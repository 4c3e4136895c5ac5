package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Releases holds, {@value RedisBackend#CHUNK} at a time. One script {@linkplain ManyLocks ends the holds} for which no
 * contender waits. All others have a script each, and travel in one exchange per server.
 */
final class Releases {
    private static final Logger LOG = LoggerFactory.getLogger(RedisBackend.class);

    private final RedisBackend backend;
    private final RedisContext context;
    private final ManyLocks many;

    Releases(RedisBackend backend, RedisContext context, ManyLocks many) {
        this.backend = backend;
        this.context = context;
        this.many = many;
    }

    /** Returns what was found for the holds whose releases the servers have answered. */
    Map<Grant, Grant.Release> releaseAll(List<RedisGrant> grants, Deadline deadline) throws InterruptedException {
        Map<Grant, Grant.Release> found = new HashMap<>();
        try {
            for (List<RedisGrant> chunk : RedisBackend.<RedisGrant>chunks(grants)) {
                if (!deadline.hasPassed()) {
                    release(chunk, found, deadline);
                }
            }
        } catch (RuntimeException e) {
            // The outcome of this chunk and of the later ones is unknown.
            context.log(() -> LOG.debug("holds could not be released together", e));
        }
        return found;
    }

    private void release(List<RedisGrant> grants, Map<Grant, Grant.Release> found, Deadline deadline)
            throws InterruptedException {
        Map<RedisGrant, Boolean> left = new LinkedHashMap<>();
        grants.forEach(grant -> left.put(grant, grant.noteReleaseSent()));
        List<RedisGrant> alone =
                grants.stream().filter(RedisGrant::needsLockAloneToEnd).toList();
        if (many.isFor(alone.size())) {
            Object[] records = alone.stream().map(RedisGrant::record).toArray();
            List<byte[]> locks =
                    alone.stream().map(grant -> grant.contender.keys().lock()).toList();
            ManyLocks.Answer answer =
                    many.send(Script.RELEASE_MANY, alone.get(0).contender.keys(), locks, records, deadline);
            for (int i = 0; i < alone.size(); i++) {
                if (answer.at(i) == 1) {
                    left.remove(alone.get(i));
                    ended(alone.get(i), Grant.Release.RELEASED, found);
                } else if (answer.mayBeDone()) {
                    left.put(alone.get(i), true);
                }
            }
        }
        if (!left.isEmpty() && !deadline.hasPassed()) {
            releaseApart(left, found, deadline);
        }
    }

    /** Releases holds by a script for each. The map says whether an earlier release may have ended a hold. */
    private void releaseApart(Map<RedisGrant, Boolean> left, Map<Grant, Grant.Release> found, Deadline deadline)
            throws InterruptedException {
        List<RedisGrant> grants = List.copyOf(left.keySet());
        List<ScriptCall> calls =
                grants.stream().map(RedisGrant::releaseAndServe).toList();
        List<Object> replies = backend.callAll(calls, deadline);
        for (int i = 0; i < replies.size(); i++) {
            if (replies.get(i) instanceof List<?> reply) {
                RedisGrant grant = grants.get(i);
                boolean mayBeRepeated =
                        Boolean.TRUE.equals(left.get(grant)) || calls.get(i).wasSentAgain();
                ended(grant, reply.isEmpty() || mayBeRepeated ? Grant.Release.RELEASED : Grant.Release.GONE, found);
                backend.followUp(calls.get(i), deadline);
            }
        }
    }

    private static void ended(RedisGrant grant, Grant.Release outcome, Map<Grant, Grant.Release> found) {
        found.put(grant, outcome);
        grant.noteEnd(outcome);
    }
}

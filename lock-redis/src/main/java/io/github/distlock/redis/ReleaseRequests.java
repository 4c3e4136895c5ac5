package io.github.distlock.redis;

import io.github.distlock.LockOwner;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.RequestedRelease;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Requests to release locks. {@code request-release.lua} describes the key that has the last one of a name. Clients
 * read this key alone, so that they can do it while a cluster migrates the slot. If the server refuses a read, the next
 * one will fare no better, so the log says it. Other errors may pass, and the next read makes up for them.
 */
final class ReleaseRequests {
    private ReleaseRequests() {}

    /** Does what {@link RedisBackend#requestRelease} does. A repeated request has the same id. */
    static int send(RedisBackend backend, String name, LockOwner requester, Deadline deadline)
            throws InterruptedException {
        LockKeys keys = backend.keysOf(name);
        String owner = WireFormat.owner(requester);
        ScriptCall call = new ScriptCall(Script.REQUEST_RELEASE, name, keys.withRequested(), RandomId.next(), owner);
        return Math.toIntExact(Replies.number(backend.call(call, deadline).get(0)));
    }

    /** Does what {@link RedisBackend#requestedReleases} does. */
    static Map<Grant, RequestedRelease> read(
            RedisBackend backend, Collection<? extends Grant> grants, Deadline deadline) throws InterruptedException {
        Map<Grant, RequestedRelease> found = new HashMap<>();
        for (List<Grant> chunk : RedisBackend.<Grant>chunks(grants)) {
            List<ScriptCall> calls = new ArrayList<>();
            for (Grant grant : chunk) {
                LockKeys keys = ((RedisGrant) grant).contender.keys();
                calls.add(new ScriptCall(Script.READ_REQUEST, keys.name, keys.requestedAlone()));
            }
            List<Object> replies = backend.callAll(calls, deadline);
            long answeredAt = backend.clock().nanoTime();
            for (int i = 0; i < replies.size(); i++) {
                if (replies.get(i) instanceof List<?> reply && !reply.isEmpty()) {
                    Grant grant = chunk.get(i);
                    note((RedisGrant) grant, reply, answeredAt, found);
                } else if (replies.get(i) instanceof RequestRefusedException refusal) {
                    backend.warnings.refusedRead(calls.get(i).lockName(), refusal);
                }
            }
        }
        return found;
    }

    private static void note(RedisGrant grant, List<?> reply, long answeredAt, Map<Grant, RequestedRelease> found) {
        long now = Replies.number(reply.get(0));
        WireFormat.request(Replies.text(reply.get(1)))
                .flatMap(stored -> grant.requested(stored, now, answeredAt))
                .ifPresent(request -> found.put(grant, request));
    }
}

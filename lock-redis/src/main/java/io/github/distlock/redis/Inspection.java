package io.github.distlock.redis;

import io.github.distlock.LockStatus;
import java.time.Duration;
import java.util.List;

/** Translates the replies of {@code inspect.lua} and {@code force-release.lua}. */
final class Inspection {
    private Inspection() {}

    static LockStatus status(String name, List<?> reply) {
        LockStatus status = LockStatus.free(name)
                .withWaiters(reply.stream()
                        .skip(2)
                        .map(entry -> WireFormat.ownerOfEntry(Replies.text(entry)))
                        .toList());
        return reply.get(0) == null ? status : status.withHolders(holders(reply));
    }

    /** Returns the holder in a reply that begins with its record and its time to live; none if the reply is empty. */
    static List<LockStatus.Holder> holders(List<?> reply) {
        if (reply.isEmpty()) {
            return List.of();
        }
        Duration remaining = Duration.ofMillis(Math.max(0, Replies.number(reply.get(1))));
        return List.of(WireFormat.holder(Replies.text(reply.get(0)), remaining));
    }
}

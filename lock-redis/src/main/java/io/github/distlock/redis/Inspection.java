package io.github.distlock.redis;

import io.github.distlock.LockStatus;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Translates the replies of {@code inspect.lua} and {@code force-release.lua}. */
final class Inspection {
    private Inspection() {}

    static LockStatus status(String name, List<?> reply) {
        LockStatus status = LockStatus.free(name)
                .withWaiters(reply.stream()
                        .skip(2)
                        .map(entry -> WireFormat.ownerOfEntry(Replies.text(entry)))
                        .toList());
        if (reply.get(0) == null) {
            return status;
        }
        return kept(reply).map(status::withKept).orElseGet(() -> status.withHolders(holders(reply)));
    }

    /**
     * Returns the holder in a reply that begins with its record and its time to live; none if the lock was free or
     * kept.
     */
    static List<LockStatus.Holder> holders(List<?> reply) {
        if (reply.isEmpty() || kept(reply).isPresent()) {
            return List.of();
        }
        return List.of(WireFormat.holder(Replies.text(reply.get(0)), remaining(reply)));
    }

    private static Optional<LockStatus.Kept> kept(List<?> reply) {
        return WireFormat.kept(Replies.text(reply.get(0)), remaining(reply));
    }

    private static Duration remaining(List<?> reply) {
        return Duration.ofMillis(Math.max(0, Replies.number(reply.get(1))));
    }
}

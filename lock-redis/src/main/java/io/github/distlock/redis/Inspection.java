package io.github.distlock.redis;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.LockMode;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What the scripts answer to those who look at a lock from outside, as the API states it. */
final class Inspection {
    private Inspection() {}

    static LockStatus status(String name, Object answer) {
        List<?> reply = Replies.list(answer);
        LockStatus status = LockStatus.free(name)
                .withWaiters(reply.stream()
                        .skip(3)
                        .map(place -> ownerOfPlace(Replies.text(place)))
                        .toList());
        return reply.get(0) == null ? status : status.withHolders(List.of(holder(reply)));
    }

    static Optional<LockStatus.Holder> removed(Object answer) {
        return answer instanceof List<?> reply && !reply.isEmpty() ? Optional.of(holder(reply)) : Optional.empty();
    }

    private static LockOwner ownerOfPlace(String place) {
        return Owners.parse(place.split("\t", 3)[2]);
    }

    /** Out of value, ttl and last grant; where a foreign client holds the lock, that grant was another's. */
    private static LockStatus.Holder holder(List<?> reply) {
        String value = Replies.text(reply.get(0));
        Duration ttl = Duration.ofMillis(Math.max(0, Replies.number(reply.get(1))));
        String[] grant = Replies.text(reply.get(2)).split("\t", 3);
        if (grant.length == 3 && grant[1].equals(value)) {
            long base = Long.parseLong(grant[0]);
            return LockStatus.Holder.of(
                    Owners.parse(grant[2]), LockMode.EXCLUSIVE, Instant.ofEpochMilli(base / 1_000), base, ttl);
        }
        return LockStatus.Holder.of(LockOwner.of("", 0, value, ""), LockMode.EXCLUSIVE, Instant.EPOCH, 1, ttl);
    }
}

package io.github.distlock.redis;

import io.github.distlock.LockStatus;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Translates the replies of {@code inspect.lua} and {@code force-release.lua}. */
final class Inspection {
    private Inspection() {}

    static LockStatus status(String name, List<?> reply) {
        int end = 1 + 2 * Math.toIntExact(Replies.number(reply.get(0)));
        return LockStatus.free(name)
                .withHolders(holders(reply.subList(1, end)))
                .withWaiters(reply.stream()
                        .skip(end)
                        .map(entry -> WireFormat.ownerOfEntry(Replies.text(entry)))
                        .toList());
    }

    /** Returns the holders in a reply of records and their times to live, in the order of their grants. */
    static List<LockStatus.Holder> holders(List<?> reply) {
        return IntStream.range(0, reply.size() / 2)
                .mapToObj(i -> holder(reply.get(2 * i), reply.get(2 * i + 1)))
                .sorted(Comparator.comparing(LockStatus.Holder::fencingToken))
                .toList();
    }

    private static LockStatus.Holder holder(Object record, Object millis) {
        return WireFormat.holder(Replies.text(record), Duration.ofMillis(Math.max(0, Replies.number(millis))));
    }
}

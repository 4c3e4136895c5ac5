package io.github.distlock.redis;

import io.github.distlock.LockStatus;
import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

/** Translates the replies of {@code inspect.lua} and {@code force-release.lua}. */
final class Inspection {
    private Inspection() {}

    /**
     * Returns what the pages of one inspection say.
     *
     * @param pages the replies; the first one says who holds the lock
     */
    static LockStatus status(String name, List<List<?>> pages) {
        // A page begins with the last entry of the page before.
        Map<String, LockStatus.Waiter> waiters = new LinkedHashMap<>();
        for (List<?> page : pages) {
            for (int i = endOfHolders(page) + 1; i < page.size(); i += 2) {
                waiters.put(Replies.text(page.get(i)), waiter(page.get(i), page.get(i + 1)));
            }
        }
        LockStatus status = LockStatus.free(name).withWaiters(List.copyOf(waiters.values()));
        List<?> holders = pages.get(0).subList(1, endOfHolders(pages.get(0)));
        return kept(holders).map(status::withKept).orElseGet(() -> status.withHolders(holders(holders)));
    }

    private static int endOfHolders(List<?> page) {
        return 1 + 2 * Math.toIntExact(Replies.number(page.get(0)));
    }

    /** Returns where the next page begins, or an empty text after the last one. */
    static String next(List<?> page) {
        return Replies.text(page.get(endOfHolders(page)));
    }

    private static Optional<LockStatus.Kept> kept(List<?> holders) {
        return holders.isEmpty()
                ? Optional.empty()
                : WireFormat.kept(Replies.text(holders.get(0)), remaining(holders.get(1)));
    }

    /**
     * Returns the holders in a reply of records and their times to live, in the order of their grants; none if the
     * lock is kept.
     */
    static List<LockStatus.Holder> holders(List<?> reply) {
        if (kept(reply).isPresent()) {
            return List.of();
        }
        return pairs(reply, Inspection::holder).stream()
                .sorted(Comparator.comparing(LockStatus.Holder::fencingToken))
                .toList();
    }

    private static <T> List<T> pairs(List<?> reply, BiFunction<Object, Object, T> translation) {
        return IntStream.range(0, reply.size() / 2)
                .mapToObj(i -> translation.apply(reply.get(2 * i), reply.get(2 * i + 1)))
                .toList();
    }

    private static LockStatus.Waiter waiter(Object entry, Object micros) {
        return WireFormat.waiter(Replies.text(entry), Long.parseLong(Replies.text(micros)));
    }

    private static LockStatus.Holder holder(Object record, Object millis) {
        return WireFormat.holder(Replies.text(record), remaining(millis));
    }

    private static Duration remaining(Object millis) {
        return Duration.ofMillis(Math.max(0, Replies.number(millis)));
    }
}

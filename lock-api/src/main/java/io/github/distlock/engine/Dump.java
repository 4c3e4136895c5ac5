package io.github.distlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Who holds and who waits in one client, as text. Reads one queue after the other, while all of them may change. */
final class Dump {
    private Dump() {}

    static String of(String client, List<LocalQueue> queues, long now) {
        List<String> lines = new ArrayList<>();
        lines.add("client \"" + client + "\"");
        queues.stream()
                .sorted(Comparator.comparing((LocalQueue queue) -> queue.key.name())
                        .thenComparing(queue -> queue.key.toString()))
                .forEach(queue -> add(queue, now, lines));
        return String.join(System.lineSeparator(), lines) + System.lineSeparator();
    }

    private static void add(LocalQueue queue, long now, List<String> lines) {
        LockKey key = queue.key;
        lines.add("  \"" + key.name() + "\", " + key.mode() + ", " + key.options());
        queue.holds()
                .filter(Hold::isHeld)
                .forEach(hold -> lines.add("    held for " + age(hold.heldNanos(now)) + ", token " + hold.token() + ", "
                        + hold.state() + ", acquired by thread \"" + hold.threadName() + "\""));
        queue.everybody()
                .forEach(waiter -> lines.add("    waits for " + age(now - waiter.patience.since()) + ", thread \""
                        + waiter.threadName() + "\""));
    }

    private static Duration age(long nanos) {
        return Duration.ofMillis(Math.max(0, nanos) / 1_000_000);
    }
}

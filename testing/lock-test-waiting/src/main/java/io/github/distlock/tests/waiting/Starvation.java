package io.github.distlock.tests.waiting;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * What has prevented this JVM, or a server beside it, from running since a point in time:
 *
 * <ul>
 *   <li>A stall: no thread of this JVM ran for half a second, which {@link StallWatch} notices.
 *   <li>Starvation: for more than half a second, and for at least 75 % of that time, a process of this machine was
 *       ready to run and had no CPU, or waited for a disk, which {@link Pressure} notices.
 * </ul>
 *
 * <p>Thread-safe.
 */
final class Starvation {
    private static final Duration TOLERATED = Duration.ofMillis(500);

    private static final List<Stall> STALLS = new CopyOnWriteArrayList<>();
    private static final StallWatch WATCH =
            StallWatch.start(() -> true, (from, until) -> STALLS.add(new Stall(from, until)));
    private static final List<Pressure> PRESSURE = Pressure.watch(Path.of("/proc/pressure"));

    private final long begin = System.nanoTime();

    private record Stall(long from, long until) {}

    private Starvation() {}

    static Starvation fromNow() {
        return new Starvation();
    }

    /** Returns a description of the stall or starvation, or nothing if there was none. */
    Optional<String> seen() {
        Duration stall = longestStall();
        return stall.compareTo(TOLERATED) > 0
                ? Optional.of("this JVM stood still for " + stall.toMillis() + " ms")
                : PRESSURE.stream()
                        .flatMap(pressure -> pressure.since(begin).stream())
                        .findFirst();
    }

    private Duration longestStall() {
        // First the present stall, then those that are over: a stall that ends in between is seen twice, not missed.
        long longest = System.nanoTime() - WATCH.awakeAt();
        for (Stall stall : STALLS) {
            if (stall.until - begin > 0) {
                longest = Math.max(longest, stall.until - stall.from);
            }
        }
        return Duration.ofNanos(longest);
    }
}

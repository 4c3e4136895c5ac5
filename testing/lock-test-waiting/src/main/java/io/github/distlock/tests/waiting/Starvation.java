package io.github.distlock.tests.waiting;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What has prevented this JVM from running since a point in time:
 *
 * <ul>
 *   <li>A stall: no thread of this JVM ran for half a second, which {@link StallWatch} notices.
 *   <li>Starvation: for more than half a second, and for at least 75 % of the time, a process of this machine was ready
 *       to run and had no CPU. Linux counts that in {@code /proc/pressure/cpu} (<a
 *       href="https://docs.kernel.org/accounting/psi.html">PSI</a>). Other systems do not count it.
 * </ul>
 *
 * <p>Thread-safe.
 */
final class Starvation {
    private static final Path PRESSURE = Path.of("/proc/pressure/cpu");
    /** For how many microseconds since the start of the machine at least one task waited for a CPU. */
    private static final Pattern WAITED = Pattern.compile("some .*total=(\\d+)");

    private static final double STARVED = 0.75;
    private static final Duration TOLERATED = Duration.ofMillis(500);

    private static final List<Stall> STALLS = new CopyOnWriteArrayList<>();
    private static final StallWatch WATCH =
            StallWatch.start(() -> true, (from, until) -> STALLS.add(new Stall(from, until)));

    private record Stall(long from, long until) {}

    private final Path pressure;
    private final long begin = System.nanoTime();
    private final OptionalLong waitedBefore;

    private Starvation(Path pressure) {
        this.pressure = pressure;
        waitedBefore = waited();
    }

    static Starvation fromNow() {
        return fromNow(PRESSURE);
    }

    /** Reads another file in the format of {@code /proc/pressure/cpu}. */
    static Starvation fromNow(Path pressure) {
        return new Starvation(pressure);
    }

    /** Returns a description of the stall or starvation, or nothing if there was none. */
    Optional<String> seen() {
        Duration stall = longestStall();
        if (stall.compareTo(TOLERATED) > 0) {
            return Optional.of("this JVM stood still for " + stall.toMillis() + " ms");
        }
        OptionalLong waitedAfter = waited();
        if (waitedBefore.isEmpty() || waitedAfter.isEmpty()) {
            return Optional.empty();
        }
        long micros = Math.max(1, (System.nanoTime() - begin) / 1_000);
        long waited = waitedAfter.getAsLong() - waitedBefore.getAsLong();
        double share = (double) waited / micros;
        return share < STARVED || waited < TOLERATED.toNanos() / 1_000
                ? Optional.empty()
                : Optional.of(
                        String.format("processes waited for a CPU in %.0f %% of %d ms", 100 * share, micros / 1_000));
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

    private OptionalLong waited() {
        try {
            Matcher waited = WAITED.matcher(Files.readString(pressure));
            return waited.find() ? OptionalLong.of(Long.parseLong(waited.group(1))) : OptionalLong.empty();
        } catch (IOException e) {
            // The system is not Linux, or its kernel does not count this.
            return OptionalLong.empty();
        }
    }
}

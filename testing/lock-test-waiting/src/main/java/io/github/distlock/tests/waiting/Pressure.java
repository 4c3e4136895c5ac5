package io.github.distlock.tests.waiting;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * For how long processes of this machine waited for a CPU or for a disk. Linux counts that in {@code /proc/pressure}
 * (<a href="https://docs.kernel.org/accounting/psi.html">PSI</a>). Other systems do not count it.
 *
 * <p>Thread-safe: {@link #mutex} guards the samples.
 */
final class Pressure {
    private static final Duration NAP = Duration.ofMillis(50);
    /** No test takes longer. */
    private static final int KEPT = 12_000;

    private static final double NOTABLE_SHARE = 0.75;
    private static final Duration NOTABLE = Duration.ofMillis(500);
    /** If processes waited for that share of a longer time, they did so in a part of it, too. */
    private static final Duration LONGEST = Duration.ofSeconds(2);

    /** For how many microseconds since the start of the machine at least one process waited. */
    private static final Pattern WAITED = Pattern.compile("some .*total=(\\d+)");

    private final Path counter;
    private final String resource;
    private final ReentrantLock mutex = new ReentrantLock();
    private final Deque<Sample> samples = new ArrayDeque<>();

    private record Sample(long nanos, long waitedMicros) {}

    private Pressure(Path counter, String resource) {
        this.counter = counter;
        this.resource = resource;
    }

    /**
     * Starts a daemon thread that reads the counters of a directory like {@code /proc/pressure} 20 times per second,
     * for as long as this JVM lives.
     */
    static List<Pressure> watch(Path directory) {
        List<Pressure> watched = of(directory);
        Thread thread = new Thread(
                () -> {
                    while (true) {
                        watched.forEach(Pressure::read);
                        Waiting.letPass(NAP);
                    }
                },
                "distlock-tests-pressure");
        thread.setDaemon(true);
        thread.start();
        return watched;
    }

    /** Returns what is read only by {@link #read}. */
    static List<Pressure> of(Path directory) {
        return List.of(
                new Pressure(directory.resolve("cpu"), "a CPU"), new Pressure(directory.resolve("io"), "a disk"));
    }

    /** Takes a sample, unless the system does not count this. */
    void read() {
        OptionalLong waited = waited();
        if (waited.isPresent()) {
            add(System.nanoTime(), waited.getAsLong());
        }
    }

    private OptionalLong waited() {
        try {
            Matcher waited = WAITED.matcher(Files.readString(counter));
            return waited.find() ? OptionalLong.of(Long.parseLong(waited.group(1))) : OptionalLong.empty();
        } catch (IOException e) {
            // The system is not Linux, or its kernel does not count this.
            return OptionalLong.empty();
        }
    }

    void add(long nanos, long waitedMicros) {
        mutex.lock();
        try {
            if (samples.size() == KEPT) {
                samples.removeFirst();
            }
            samples.addLast(new Sample(nanos, waitedMicros));
        } finally {
            mutex.unlock();
        }
    }

    /**
     * Returns a description of a time since then in which processes waited for more than half a second, and for at
     * least 75 % of that time, or nothing if there was none.
     */
    Optional<String> since(long begin) {
        List<Sample> seen = samplesSince(begin);
        for (int from = 0; from < seen.size(); from++) {
            for (int to = from + 1; to < seen.size(); to++) {
                long nanos = seen.get(to).nanos - seen.get(from).nanos;
                long waited = (seen.get(to).waitedMicros - seen.get(from).waitedMicros) * 1_000;
                if (waited > NOTABLE.toNanos() && waited >= NOTABLE_SHARE * nanos) {
                    return Optional.of(String.format(
                            "processes waited for %s in %d of %d ms", resource, waited / 1_000_000, nanos / 1_000_000));
                }
                if (nanos > LONGEST.toNanos()) {
                    break;
                }
            }
        }
        return Optional.empty();
    }

    private List<Sample> samplesSince(long begin) {
        mutex.lock();
        try {
            return samples.stream().filter(sample -> sample.nanos - begin >= 0).toList();
        } finally {
            mutex.unlock();
        }
    }
}

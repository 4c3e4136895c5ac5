package io.github.distlock.examples.flashsale;

import io.github.distlock.tests.servers.ChildProgram;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** The speed of handoffs: all tills acquire and release one lock, and do nothing under it. */
record Relay(List<Long> sortedMicros, Duration time, long requests) {
    private static final Duration WARM_UP = Duration.ofMillis(500);
    private static final Duration TIME = Duration.ofMillis(1500);

    /** Measures all tills, which contend for the lock. */
    static Relay contended(Store store, Staff staff, Servers servers) {
        staff.tellAll(command(store, WARM_UP));
        staff.awaitAll("relayed");
        long before = servers.requests(store);
        staff.tellAll(command(store, TIME));
        List<String> micros = staff.awaitAll("relayed");
        return new Relay(sorted(micros.stream()), TIME, servers.requests(store) - before);
    }

    /** Measures one till, which contends with no other. */
    static Relay free(Store store, ChildProgram till, Servers servers) {
        Staff.ask(till, command(store, WARM_UP), "relayed");
        long before = servers.requests(store);
        String micros = Staff.ask(till, command(store, TIME), "relayed");
        return new Relay(sorted(Stream.of(micros)), TIME, servers.requests(store) - before);
    }

    private static String command(Store store, Duration time) {
        return "relay " + store.name() + " " + time.toMillis();
    }

    private static List<Long> sorted(Stream<String> micros) {
        return micros.flatMap(line -> Arrays.stream(line.split(" ", -1)))
                .filter(number -> !number.isEmpty())
                .map(Long::valueOf)
                .sorted()
                .toList();
    }

    long perSecond() {
        return sortedMicros.size() * 1000L / time.toMillis();
    }

    double requestsPerAcquisition() {
        return (double) requests / Math.max(1, sortedMicros.size());
    }

    /** Returns a percentile of the time that an acquire takes, in milliseconds. */
    double percentile(int percent) {
        return sortedMicros.isEmpty()
                ? Double.NaN
                : sortedMicros.get((sortedMicros.size() - 1) * percent / 100) / 1000.0;
    }
}

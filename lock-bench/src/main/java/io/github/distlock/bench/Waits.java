package io.github.distlock.bench;

import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The distribution of waits, in steps of a sixteenth of a power of two. Not thread-safe. */
final class Waits {
    private static final int STEPS = 16;
    private static final int STEP_BITS = 4;

    private final long[] counts = new long[(Long.SIZE - STEP_BITS) * STEPS];

    void add(long nanos) {
        counts[indexOf(nanos)]++;
    }

    void add(Waits other) {
        for (int i = 0; i < counts.length; i++) {
            counts[i] += other.counts[i];
        }
    }

    private static int indexOf(long nanos) {
        if (nanos < STEPS) {
            return (int) Math.max(0, nanos);
        }
        int exponent = Long.SIZE - 1 - Long.numberOfLeadingZeros(nanos);
        int step = (int) (nanos >> (exponent - STEP_BITS)) & (STEPS - 1);
        return (exponent - STEP_BITS + 1) * STEPS + step;
    }

    private static double microsAt(int index) {
        int exponent = index / STEPS;
        long nanos = exponent == 0 ? index : (STEPS + index % STEPS) * (1L << (exponent - 1));
        return nanos / 1e3;
    }

    long count() {
        return IntStream.range(0, counts.length).mapToLong(i -> counts[i]).sum();
    }

    /** Returns the wait, in microseconds, that this share of the acquires did not exceed; 0 if there were none. */
    double micros(double share) {
        double left = share * count();
        for (int i = 0; i < counts.length; i++) {
            left -= counts[i];
            if (left <= 0 && counts[i] > 0) {
                return microsAt(i);
            }
        }
        return 0;
    }

    /** Returns the distribution in the form that {@link #parse} reads, without spaces. */
    String format() {
        return IntStream.range(0, counts.length)
                .filter(i -> counts[i] > 0)
                .mapToObj(i -> i + ":" + counts[i])
                .collect(Collectors.joining(",", "[", "]"));
    }

    static Waits parse(String text) {
        Waits waits = new Waits();
        for (String entry : text.substring(1, text.length() - 1).split(",", -1)) {
            if (!entry.isEmpty()) {
                int colon = entry.indexOf(':');
                waits.counts[Integer.parseInt(entry.substring(0, colon))] = Long.parseLong(entry.substring(colon + 1));
            }
        }
        return waits;
    }
}

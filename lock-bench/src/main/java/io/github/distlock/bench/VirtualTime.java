package io.github.distlock.bench;

import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * The time of a simulation, in microseconds. It jumps from one event to the next. Events of the same time run in the
 * order in which they were planned, so a simulation always gives the same figures. Not thread-safe.
 */
final class VirtualTime {
    static final double SECOND = 1e6;

    private final PriorityQueue<Event> events =
            new PriorityQueue<>(Comparator.comparingDouble(Event::at).thenComparingLong(Event::number));
    private long planned;
    private double now;

    private record Event(double at, long number, Runnable action) {}

    double now() {
        return now;
    }

    void after(double micros, Runnable action) {
        events.add(new Event(now + micros, planned++, action));
    }

    /** Repeats an action, first after some time and then at intervals. */
    void every(double interval, double first, Runnable action) {
        after(first, () -> {
            action.run();
            every(interval, interval, action);
        });
    }

    /** Runs all events up to a time. */
    void runUntil(double end) {
        for (Event next = events.peek(); next != null && next.at <= end; next = events.peek()) {
            events.remove();
            now = next.at;
            next.action.run();
        }
        now = end;
    }
}

package io.github.distlock.tests.history;

import io.github.distlock.spi.LockMode;
import io.github.distlock.tests.history.Event.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Builds a history event by event. Times are in milliseconds. */
final class Script {
    private final Map<Long, List<Event>> processes = new TreeMap<>();
    private final List<InjectedFault> faults = new ArrayList<>();
    private LockMode mode = LockMode.EXCLUSIVE;

    private static long at(double millis) {
        return (long) (millis * 1_000_000);
    }

    Script event(
            long process, double at, Kind kind, long operation, String lock, long token, double until, String note) {
        List<Event> events = processes.computeIfAbsent(process, number -> new ArrayList<>());
        events.add(new Event(events.size() + 1, at(at), kind, operation, lock, token, at(until), note));
        return this;
    }

    /** Sets the mode of the acquires that follow. */
    Script as(LockMode newMode) {
        mode = newMode;
        return this;
    }

    /** Adds a call that turns a write hold with this token into a read hold. */
    Script downgrade(long process, long operation, double at, long token) {
        return event(process, at, Kind.ACQUIRE, operation, "a", token, 1e9, "downgrade" + Mode.words(LockMode.READ));
    }

    Script acquire(long process, long operation, double at) {
        return event(process, at, Kind.ACQUIRE, operation, "a", 0, 1e9, "untimed" + Mode.words(mode));
    }

    Script acquireUntil(long process, long operation, double at, double limit) {
        return event(process, at, Kind.ACQUIRE, operation, "a", 0, limit, "timed" + Mode.words(mode));
    }

    Script acquireFair(long process, long operation, double at, double queued) {
        return event(process, at, Kind.ACQUIRE, operation, "a", 0, 1e9, Workload.FAIR + Mode.words(mode))
                .event(process, queued, Kind.QUEUED, operation, "a", 0, 0, "");
    }

    Script granted(long process, long operation, double at, long token) {
        return event(process, at, Kind.GRANTED, operation, "a", token, 0, "");
    }

    Script refused(long process, long operation, double at) {
        return event(process, at, Kind.REFUSED, operation, "a", 0, 0, "busy");
    }

    Script held(long process, long operation, double at, double until) {
        return event(process, at, Kind.HELD, operation, "a", 0, until, "");
    }

    Script lost(long process, long operation, double at) {
        return event(process, at, Kind.LOST, operation, "a", 0, 0, "EXPIRED");
    }

    Script released(long process, long operation, double at, String outcome) {
        return event(process, at, Kind.RELEASE, operation, "a", 0, 0, "")
                .event(process, at + 0.1, Kind.RELEASED, operation, "a", 0, 0, outcome);
    }

    /** Adds a complete hold: an acquire, a grant 0.1 ms later, a successful {@code isHeld()}, and a release. */
    Script hold(long process, long operation, double at, long token, double length) {
        return acquire(process, operation, at)
                .granted(process, operation, at + 0.1, token)
                .held(process, operation, at + 0.1 + length, at + 1_000)
                .released(process, operation, at + 0.2 + length, "RELEASED");
    }

    Script end(long process, double at) {
        return event(process, at, Kind.END, 0, "", 0, 0, "");
    }

    Script stopped(long process, double from, double to) {
        return fault(InjectedFault.Kind.PROCESS_STOPPED, InjectedFault.Aim.HOLDER, process, from, to);
    }

    Script fault(InjectedFault.Kind kind, InjectedFault.Aim aim, long process, double from, double to) {
        faults.add(new InjectedFault(kind, aim, process, "a", at(from), at(to)));
        return this;
    }

    Map<Long, List<Event>> events() {
        return processes;
    }

    History history() {
        List<ProcessHistory> histories = new ArrayList<>();
        processes.forEach((number, events) -> {
            ProcessHistory history = new ProcessHistory(number);
            events.forEach(event -> history.add(Event.parse(event.line().replace("\n", ""))));
            histories.add(history);
        });
        return new History(histories, faults);
    }
}

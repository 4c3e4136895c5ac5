package io.github.distlock.tests.history;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The histories of all processes, and the injected faults. */
record History(List<ProcessHistory> processes, List<InjectedFault> faults) {

    static History read(Map<Long, Path> files, Path faults) {
        List<ProcessHistory> processes = new ArrayList<>();
        new TreeMap<>(files).forEach((number, file) -> processes.add(ProcessHistory.read(number, file)));
        return new History(
                processes,
                ProcessHistory.lines(faults).stream()
                        .map(Event::parse)
                        .map(InjectedFault::of)
                        .toList());
    }

    Stream<Operation> operations() {
        return processes.stream().flatMap(process -> process.operations.stream());
    }

    Map<String, List<Operation>> byLock() {
        return operations()
                .collect(Collectors.groupingBy(operation -> operation.lock, TreeMap::new, Collectors.toList()));
    }

    /**
     * Returns for how long the process did not run between two times, because it was stopped or the machine was busy.
     */
    long stopped(ProcessHistory process, long begin, long end) {
        long stopped = faults.stream()
                .filter(fault -> fault.stopsProcess() && fault.concerns(process) && fault.overlaps(begin, end))
                .mapToLong(fault -> Math.min(fault.to(), end) - Math.max(fault.from(), begin))
                .sum();
        // Not the sum: a stopped process also records a stall.
        return Math.max(stopped, process.stalled(begin, end));
    }

    /** Returns whether the process may have lost its queue entry for the lock between two times. */
    boolean mayLoseQueueEntry(ProcessHistory process, String lock, long begin, long end) {
        return process.stalled(begin, end) > 0
                || process.failed(lock, begin, end)
                || faults.stream()
                        .anyMatch(fault ->
                                fault.mayLoseQueueEntries() && fault.concerns(process) && fault.overlaps(begin, end));
    }
}

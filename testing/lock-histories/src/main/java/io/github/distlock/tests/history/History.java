package io.github.distlock.tests.history;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What all processes have written down, and what was done to them. */
record History(List<ProcessHistory> processes, List<Injury> injuries) {

    static History read(Map<Long, Path> files, Path injuries) {
        List<ProcessHistory> processes = new ArrayList<>();
        new TreeMap<>(files).forEach((number, file) -> processes.add(ProcessHistory.read(number, file)));
        return new History(
                processes,
                ProcessHistory.lines(injuries).stream()
                        .map(Event::parse)
                        .map(Injury::of)
                        .toList());
    }

    Stream<Operation> operations() {
        return processes.stream().flatMap(process -> process.operations.stream());
    }

    Map<String, List<Operation>> byLock() {
        return operations()
                .collect(Collectors.groupingBy(operation -> operation.lock, TreeMap::new, Collectors.toList()));
    }

    /** How long the process did nothing between two moments, because it was stopped or the machine was busy. */
    long stopped(ProcessHistory process, long begin, long end) {
        long stopped = injuries.stream()
                .filter(injury -> injury.stopsTheProcess() && injury.concerns(process) && injury.overlaps(begin, end))
                .mapToLong(injury -> Math.min(injury.to(), end) - Math.max(injury.from(), begin))
                .sum();
        // A process that was stopped notices it, too.
        return Math.max(stopped, process.stalled(begin, end));
    }

    /** Whether something happened between two moments by which the process's place in the lock's queue may be lost. */
    boolean losesPlaces(ProcessHistory process, String lock, long begin, long end) {
        return process.stalled(begin, end) > 0
                || process.failed(lock, begin, end)
                || injuries.stream()
                        .anyMatch(injury ->
                                injury.losesPlaces() && injury.concerns(process) && injury.overlaps(begin, end));
    }
}

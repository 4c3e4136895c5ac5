package io.github.distlock.tests.history;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The events that one process has recorded. */
final class ProcessHistory {
    final String name;
    final long number;
    /** The acquires, in the order of their calls. */
    final List<Operation> operations = new ArrayList<>();
    /** The requests that failed. */
    final List<Event> failures = new ArrayList<>();
    /** The times in which the process did not run. */
    final List<Event> stalls = new ArrayList<>();
    /** The events that are missing or out of order. */
    final List<String> defects = new ArrayList<>();

    private final Map<Long, Operation> byNumber = new HashMap<>();
    private long last;
    private boolean ended;

    ProcessHistory(long number) {
        this.number = number;
        this.name = "process " + number;
    }

    static ProcessHistory read(long number, Path file) {
        ProcessHistory history = new ProcessHistory(number);
        lines(file).forEach(line -> history.add(Event.parse(line)));
        return history;
    }

    /** Returns the lines of a file, without a last line that a killed process did not complete. */
    static List<String> lines(Path file) {
        try {
            String text = Files.readString(file, StandardCharsets.UTF_8);
            return text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    void add(Event event) {
        if (event.sequence() != ++last) {
            defects.add(name + ": found event " + event.sequence() + " instead of event " + last);
            last = event.sequence();
        }
        switch (event.kind()) {
            case BEGIN -> {}
            case END -> ended = true;
            case REQUEST_FAILED -> failures.add(event);
            case STALLED -> stalls.add(event);
            case ACQUIRE -> {
                Operation operation = new Operation(this, event);
                operations.add(operation);
                byNumber.put(operation.number, operation);
            }
            default -> {
                Operation operation = byNumber.get(event.operation());
                if (operation == null) {
                    defects.add(name + ": no acquire for " + event);
                } else {
                    operation.add(event);
                }
            }
        }
    }

    /** Returns for how long the process did not run between two times. */
    long stalled(long begin, long end) {
        return stalls.stream()
                .filter(stall -> stall.at() <= end && stall.until() >= begin)
                .mapToLong(stall -> Math.min(stall.until(), end) - Math.max(stall.at(), begin))
                .sum();
    }

    /** Returns whether a request for the lock failed between two times. */
    boolean failed(String lock, long begin, long end) {
        return failures.stream()
                .anyMatch(failure -> failure.lock().equals(lock) && failure.until() <= end && failure.at() >= begin);
    }

    boolean hasEnded() {
        return ended;
    }
}

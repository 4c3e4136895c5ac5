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
import java.util.Objects;

/** What one process has written down. */
final class ProcessHistory {
    final String name;
    final long number;
    /** In the order of their calls. */
    final List<Operation> operations = new ArrayList<>();
    /** Requests that ended with an error. */
    final List<Event> failures = new ArrayList<>();
    /** When it came to nothing. */
    final List<Event> stalls = new ArrayList<>();
    /** What makes the file useless: records that are missing or out of place. */
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

    /** Without the last one when the process was killed while it wrote it. */
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
            defects.add(name + ": event " + event.sequence() + " stands where event " + last + " should");
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

    /** For how long it came to nothing between two moments. */
    long stalled(long begin, long end) {
        return stalls.stream()
                .filter(stall -> stall.at() <= end && stall.until() >= begin)
                .mapToLong(stall -> Math.min(stall.until(), end) - Math.max(stall.at(), begin))
                .sum();
    }

    /** Whether a request for the lock failed between two moments. */
    boolean failed(String lock, long begin, long end) {
        return failures.stream()
                .anyMatch(failure -> failure.lock().equals(lock) && failure.until() <= end && failure.at() >= begin);
    }

    boolean hasEnded() {
        return ended;
    }

    @Override
    public String toString() {
        return name + ", " + operations.size() + " acquires";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ProcessHistory history && history.number == number;
    }

    @Override
    public int hashCode() {
        return Objects.hash(number);
    }
}

package io.github.distlock.bench;

import com.google.gson.Gson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;

/**
 * One measurement of one peer: a line of JSON.
 *
 * @param size the number of holds, waiters or clients; 0 where nothing varies
 * @param round from 0; {@link #COLD} for the first measurement of fresh JVMs
 * @param figures by name; times of waits are in microseconds, costs are for an acquire with its release, and CPU times
 *     of costs are in microseconds
 */
record Measurement(
        String scenario,
        String deployment,
        long oneWayMicros,
        int size,
        String peer,
        int round,
        long millis,
        Map<String, Double> figures,
        Map<String, String> environment) {
    static final int COLD = -1;

    private static final Gson GSON = new Gson();

    void append(Path file) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.writeString(file, GSON.toJson(this) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new IllegalStateException("cannot write to " + file, e);
        }
    }

    static List<Measurement> read(Path file) throws IOException {
        try (var lines = Files.lines(file, StandardCharsets.UTF_8)) {
            return lines.map(line -> GSON.fromJson(line, Measurement.class)).toList();
        }
    }

    double figure(String name) {
        return figures.getOrDefault(name, Double.NaN);
    }
}

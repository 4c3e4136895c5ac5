package io.github.distlock.bench;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** The measurements of one peer in one scenario, by round. The last measurement of each round counts. */
final class Row {
    final Scenario scenario;
    final Peer peer;
    final int size;
    private final Map<Integer, Measurement> rounds = new LinkedHashMap<>();

    Row(Measurement any) {
        scenario = Scenario.valueOf(any.scenario());
        peer = Peer.valueOf(any.peer());
        size = any.size();
    }

    void add(Measurement measurement) {
        rounds.put(measurement.round(), measurement);
    }

    /** Returns the median of all rounds, or NaN if they lack the figure. */
    double figure(String name) {
        return median(rounds.values().stream()
                .filter(each -> each.round() != Measurement.COLD)
                .mapToDouble(each -> each.figure(name))
                .toArray());
    }

    double sum(String name) {
        return rounds.values().stream()
                .mapToDouble(each -> each.figures().getOrDefault(name, 0.0))
                .sum();
    }

    /** Returns the rate of fresh JVMs, or NaN if it was not measured. */
    double coldRate() {
        return rounds.containsKey(Measurement.COLD) ? rate(Measurement.COLD) : Double.NaN;
    }

    private double rate(int round) {
        return Objects.requireNonNull(rounds.get(round)).figure("perSecond");
    }

    /** Returns the ratios of the rates of all rounds, from the least to the greatest. */
    double[] ratios(Row other) {
        return rounds.keySet().stream()
                .filter(round -> round != Measurement.COLD && other.rounds.containsKey(round))
                .mapToDouble(round -> rate(round) / other.rate(round))
                .sorted()
                .toArray();
    }

    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted.length == 0 ? Double.NaN : sorted[sorted.length / 2];
    }
}

package io.github.distlock.tests.history;

import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What processes do with locks: which, how long, and by which call. Most holds are short, so that there are many; those of
 * {@link #LONG} are long, so that a fault that is aimed at a holder finds it there. Locks of {@link #FAIR} have one thread in
 * each process, which makes a waiter of them identifiable by its process.
 */
final class Workload {
    static final String FAIR = "fair";
    static final String LONG = "long";
    /** Whose requests may lose their replies. */
    static final String AMBIGUOUS = "ambiguous";

    private static final String HOT = "hot";
    private static final String COOL = "cool";

    /** How a group of threads in each process uses a group of locks. */
    record Group(String locks, int size, int threads) {
        /** The locks of one of its threads: of fair locks just one. */
        String lock(int thread, SplittableRandom random) {
            return locks + (locks.equals(FAIR) ? thread % size : random.nextInt(size));
        }
    }

    static final List<Group> GROUPS = List.of(
            new Group(HOT, 1, 1),
            new Group(COOL, 80, 6),
            new Group(LONG, 6, 3),
            new Group(AMBIGUOUS, 12, 3),
            new Group(FAIR, 3, 3));

    private Workload() {}

    static List<String> locks(String group) {
        return GROUPS.stream()
                .filter(candidate -> candidate.locks.equals(group))
                .flatMap(
                        found -> java.util.stream.IntStream.range(0, found.size).mapToObj(i -> found.locks + i))
                .toList();
    }

    static List<String> locks() {
        return GROUPS.stream().flatMap(group -> locks(group.locks).stream()).toList();
    }

    static Duration hold(Group group, Duration lease, SplittableRandom random) {
        return switch (group.locks) {
            case HOT, AMBIGUOUS -> Duration.ZERO;
            case LONG -> part(lease, random.nextDouble(0.3, 2));
            default ->
                random.nextInt(100) < 2
                        ? part(lease, random.nextDouble(0, 0.5))
                        : Duration.ofNanos(random.nextLong(3_000_000));
        };
    }

    /** How long nothing is done after a release: with none at all a process might keep a lock among its own threads. */
    static Duration rest(Group group, Duration longest, SplittableRandom random) {
        return Duration.ofNanos(random.nextLong(longest.toNanos() * (group.locks.equals(LONG) ? 10 : 1)));
    }

    static Duration part(Duration duration, double share) {
        return Duration.ofNanos((long) (duration.toNanos() * share));
    }
}

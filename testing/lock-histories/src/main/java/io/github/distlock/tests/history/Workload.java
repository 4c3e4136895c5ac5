package io.github.distlock.tests.history;

import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Defines which locks the processes use and for how long they hold them. Most holds are short, so that there are many.
 * Holds of {@link #LONG} locks are long, so that faults strike their holders. In each process one thread uses a {@link
 * #FAIR} lock, so the process identifies the waiter.
 */
final class Workload {
    static final String FAIR = "fair";
    static final String LONG = "long";
    /** The locks on whose requests the run drops replies. */
    static final String AMBIGUOUS = "ambiguous";

    private static final String HOT = "hot";
    private static final String COOL = "cool";

    /** A number of locks, and the number of threads that use them in each process. */
    record Group(String locks, int size, int threads) {
        /** Returns a random lock, or for fair locks always the same one per thread. */
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
                .flatMap(found -> IntStream.range(0, found.size).mapToObj(i -> found.locks + i))
                .toList();
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

    /**
     * Returns how long a thread rests after a release. Without rests, a process could keep a lock among its threads.
     */
    static Duration rest(Group group, Duration longest, SplittableRandom random) {
        return Duration.ofNanos(random.nextLong(longest.toNanos() * (group.locks.equals(LONG) ? 10 : 1)));
    }

    static Duration part(Duration duration, double share) {
        return Duration.ofNanos((long) (duration.toNanos() * share));
    }
}

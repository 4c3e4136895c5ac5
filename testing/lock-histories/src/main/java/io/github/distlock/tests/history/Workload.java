package io.github.distlock.tests.history;

import io.github.distlock.spi.LockMode;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Defines which locks the processes use and for how long they hold them. Most holds are short, so that there are many.
 * Holds of {@link #LONG} locks are long, so that faults strike their holders. In each process one thread uses a {@link
 * #FAIR} lock, so the process identifies the waiter. Each name has one kind, but those of {@link #MIXED}: their threads
 * ask for all kinds, of which the store refuses all but the one in use.
 */
final class Workload {
    static final String FAIR = "fair";
    static final String LONG = "long";
    /** The locks on whose requests the run drops replies. */
    static final String AMBIGUOUS = "ambiguous";

    /** The locks of readers and writers, and the semaphores. The run drops replies to their requests, too. */
    static final String SHARED = AMBIGUOUS + "-shared";

    static final String PERMITS = AMBIGUOUS + "-permits";

    private static final String FAIR_SHARED = FAIR + "-shared";
    private static final String FAIR_PERMITS = FAIR + "-permits";
    private static final String MIXED = "mixed";
    private static final int LIMIT = 3;

    private static final String HOT = "hot";
    private static final String COOL = "cool";

    /** A number of locks, and the number of threads that use them in each process. */
    record Group(String locks, int size, int threads) {
        boolean isFair() {
            return locks.startsWith(FAIR);
        }

        /** Returns a random lock, or for fair locks always the same one per thread. */
        String lock(int thread, SplittableRandom random) {
            return locks + (isFair() ? thread % size : random.nextInt(size));
        }

        /** Returns the mode of the next acquire. */
        LockMode mode(SplittableRandom random) {
            return switch (locks) {
                case SHARED, FAIR_SHARED -> random.nextInt(3) > 0 ? LockMode.READ : LockMode.WRITE;
                case PERMITS, FAIR_PERMITS -> LockMode.permits(random.nextInt(1, LIMIT + 1), LIMIT);
                case MIXED ->
                    switch (random.nextInt(4)) {
                        case 0 -> LockMode.EXCLUSIVE;
                        case 1 -> LockMode.READ;
                        case 2 -> LockMode.WRITE;
                        default -> LockMode.permits(1, LIMIT);
                    };
                default -> LockMode.EXCLUSIVE;
            };
        }

        /** Returns whether some holds are so long that faults strike them. */
        boolean isLong() {
            return locks.equals(LONG) || locks.equals(SHARED) || locks.equals(PERMITS);
        }
    }

    private static final List<Group> GROUPS = List.of(
            new Group(HOT, 1, 1),
            new Group(COOL, 80, 6),
            new Group(LONG, 6, 3),
            new Group(AMBIGUOUS, 12, 3),
            new Group(FAIR, 3, 3),
            new Group(SHARED, 3, 3),
            new Group(PERMITS, 3, 3),
            new Group(FAIR_SHARED, 1, 1),
            new Group(FAIR_PERMITS, 1, 1),
            new Group(MIXED, 2, 1));

    /** The groups whose holders and waiters are struck. */
    static final List<String> STRUCK = List.of(LONG, LONG, LONG, FAIR, SHARED, PERMITS);

    private Workload() {}

    /** Returns the groups that a store with these modes can have. */
    static Stream<Group> groups(List<LockMode.Kind> modes) {
        return GROUPS.stream().filter(group -> switch (group.locks) {
            case SHARED, FAIR_SHARED -> modes.contains(LockMode.Kind.READ);
            case PERMITS, FAIR_PERMITS -> modes.contains(LockMode.Kind.PERMITS);
            case MIXED -> modes.size() == LockMode.Kind.values().length;
            default -> true;
        });
    }

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
            case SHARED, PERMITS -> random.nextInt(4) > 0 ? Duration.ZERO : part(lease, random.nextDouble(0.3, 2));
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
        return Duration.ofNanos(random.nextLong(longest.toNanos() * (group.isLong() ? 10 : 1)));
    }

    static Duration part(Duration duration, double share) {
        return Duration.ofNanos((long) (duration.toNanos() * share));
    }
}

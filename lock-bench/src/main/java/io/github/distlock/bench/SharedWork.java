package io.github.distlock.bench;

import io.github.distlock.bench.SharedLibrary.Acquire;
import io.github.distlock.bench.SharedLibrary.Client;
import java.util.concurrent.ThreadLocalRandom;

/** What each thread of {@link SharedLocks} acquires and releases, as fast as it can. */
enum SharedWork {
    READERS("readers", 0, 0, 0),
    READERS_AND_WRITERS("95 % readers, 5 % writers", 5, 0, 0),
    ONE_PERMIT("1 of 4 permits", 0, 4, 1),
    FOUR_PERMITS("4 of 16 permits", 0, 16, 4);

    private final String title;
    private final int writersPercent;
    private final int limit;
    private final int permits;

    SharedWork(String title, int writersPercent, int limit, int permits) {
        this.title = title;
        this.writersPercent = writersPercent;
        this.limit = limit;
        this.permits = permits;
    }

    /** What threads acquire: most of the time the first, and sometimes the second. */
    record Choice(Acquire usual, Acquire writer) {}

    String title() {
        return title;
    }

    private boolean usesPermits() {
        return limit > 0;
    }

    /**
     * Returns whether the library can do this work. Curator acquires the permits of one request one by one, so requests
     * that each have a part of theirs wait for each other without end.
     */
    boolean suits(SharedLibrary library) {
        return switch (library) {
            case REDISSON_WITH_LEASES -> usesPermits();
            case CURATOR -> permits <= 1;
            default -> true;
        };
    }

    boolean hasWriters() {
        return writersPercent > 0;
    }

    Choice with(Client client) {
        if (usesPermits()) {
            Acquire permits = client.permits(name(), limit, this.permits);
            return new Choice(permits, permits);
        }
        return new Choice(client.reader(name()), client.writer(name()));
    }

    boolean isWriterNext() {
        return hasWriters() && ThreadLocalRandom.current().nextInt(100) < writersPercent;
    }
}

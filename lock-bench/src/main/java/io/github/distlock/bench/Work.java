package io.github.distlock.bench;

import io.github.distlock.bench.Peer.Client;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/** What a thread acquires and releases, as fast as it can. */
enum Work {
    OWN_LOCK(Kind.LOCK, 0, 0, 1),
    ONE_LOCK(Kind.LOCK, 0, 1, 1),
    READERS(Kind.READ_WRITE, 0, 1, 1_000),
    READERS_AND_WRITERS(Kind.READ_WRITE, 5, 1, 1_000),
    ONE_PERMIT(Kind.PERMITS, 0, 1, 4),
    FOUR_PERMITS(Kind.PERMITS, 0, 4, 16);

    private final Kind kind;
    private final int writersPercent;
    /** What a hold takes from the limit; 0 if each thread has its own lock. */
    private final int weight;

    private final int limit;

    Work(Kind kind, int writersPercent, int weight, int limit) {
        this.kind = kind;
        this.writersPercent = writersPercent;
        this.weight = weight;
        this.limit = limit;
    }

    private enum Kind {
        LOCK,
        READ_WRITE,
        PERMITS
    }

    /** What a thread can acquire: mostly the first, which has this weight, and sometimes the second, alone. */
    record Choice(Acquire usual, Acquire writer) {}

    /** Returns what the thread of a number acquires. */
    Choice choice(Client client, int thread) {
        return switch (kind) {
            case LOCK -> {
                Acquire lock = client.lock(weight == 0 ? "own" + thread : "one");
                yield new Choice(lock, lock);
            }
            case READ_WRITE -> new Choice(client.reader(name()), client.writer(name()));
            case PERMITS -> {
                Acquire permits = client.permits(name(), limit, weight);
                yield new Choice(permits, permits);
            }
        };
    }

    boolean isWriterNext() {
        return writersPercent > 0 && ThreadLocalRandom.current().nextInt(100) < writersPercent;
    }

    int weight(boolean writes) {
        return writes ? limit : weight;
    }

    int limit() {
        return limit;
    }

    boolean isContended() {
        return this != OWN_LOCK;
    }

    /**
     * Returns whether the peer can do this work. Curator acquires the permits of one request one by one. So requests
     * that each have a part of their permits wait for each other without end.
     */
    boolean suits(Peer peer) {
        return switch (kind) {
            case LOCK ->
                switch (peer) {
                    case SOCKET, NODE -> !isContended();
                    case BATON, CHAIN -> isContended();
                    case REDISSON_LEASED -> false;
                    default -> true;
                };
            case READ_WRITE -> isShared(peer);
            case PERMITS ->
                peer == Peer.REDISSON_LEASED || (isShared(peer) && (weight == 1 || peer != Peer.CURATOR_OWN));
        };
    }

    private static boolean isShared(Peer peer) {
        return Stream.of(Peer.DISTLOCK, Peer.REDISSON, Peer.ZOOKEEPER_DISTLOCK, Peer.CURATOR_OWN)
                .anyMatch(peer::equals);
    }
}

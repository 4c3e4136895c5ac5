package io.github.distlock.bench;

import io.github.distlock.bench.Peer.Deployment;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** What {@link Benchmark} measures. The names are those of its option, and of the measurements. */
enum Scenario {
    S1("one thread, a free lock", Kind.RATE, Work.OWN_LOCK, 1, 1),
    S2("16 threads, a free lock each", Kind.RATE, Work.OWN_LOCK, 1, 16),
    S3("16 threads of one JVM, one lock", Kind.RATE, Work.ONE_LOCK, 1, 16),
    S4("4 JVMs of 4 threads, one lock", Kind.RATE, Work.ONE_LOCK, 4, 4),
    S4_FAULTS("4 JVMs, one lock: one is stopped, another one killed", Kind.FAULTS, Work.ONE_LOCK, 4, 4),
    S5("handoff between two JVMs", Kind.HANDOFF, Work.ONE_LOCK, 2, 1),
    S6_HOLDS("idle holds of one client", Kind.HOLDS, Work.OWN_LOCK, 1, 1, 5_000),
    S6_WAITERS("idle waiters of ten clients for one lock", Kind.WAITERS, Work.ONE_LOCK, 2, 1, 1_000),
    S7_CLIENTS("clients of 4 threads, one lock", Kind.CLIENTS, Work.ONE_LOCK, 4, 4, 1, 4, 16, 64),
    S7_HOLDS("idle holds of one client", Kind.HOLDS, Work.OWN_LOCK, 1, 1, 10, 100, 1_000, 10_000, 100_000),
    S7_WAITERS("idle waiters of ten clients for one lock", Kind.WAITERS, Work.ONE_LOCK, 2, 1, 10, 100, 1_000, 10_000),
    S8_READERS("16 readers of one JVM", Kind.RATE, Work.READERS, 1, 16),
    S8_READERS_4("4 JVMs of 4 readers", Kind.RATE, Work.READERS, 4, 4),
    S8_WRITERS("95 % readers, 5 % writers, 16 threads of one JVM", Kind.RATE, Work.READERS_AND_WRITERS, 1, 16),
    S8_WRITERS_4("95 % readers, 5 % writers, 4 JVMs of 4 threads", Kind.RATE, Work.READERS_AND_WRITERS, 4, 4),
    S8_PERMIT("1 of 4 permits, 16 threads of one JVM", Kind.RATE, Work.ONE_PERMIT, 1, 16),
    S8_PERMIT_4("1 of 4 permits, 4 JVMs of 4 threads", Kind.RATE, Work.ONE_PERMIT, 4, 4),
    S8_PERMITS("4 of 16 permits, 16 threads of one JVM", Kind.RATE, Work.FOUR_PERMITS, 1, 16),
    S8_PERMITS_4("4 of 16 permits, 4 JVMs of 4 threads", Kind.RATE, Work.FOUR_PERMITS, 4, 4);

    /** How a scenario is measured. */
    enum Kind {
        /** Acquires and releases per second, in rounds. */
        RATE,
        /** The time from a release to the return of the acquire that waits, in rounds. */
        HANDOFF,
        /** {@link #RATE}, for several numbers of clients. */
        CLIENTS,
        /** Acquires while clients fail. */
        FAULTS,
        /** What idle holds cost. */
        HOLDS,
        /** What idle waiters cost. */
        WAITERS
    }

    /** The peers that S7 compares. */
    private static final Set<Peer> GROWING =
            Set.of(Peer.BATON, Peer.DISTLOCK, Peer.DISTLOCK_FAIR, Peer.REDISSON, Peer.CHAIN, Peer.ZOOKEEPER_DISTLOCK);

    private final String title;
    private final Kind kind;
    private final Work work;
    private final int jvms;
    private final int threads;

    @SuppressWarnings("ImmutableEnumChecker") // It is one of List.of.
    private final List<Integer> sizes;

    Scenario(String title, Kind kind, Work work, int jvms, int threads, Integer... sizes) {
        this.title = title;
        this.kind = kind;
        this.work = work;
        this.jvms = jvms;
        this.threads = threads;
        this.sizes = sizes.length == 0 ? List.of(0) : List.of(sizes);
    }

    String title() {
        return title;
    }

    Kind kind() {
        return kind;
    }

    Work work() {
        return work;
    }

    int jvms() {
        return jvms;
    }

    int threads() {
        return threads;
    }

    /** Returns how many holds, waiters or clients there are, one after the other; 0 where nothing varies. */
    List<Integer> sizes(int most) {
        return sizes.stream().map(size -> Math.min(size, most)).distinct().toList();
    }

    boolean isIdle() {
        return kind == Kind.HOLDS || kind == Kind.WAITERS;
    }

    boolean isMeasuredWithDelay() {
        return (kind == Kind.RATE || kind == Kind.HANDOFF) && work.limit() == 1;
    }

    boolean suits(Peer peer) {
        boolean suited = switch (kind) {
            case RATE, HANDOFF, CLIENTS -> true;
            case FAULTS -> peer.isDistlock();
            case HOLDS, WAITERS -> !peer.isFloor() && peer != Peer.DISTLOCK_ASYNC;
        };
        boolean growing = GROWING.contains(peer) && (kind == Kind.CLIENTS || peer.isDistlock());
        return suited && work.suits(peer) && (growing || !name().startsWith("S7"));
    }

    /** Returns the peer that the others of a deployment are compared with: a floor if there is one. */
    Optional<Peer> floor(Deployment deployment) {
        if (work.limit() > 1) {
            return Stream.of(Peer.REDISSON, Peer.CURATOR_OWN)
                    .filter(peer -> peer.deployment() == deployment && work.suits(peer))
                    .findAny();
        }
        return Optional.of(
                switch (deployment) {
                    case STANDALONE -> this == S1 ? Peer.PLAIN : work.isContended() ? Peer.BATON : Peer.SOCKET;
                    case SENTINEL -> Peer.SENTINEL_PLAIN;
                    case CLUSTER -> Peer.CLUSTER_PLAIN;
                    case THREE -> Peer.RED_LOCK_OF_THREE;
                    case FIVE -> Peer.RED_LOCK_OF_FIVE;
                    case ZOOKEEPER -> work.isContended() ? Peer.CHAIN : Peer.NODE;
                });
    }
}

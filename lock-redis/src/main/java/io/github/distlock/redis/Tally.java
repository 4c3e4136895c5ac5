package io.github.distlock.redis;

import static java.util.Objects.requireNonNull;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.RequestRefusedException;
import java.util.Queue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Counts what the servers of a quorum answer to one question. Thread-safe, and only {@link #await} blocks.
 *
 * <p>Each server is counted once, in an atomic step that yields the counts before and after. The question is decided in
 * the one step before which the counts do not decide it and after which they do. So the action runs once. Later answers
 * are counted and change nothing.
 */
final class Tally {
    private final Predicate<Counts> decides;
    private final Consumer<Counts> whenDecided;
    private final AtomicReference<Counts> counts = new AtomicReference<>(new Counts(0, 0, 0, 0));
    private final Queue<Failure> failures = new ConcurrentLinkedQueue<>();
    private final CountDownLatch decided = new CountDownLatch(1);

    /** What a server has answered. */
    enum Answer {
        YES,
        NO,
        /** An answer that decides less than the first two. */
        OTHER,
        /** No answer. */
        FAILED
    }

    /** How many servers have given each answer. */
    record Counts(int yes, int no, int other, int failed) {
        private Counts with(Answer answer) {
            return switch (answer) {
                case YES -> new Counts(yes + 1, no, other, failed);
                case NO -> new Counts(yes, no + 1, other, failed);
                case OTHER -> new Counts(yes, no, other + 1, failed);
                case FAILED -> new Counts(yes, no, other, failed + 1);
            };
        }

        int all() {
            return yes + no + other + failed;
        }
    }

    private record Failure(QuorumServer server, Throwable error) {
        private String words() {
            return server + ": " + (error.getMessage() == null ? error : error.getMessage());
        }
    }

    /** Asks nothing. The counts must decide the question when all servers are counted. */
    Tally(Predicate<Counts> decides) {
        this(decides, counts -> {});
    }

    /**
     * Asks nothing.
     *
     * @param decides whether these counts decide the question; those of all servers must do so
     * @param whenDecided runs once, on the thread that counts the deciding answer; must not block
     */
    Tally(Predicate<Counts> decides, Consumer<Counts> whenDecided) {
        this.decides = decides;
        this.whenDecided = whenDecided;
    }

    void count(Answer answer) {
        Counts before = counts.getAndUpdate(now -> now.with(answer));
        Counts after = before.with(answer);
        if (!decides.test(before) && decides.test(after)) {
            try {
                whenDecided.accept(after);
            } finally {
                decided.countDown();
            }
        }
    }

    /** Counts a server whose answer has a reason. */
    void count(Answer answer, QuorumServer server, Throwable reason) {
        failures.add(new Failure(server, reason));
        count(answer);
    }

    /** Counts a server that has not answered, or has refused the request. */
    void countFailure(QuorumServer server, @Nullable Object error) {
        Throwable reason = error instanceof Throwable given ? given : new IllegalStateException("no answer");
        if (reason instanceof CompletionException && reason.getCause() != null) {
            reason = reason.getCause();
        }
        count(reason instanceof RequestRefusedException ? Answer.OTHER : Answer.FAILED, server, reason);
    }

    /** Waits until the question is decided. Returns false if the deadline has passed before. */
    boolean await(Deadline deadline) throws InterruptedException {
        return decided.await(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
    }

    Counts counts() {
        return requireNonNull(counts.get());
    }

    /** Returns the reasons that servers have given, and how many have not answered. */
    String words(int servers) {
        String given = failures.stream().map(Failure::words).collect(Collectors.joining("; "));
        int silent = servers - counts().all();
        String missing = silent == 0 ? "" : silent + " of " + servers + " servers have not answered in time";
        return given.isEmpty() || missing.isEmpty() ? given + missing : given + "; " + missing;
    }

    /** Returns the first reason of this type, or null if no server has given one. */
    <T extends Throwable> @Nullable T firstReason(Class<T> type) {
        return failures.stream()
                .map(Failure::error)
                .filter(type::isInstance)
                .map(type::cast)
                .findFirst()
                .orElse(null);
    }
}

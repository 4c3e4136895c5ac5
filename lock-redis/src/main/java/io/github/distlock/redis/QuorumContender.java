package io.github.distlock.redis;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * A contender for a lock of a quorum. Each attempt is a {@link Ballot}. A ballot that is not won is given up at once on
 * all servers, and the next one has another value. So an old request never adds a vote to a later ballot.
 *
 * <p><b>Split votes.</b> If several contenders ask at the same time, each may get some of the votes. All of them give
 * their votes back at once, and ask again after a random time. That time is up to 20 ms, and doubles with each split
 * vote in a row up to 100 ms. A vote takes about a millisecond. So contenders that keep colliding spread out.
 *
 * <p>Only one thread at a time attempts or withdraws; the fields belong to it.
 */
final class QuorumContender implements Contender {
    private static final long SHORTEST_POLL_MILLIS = 50;
    private static final long LONGEST_POLL_MILLIS = 100;
    private static final long SPLIT_MILLIS = 20;
    private static final int MOST_DOUBLINGS = 4;

    final RedisQuorum quorum;
    final LockRequest request;
    private final String owner;
    private @Nullable Ballot ballot;
    private int splits;

    QuorumContender(RedisQuorum quorum, LockRequest request) {
        this.quorum = quorum;
        this.request = request;
        this.owner = WireFormat.delayed(WireFormat.owner(request.owner()), RedisContender.millis(request.lockDelay()));
    }

    @Override
    public Attempt attempt(Deadline deadline) throws InterruptedException {
        long floor = request.baseAbove();
        Ballot last = ballot;
        if (last != null && last.base() > 0) {
            return confirmed(last, floor, deadline);
        }
        if (last != null) {
            last.awaitEnd(deadline);
        }
        Ballot next = new Ballot(quorum.question(request, owner), floor, last, deadline);
        ballot = next;
        boolean won = false;
        try {
            Tally.Counts counts = next.decided(deadline);
            if (next.hasMajority(counts)) {
                next.raise(floor, deadline);
                won = true;
                return granted(next, next.askedAt);
            }
            if (next.isLost(counts)) {
                return busy(next, counts.yes() > 0, deadline);
            }
            throw next.failure(counts);
        } finally {
            if (!won) {
                var unused = next.end();
            }
        }
    }

    /**
     * Answers again that the contender holds the lock, because the engine has not got the answer. If that cannot be
     * confirmed, the ballot is given up, and the next attempt has another one.
     */
    private Attempt confirmed(Ballot last, long floor, Deadline deadline) throws InterruptedException {
        Moment askedAt = quorum.clock().now();
        boolean confirmed = false;
        try {
            last.raise(floor >= last.base() ? floor : 0, deadline);
            confirmed = true;
        } finally {
            if (!confirmed) {
                last.giveUp();
            }
        }
        return granted(last, askedAt);
    }

    private Attempt granted(Ballot won, Moment askedAt) {
        return Attempt.granted(new QuorumGrant(this, won, Validity.of(askedAt, request.lease())));
    }

    /** Gives the votes back, and waits for that on the servers that have granted one. */
    private Attempt busy(Ballot lost, boolean isSplit, Deadline deadline) throws InterruptedException {
        List<CompletableFuture<Boolean>> granted =
                lost.votes.stream().filter(Vote::isGranted).map(Vote::end).toList();
        var unused = Ballot.await(granted, deadline);
        splits = isSplit ? Math.min(splits + 1, MOST_DOUBLINGS) : 0;
        ThreadLocalRandom random = ThreadLocalRandom.current();
        long millis = isSplit
                ? random.nextLong(1, Math.min(SPLIT_MILLIS << (splits - 1), LONGEST_POLL_MILLIS) + 1)
                : random.nextLong(SHORTEST_POLL_MILLIS, LONGEST_POLL_MILLIS + 1);
        return Attempt.busy(Duration.ofMillis(millis));
    }

    /**
     * Removes everything from all servers.
     *
     * @throws IllegalStateException if a server may still have something, because it has not answered
     */
    @Override
    public void withdraw(Deadline deadline) throws InterruptedException {
        Ballot last = ballot;
        if (last != null && !Ballot.await(last.end(), deadline)) {
            throw new IllegalStateException(
                    "a Redis server has not confirmed that nothing is left of lock \"" + request.name() + "\"");
        }
    }
}

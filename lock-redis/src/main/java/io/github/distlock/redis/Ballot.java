package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.RequestRefusedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One attempt to win the votes of a majority of the servers, under a value that no other ballot has. It is won once, or
 * given up for good. {@link RedisQuorum} says why that is safe.
 *
 * <p>One thread at a time uses it, except for the votes.
 */
final class Ballot {
    /**
     * By how much a proposed base is ahead of the servers' clocks: more than a request takes, and less than the least
     * longest lease.
     */
    private static final long AHEAD_MICROS = TimeUnit.MILLISECONDS.toMicros(100);

    final String value = RandomId.next();
    final LockKeys keys;
    /** The time before the first request was sent. */
    final Moment askedAt;
    /** One for each server, in their order. */
    final List<Vote> votes;

    private final Question question;
    private final int majority;
    private final Tally tally;
    /** The base that a majority has stored, or 0. */
    private long base;

    /**
     * What all ballots of a contender ask for.
     *
     * @param restartsLoseData whether a server may have lost data in a restart that has kept its key
     */
    record Question(
            LockKeys keys,
            String owner,
            long leaseMillis,
            long longestLeaseMillis,
            boolean restartsLoseData,
            List<QuorumServer> servers,
            LockClock clock) {
        private ScriptCall vote(String value, long floor) {
            return new ScriptCall(
                    Script.VOTE,
                    keys.name,
                    keys.withSince(),
                    value,
                    owner,
                    leaseMillis,
                    floor,
                    longestLeaseMillis,
                    restartsLoseData ? 1 : 0);
        }

        /** Returns a base that is probably ahead of the clocks of all servers, so that all mint the same one. */
        private long proposedBase() {
            return servers.stream().mapToLong(QuorumServer::time).max().orElse(0) + AHEAD_MICROS;
        }

        private ScriptCall raise(String value, long base) {
            return new ScriptCall(Script.RAISE, keys.name, keys.lockAndToken(), value, owner, leaseMillis, base);
        }
    }

    /**
     * Asks all servers at once, except those that may still have something of the ballot before.
     *
     * @param floor what the base must exceed
     * @param before the contender's ballot before, which was given up, or null
     */
    Ballot(Question question, long floor, @Nullable Ballot before, Deadline deadline) {
        this.question = question;
        this.keys = question.keys;
        int all = question.servers.size();
        this.majority = all / 2 + 1;
        this.tally = new Tally(counts -> counts.yes() >= majority
                || counts.other() > all - majority
                || counts.all() == all
                || (counts.no() + counts.failed() + counts.other() > all - majority
                        && counts.yes() + counts.no() >= majority));
        this.askedAt = question.clock.now();
        this.votes = new ArrayList<>(all);
        long proposed = Math.max(floor, question.proposedBase());
        for (int i = 0; i < all; i++) {
            Vote last = before == null ? null : before.votes.get(i);
            QuorumServer server = question.servers.get(i);
            Vote vote = last == null || last.isOver()
                    ? Vote.ask(server, keys, value, question.vote(value, proposed), deadline, question.clock)
                    : Vote.after(last);
            votes.add(vote);
        }
        for (Vote vote : votes) {
            var unused = vote.answer.whenComplete((answer, error) -> count(vote.server, answer, error));
        }
    }

    private void count(QuorumServer server, @Nullable List<?> answer, @Nullable Throwable error) {
        if (answer == null) {
            tally.countFailure(server, error);
            return;
        }
        switch ((int) Replies.number(answer.get(0))) {
            case 1 -> {
                server.noteTime(Replies.number(answer.get(2)));
                tally.count(Tally.Answer.YES);
            }
            case 0 -> tally.count(Tally.Answer.NO);
            case -2 ->
                tally.count(
                        Tally.Answer.OTHER,
                        server,
                        RequestRefusedException.otherKind(
                                LockMode.EXCLUSIVE, WireFormat.kind(Replies.text(answer.get(1)))));
            case -3 ->
                tally.count(
                        Tally.Answer.FAILED,
                        server,
                        new IllegalStateException("it has restarted or lost its data, so it votes again in "
                                + Replies.number(answer.get(1)) + " ms"));
            default -> tally.count(Tally.Answer.FAILED, server, new IllegalStateException("the request came too late"));
        }
    }

    /**
     * Waits until the servers have decided about their votes. Returns the counts. After a quarter of the time, a split
     * vote is lost if a majority has answered: the votes would keep others from the lock while a silent server is
     * waited for.
     */
    Tally.Counts decided(Deadline deadline) throws InterruptedException {
        if (!tally.await(quarter(deadline)) && !isLost(tally.counts())) {
            var unused = tally.await(deadline);
        }
        return tally.counts();
    }

    private Deadline quarter(Deadline deadline) {
        return Deadline.after(Duration.ofNanos(deadline.remainingNanos() / 4), question.clock);
    }

    boolean hasMajority(Tally.Counts counts) {
        return counts.yes() >= majority;
    }

    /** Returns whether a majority has said whether the lock is free, and another contender had some of the votes. */
    boolean isLost(Tally.Counts counts) {
        return counts.yes() + counts.no() >= majority && counts.no() > 0;
    }

    /** Returns why the ballot has no outcome. */
    RuntimeException failure(Tally.Counts counts) {
        return failure(tally, counts, "gives its vote");
    }

    private RuntimeException failure(Tally asked, Tally.Counts counts, String what) {
        RequestRefusedException refusal = asked.firstReason(RequestRefusedException.class);
        if (refusal != null && counts.other() > votes.size() - majority) {
            return refusal;
        }
        return new IllegalStateException(
                "no majority of the " + votes.size() + " Redis servers " + what + " for lock \"" + keys.name + "\": "
                        + asked.words(votes.size()),
                asked.firstReason(Throwable.class));
    }

    /** Returns the base that a majority has stored, or 0. */
    long base() {
        return base;
    }

    /**
     * Raises the base on the servers that have granted their votes, until a majority has stored it. Does not ask the
     * servers that have stored it with their votes.
     *
     * @param floor what the base must exceed
     */
    void raise(long floor, Deadline deadline) throws InterruptedException {
        boolean isFirst = base == 0;
        long wanted = Math.max(isFirst ? greatestBase() : base, floor + 1);
        int all = votes.size();
        Tally stored = new Tally(decides(all));
        for (Vote vote : votes) {
            var unused = vote.answer
                    .thenCompose(answer -> Vote.isGranted(answer) && !(isFirst && Vote.base(answer) == wanted)
                            ? vote.server.call(question.raise(value, wanted), deadline)
                            : CompletableFuture.completedFuture(answer))
                    .whenComplete((answer, error) -> {
                        if (answer == null) {
                            stored.countFailure(vote.server, error);
                        } else {
                            stored.count(Vote.isGranted(answer) ? Tally.Answer.YES : Tally.Answer.NO);
                        }
                    });
        }
        var unused = stored.await(deadline);
        if (stored.counts().yes() < majority) {
            throw failure(stored, stored.counts(), "has stored the fencing token");
        }
        base = wanted;
    }

    private long greatestBase() {
        return votes.stream()
                .filter(Vote::isGranted)
                .mapToLong(vote -> Vote.base(vote.answer.join()))
                .max()
                .orElse(0);
    }

    /** Decides when a majority says yes, or when that is impossible. */
    private Predicate<Tally.Counts> decides(int all) {
        return counts -> counts.yes() >= majority || counts.all() - counts.yes() > all - majority;
    }

    /**
     * Ends all votes, also those whose answer is still to come.
     *
     * @return for each vote, when that is done
     */
    List<CompletableFuture<Boolean>> end() {
        return votes.stream().map(Vote::end).toList();
    }

    /** Gives the ballot up although it was won. */
    void giveUp() {
        base = 0;
        var unused = end();
    }

    /**
     * Ends all votes, and waits until that is done on the servers that are not silent. After a quarter of the time, a
     * majority is enough: the rest of the time is for the next ballot.
     */
    void awaitEnd(Deadline deadline) throws InterruptedException {
        List<CompletableFuture<Boolean>> awaited = votes.stream()
                .filter(vote -> !vote.server.isSilent())
                .map(Vote::end)
                .toList();
        var unused = end();
        // The next ballot does not ask those that are not done.
        boolean allEnded = await(awaited, quarter(deadline));
        if (!allEnded && votes.stream().filter(Vote::isOver).count() < majority) {
            var unusedToo = await(awaited, deadline);
        }
    }

    /** Waits until all have completed. Returns whether that was in time, and none has failed. */
    static boolean await(List<CompletableFuture<Boolean>> all, Deadline deadline) throws InterruptedException {
        CountDownLatch pending = new CountDownLatch(all.size());
        AtomicInteger failed = new AtomicInteger();
        for (CompletableFuture<Boolean> each : all) {
            var unused = each.whenComplete((done, error) -> {
                if (error != null) {
                    failed.incrementAndGet();
                }
                pending.countDown();
            });
        }
        return pending.await(deadline.remainingNanos(), TimeUnit.NANOSECONDS) && failed.get() == 0;
    }
}

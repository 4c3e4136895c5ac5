package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The release of a hold. It has an outcome when a majority has answered, counted among the servers that may have
 * granted their votes: then the lock is free on them. The answers of the other servers count only if no such majority
 * answers.
 */
final class QuorumRelease implements RedisQuorum.Question {
    final QuorumGrant grant;
    private final boolean wasSentBefore;
    private final int majority;
    private final Tally tally;
    /** The votes whose lease was over on their servers, so that the lock delay keeps them. */
    private final Set<Vote> delayed = ConcurrentHashMap.newKeySet();

    /** Asks nothing yet. */
    QuorumRelease(QuorumGrant grant) {
        this.grant = grant;
        this.wasSentBefore = grant.noteRelease();
        int all = votes().size();
        this.majority = all / 2 + 1;
        this.tally = new Tally(counts -> counts.yes() + counts.no() >= majority || counts.all() == all);
    }

    @Override
    public List<Vote> votes() {
        return grant.ballot.votes;
    }

    @Override
    public ScriptCall call(Vote vote) {
        return vote.release(grant.lockDelay);
    }

    @Override
    public void answered(Vote vote, ScriptCall call, @Nullable Object reply) {
        if (grant.lockDelay > 0 && reply instanceof List<?> found && !found.isEmpty() && !call.wasSentAgain()) {
            delayed.add(vote);
        }
        count(tally, vote, call, reply);
        endDelayed();
    }

    /**
     * Ends the votes that a lock delay keeps, once a majority has had the hold until its release. Their servers have
     * missed the renewals.
     */
    private void endDelayed() {
        if (tally.counts().yes() >= majority) {
            delayed.forEach(vote -> {
                var unused = vote.end();
            });
        }
    }

    /** Counts what the end of a hold has found on a server: yes, the hold; no, nothing where a vote may have been. */
    static void count(Tally tally, Vote vote, ScriptCall call, @Nullable Object reply) {
        if (!(reply instanceof List<?> found)) {
            tally.countFailure(vote.server, reply);
        } else if (found.isEmpty() || call.wasSentAgain()) {
            tally.count(Tally.Answer.YES);
        } else {
            tally.count(vote.mayBeGranted() ? Tally.Answer.NO : Tally.Answer.OTHER);
        }
    }

    void await(Deadline deadline) throws InterruptedException {
        var unused = tally.await(deadline);
    }

    /** Returns what the servers have found, or empty if that is unknown. */
    Optional<Grant.Release> outcome() {
        Tally.Counts counts = tally.counts();
        if (counts.yes() + counts.no() + counts.other() < majority) {
            return Optional.empty();
        }
        return Optional.of(counts.yes() > 0 || wasSentBefore ? Grant.Release.RELEASED : Grant.Release.GONE);
    }

    /** Returns why the outcome is unknown. */
    RuntimeException failure() {
        return failure(grant, tally);
    }

    static RuntimeException failure(QuorumGrant grant, Tally tally) {
        int all = grant.ballot.votes.size();
        return new IllegalStateException(
                "no majority of the " + all + " Redis servers has confirmed the release of lock \""
                        + grant.ballot.keys.name + "\": " + tally.words(all),
                tally.firstReason(Throwable.class));
    }
}

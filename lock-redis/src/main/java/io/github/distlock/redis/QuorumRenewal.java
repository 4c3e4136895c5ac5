package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One renewal of a hold: it counts if a majority of the servers has extended the hold in this round. */
final class QuorumRenewal implements RedisQuorum.Question {
    private final Renewal renewal;
    private final QuorumGrant grant;
    private final Duration lease;
    private final Moment askedAt;
    private final int majority;
    private final Tally tally;

    /**
     * Asks nothing yet.
     *
     * @param askedAt the time before the first request
     */
    QuorumRenewal(Renewal renewal, Moment askedAt) {
        this.renewal = renewal;
        this.grant = (QuorumGrant) renewal.grant();
        this.lease = renewal.lease();
        this.askedAt = askedAt;
        int all = votes().size();
        this.majority = all / 2 + 1;
        this.tally = new Tally(
                counts -> counts.yes() >= majority || counts.no() >= majority || counts.all() == all, this::decided);
    }

    @Override
    public List<Vote> votes() {
        return grant.ballot.votes;
    }

    @Override
    public ScriptCall call(Vote vote) {
        return grant.renewal(lease, askedAt.nanoTime());
    }

    @Override
    public void answered(Vote vote, ScriptCall call, @Nullable Object reply) {
        if (reply instanceof List<?> found) {
            tally.count(Replies.number(found.get(0)) > 0 ? Tally.Answer.YES : Tally.Answer.NO);
        } else {
            tally.countFailure(vote.server, reply);
        }
    }

    private void decided(Tally.Counts counts) {
        if (counts.yes() >= majority) {
            grant.noteRenewed(lease, askedAt.nanoTime());
            renewal.renewed(Validity.of(askedAt, lease));
        } else if (counts.no() >= majority) {
            if (grant.lockDelay == 0) {
                var unused = grant.ballot.end();
            }
            renewal.gone();
        } else {
            renewal.unknown(new IllegalStateException(
                    "no majority of the " + votes().size() + " Redis servers has renewed lock \""
                            + grant.ballot.keys.name + "\": " + tally.words(votes().size()),
                    tally.firstReason(Throwable.class)));
        }
    }

    /** Waits until the renewal is answered. After the deadline, it stays without an answer. */
    void await(Deadline deadline) throws InterruptedException {
        var unused = tally.await(deadline);
    }
}

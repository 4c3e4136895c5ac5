package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.List;

/** A hold: a majority of the servers has this ballot's record in the lock key. */
final class QuorumGrant implements Grant {
    final QuorumContender contender;
    final Ballot ballot;
    private final long base;
    private final Validity validity;
    /** The end of the latest lease after which the servers keep the token for its full time. */
    private volatile long tokenKeptAfter;
    /** In milliseconds, or 0. */
    final long lockDelay;

    private boolean releaseWasSent;

    QuorumGrant(QuorumContender contender, Ballot ballot, Validity validity) {
        this.contender = contender;
        this.ballot = ballot;
        this.base = ballot.base();
        this.validity = validity;
        this.tokenKeptAfter = validity.from().nanoTime() + validity.length().toNanos();
        this.lockDelay = RedisContender.millis(contender.request.lockDelay());
    }

    @Override
    public long fencingBase() {
        return base;
    }

    @Override
    public Validity validity() {
        return validity;
    }

    @Override
    public Object server() {
        return RedisQuorum.SERVER;
    }

    /**
     * Makes the request that renews the hold on one server. If less than half of the token's time would be left after
     * the lease, it keeps the token, too.
     */
    ScriptCall renewal(Duration lease, long now) {
        LockKeys keys = ballot.keys;
        Duration kept = contender.quorum.tokenKept();
        List<byte[]> named = keepsToken(lease, now) ? keys.lockAndToken() : keys.lockAlone();
        long millis = RedisContender.millis(lease) + lockDelay;
        return new ScriptCall(
                Script.RENEW, keys.name, named, ballot.value, millis, millis + RedisContender.millis(kept), lockDelay);
    }

    private boolean keepsToken(Duration lease, long now) {
        return now + lease.toNanos() - tokenKeptAfter
                > contender.quorum.tokenKept().dividedBy(2).toNanos();
    }

    /** Notes that a majority has renewed the hold with the requests that were made at this time. */
    void noteRenewed(Duration lease, long now) {
        if (keepsToken(lease, now)) {
            tokenKeptAfter = now + lease.toNanos();
        }
    }

    /** Notes that a release is sent. Returns whether one was sent before. */
    boolean noteRelease() {
        boolean before = releaseWasSent;
        releaseWasSent = true;
        return before;
    }

    @Override
    public Release release(Deadline deadline) throws InterruptedException {
        QuorumRelease release = new QuorumRelease(this);
        for (Vote vote : ballot.votes) {
            ScriptCall call = release.call(vote);
            var unused = vote.server
                    .call(call, deadline)
                    .whenComplete((reply, error) -> release.answered(vote, call, reply == null ? error : reply));
        }
        release.await(deadline);
        return release.outcome().orElseThrow(release::failure);
    }

    /**
     * Keeps the lock on a majority. Each server notes that it has done so, because it does not find the hold if the
     * engine repeats the call.
     */
    @Override
    public Release keep(Duration time, Deadline deadline) throws InterruptedException {
        boolean repeated = noteRelease();
        int all = ballot.votes.size();
        int majority = all / 2 + 1;
        Tally tally = new Tally(
                counts -> counts.yes() >= majority || counts.no() + counts.other() >= majority || counts.all() == all);
        for (Vote vote : ballot.votes) {
            ScriptCall call =
                    new ScriptCall(Script.KEEP, ballot.keys, ballot.value, 1, RedisContender.millis(time), lockDelay);
            var unused = vote.server
                    .call(call, deadline)
                    .whenComplete(
                            (reply, error) -> QuorumRelease.count(tally, vote, call, reply == null ? error : reply));
        }
        var unused = tally.await(deadline);
        Tally.Counts counts = tally.counts();
        if (counts.yes() >= majority) {
            return Release.RELEASED;
        }
        if (counts.no() + counts.other() >= majority) {
            return repeated ? Release.RELEASED : Release.GONE;
        }
        throw QuorumRelease.failure(this, tally);
    }
}

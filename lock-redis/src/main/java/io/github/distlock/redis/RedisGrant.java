package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.Validity;
import java.time.Duration;

/**
 * A hold: the lock key has this contender's record.
 *
 * <p>A renewal names the lock key alone, because a cluster refuses a request with several keys while it migrates their
 * slot. The server keeps the last base for an hour beyond the lease of the grant; each half an hour a renewal names the
 * token key, too.
 */
final class RedisGrant implements Grant {
    private static final long TOKEN_KEPT_NANOS = Duration.ofMinutes(30).toNanos();

    final RedisContender contender;
    private final long fencingBase;
    private final Validity validity;
    private volatile long tokenKeptAt;
    private boolean releaseWasSent;

    RedisGrant(RedisContender contender, long fencingBase, Validity validity) {
        this.contender = contender;
        this.fencingBase = fencingBase;
        this.validity = validity;
        this.tokenKeptAt = validity.from().nanoTime();
    }

    @Override
    public long fencingBase() {
        return fencingBase;
    }

    @Override
    public Validity validity() {
        return validity;
    }

    ScriptCall renewal(Duration lease, long now) {
        LockKeys keys = contender.keys();
        return new ScriptCall(
                Script.RENEW,
                keys.name,
                keepsTokenAt(now) ? keys.lockAndToken() : keys.lockAlone(),
                contender.value,
                RedisContender.millis(lease));
    }

    private boolean keepsTokenAt(long now) {
        return now - tokenKeptAt > TOKEN_KEPT_NANOS;
    }

    /** Notes that the server has executed the renewal that was made at this time. */
    void noteRenewed(long now) {
        if (keepsTokenAt(now)) {
            tokenKeptAt = now;
        }
    }

    @Override
    public Release release(Deadline deadline) throws InterruptedException {
        boolean sentBefore = releaseWasSent;
        releaseWasSent = true;
        ScriptCall call = new ScriptCall(
                Script.RELEASE,
                contender.keys(),
                WireFormat.record(contender.value, fencingBase, contender.owner),
                contender.value,
                contender.mayArriveLate() ? 1 : 0);
        long reply = Replies.number(contender.backend().call(call, deadline).get(0));
        if (reply == 1 || sentBefore || call.wasSentAgain()) {
            return Release.RELEASED;
        }
        return Release.GONE;
    }
}

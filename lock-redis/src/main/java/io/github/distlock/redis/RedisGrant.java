package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.List;

/**
 * A hold: the lock key has this contender's record.
 *
 * <p>A renewal names the lock key alone, because a cluster refuses a request with several keys while it migrates their
 * slot. The server keeps the token for an hour beyond the lease of the grant. Before half of that time has passed, a
 * renewal names the token key, too. If the cluster refuses that one, the renewal is sent again for the lock key alone.
 */
final class RedisGrant implements Grant {
    private static final long TOKEN_REFRESH_NANOS =
            RedisContender.TOKEN_KEPT.dividedBy(2).toNanos();

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
                RedisContender.millis(lease),
                RedisContender.tokenKeptMillis(lease));
    }

    private boolean keepsTokenAt(long now) {
        return now - tokenKeptAt > TOKEN_REFRESH_NANOS;
    }

    /** Notes that the server has executed the renewal that was made at this time, with all keys that it named. */
    void noteRenewed(long now) {
        if (keepsTokenAt(now)) {
            tokenKeptAt = now;
        }
    }

    @Override
    public Release release(Deadline deadline) throws InterruptedException {
        boolean mayBeRepeated = releaseWasSent;
        releaseWasSent = true;
        if (!contender.mayArriveLate() && !contender.isContentionLikely()) {
            ScriptCall alone = releaseAlone();
            if (contender.backend().call(alone, deadline).isEmpty()) {
                return Release.RELEASED;
            }
            mayBeRepeated |= alone.wasSentAgain();
            contender.noteQueue();
        }
        ScriptCall call =
                new ScriptCall(Script.RELEASE, contender.keys(), contender.value, contender.mayArriveLate() ? 1 : 0);
        return end(call, mayBeRepeated, deadline);
    }

    @Override
    public Release keep(Duration time, Deadline deadline) throws InterruptedException {
        boolean mayBeRepeated = releaseWasSent;
        releaseWasSent = true;
        ScriptCall call = new ScriptCall(
                Script.KEEP,
                contender.keys(),
                contender.value,
                contender.mayArriveLate() ? 1 : 0,
                RedisContender.millis(time));
        return end(call, mayBeRepeated, deadline);
    }

    private Release end(ScriptCall call, boolean mayBeRepeated, Deadline deadline) throws InterruptedException {
        boolean released = contender.backend().call(call, deadline).isEmpty();
        return released || mayBeRepeated || call.wasSentAgain() ? Release.RELEASED : Release.GONE;
    }

    /** Makes the request of a release that goes out together with others. */
    ScriptCall releaseInBatch() {
        ScriptCall call =
                new ScriptCall(Script.RELEASE, contender.keys(), contender.value, contender.mayArriveLate() ? 1 : 0);
        if (releaseWasSent) {
            call.noteSentAgain();
        }
        releaseWasSent = true;
        return call;
    }

    /** Returns what the request of {@link #releaseInBatch} has found. */
    static Release found(ScriptCall call, List<?> reply) {
        return reply.isEmpty() || call.wasSentAgain() ? Release.RELEASED : Release.GONE;
    }

    private ScriptCall releaseAlone() {
        LockKeys keys = contender.keys();
        String record = WireFormat.record(contender.value, fencingBase, contender.owner);
        return new ScriptCall(Script.RELEASE_ALONE, keys.name, keys.lockAlone(), record);
    }
}

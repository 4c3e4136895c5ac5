package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.Validity;
import java.time.Duration;

/** A hold: the lock key has this contender's value. */
final class RedisGrant implements Grant {
    final RedisContender contender;
    private final long fencingBase;
    private final Validity validity;
    private boolean releaseWasSent;

    RedisGrant(RedisContender contender, long fencingBase, Validity validity) {
        this.contender = contender;
        this.fencingBase = fencingBase;
        this.validity = validity;
    }

    @Override
    public long fencingBase() {
        return fencingBase;
    }

    @Override
    public Validity validity() {
        return validity;
    }

    ScriptCall renewal(Duration lease) {
        return new ScriptCall(Script.RENEW, contender.keys(), contender.value, RedisContender.millis(lease));
    }

    @Override
    public Release release(Deadline deadline) throws InterruptedException {
        boolean sentBefore = releaseWasSent;
        releaseWasSent = true;
        RedisBackend backend = contender.backend();
        ScriptCall call =
                new ScriptCall(Script.RELEASE, contender.keys(), contender.value, contender.mayArriveLate() ? 1 : 0);
        long reply = Replies.number(backend.call(call, deadline));
        if (reply == 1 || sentBefore || call.wasSentAgain()) {
            return Release.RELEASED;
        }
        return Release.GONE;
    }
}

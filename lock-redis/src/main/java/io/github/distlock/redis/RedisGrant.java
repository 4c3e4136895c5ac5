package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A hold: the lock key has this contender's record. For a reader and for permits, the lock key has the marker and the
 * key of the holders has the record.
 *
 * <p>A renewal names these keys alone, because a cluster refuses a request with several keys, of which one is missing,
 * while it migrates their slot. The server keeps the token beyond the lease of the grant, for an hour by default. If
 * less than half of that time would be left after the lease of a renewal, it names the token key, too. If the cluster
 * refuses that one, the renewal is sent again without it.
 */
final class RedisGrant implements Grant {
    final RedisContender contender;
    private final LockMode mode;
    private final Validity validity;
    /** The subscription that receives messages about other contenders, or null. */
    private final @Nullable Object heardBy;

    /** The base in the record at the grant. */
    private final long firstBase;

    /** The base in the record, as far as the server has answered. */
    private volatile long fencingBase;

    /** The end of the latest lease after which the server keeps the token for its full time. */
    private volatile long tokenKeptAfter;

    private boolean releaseWasSent;
    private volatile @Nullable RequestedRelease requested;

    RedisGrant(RedisContender contender, LockMode mode, long fencingBase, Validity validity) {
        this(contender, mode, fencingBase, validity, null);
    }

    /** Makes a hold whose subscription receives a message if another contender wants the lock. */
    RedisGrant(RedisContender contender, LockMode mode, long fencingBase, Validity validity, @Nullable Object heardBy) {
        this(
                contender,
                mode,
                fencingBase,
                validity,
                heardBy,
                validity.from().nanoTime() + contender.lease().toNanos());
    }

    private RedisGrant(
            RedisContender contender,
            LockMode mode,
            long fencingBase,
            Validity validity,
            @Nullable Object heardBy,
            long tokenKeptAfter) {
        this.contender = contender;
        this.mode = mode;
        this.firstBase = fencingBase;
        this.fencingBase = fencingBase;
        this.validity = validity;
        this.heardBy = heardBy;
        this.tokenKeptAfter = tokenKeptAfter;
    }

    @Override
    public long fencingBase() {
        return fencingBase;
    }

    @Override
    public Validity validity() {
        return validity;
    }

    /**
     * Returns whether another contender of this client has a later grant of a lock or of a writer. Then the server does
     * not have this hold any more, and a local handoff of it would have a smaller token.
     */
    @Override
    public boolean hasEnded() {
        return contender.isOvertaken(fencingBase);
    }

    @Override
    public boolean hearsOthers() {
        return heardBy != null && heardBy == contender.backend().hearing();
    }

    @Override
    public Object server() {
        return contender.server();
    }

    ScriptCall renewal(Duration lease, long now) {
        LockKeys keys = contender.keys();
        long millis = contender.keptMillis(lease);
        long tokenKept = contender.tokenKeptMillis(lease);
        boolean keepsToken = keepsToken(lease, now);
        if (hasLockKey()) {
            List<byte[]> named = keepsToken ? keys.lockAndToken() : keys.lockAlone();
            long delay = contender.lockDelayMillis();
            return new ScriptCall(Script.RENEW, keys.name, named, contender.value, millis, tokenKept, delay);
        }
        List<byte[]> named = keepsToken ? keys.lockHoldersAndToken() : keys.lockAndHolders();
        return new ScriptCall(Script.RENEW_SHARED, keys.name, named, record(mode), millis, tokenKept);
    }

    /** Returns whether the lock key has the record. */
    boolean hasLockKey() {
        return mode.kind() == LockMode.Kind.EXCLUSIVE || mode.kind() == LockMode.Kind.WRITE;
    }

    /** Returns whether one script may renew the hold together with others. That script does not know lock delays. */
    boolean mayBeRenewedTogether() {
        return hasLockKey() && contender.lockDelayMillis() == 0;
    }

    /** Returns the record of the hold, if no contender waits. */
    String record() {
        return record(mode);
    }

    private String record(LockMode as) {
        return WireFormat.record(as, contender.value, fencingBase, contender.owner);
    }

    /** Returns whether a renewal at this time keeps the token, too. */
    boolean keepsToken(Duration lease, long now) {
        return now + lease.toNanos() - tokenKeptAfter
                > contender.backend().tokenKept.dividedBy(2).toNanos();
    }

    /** Notes that the server has executed the renewal that was made at this time, with all keys that it named. */
    void noteRenewed(Duration lease, long now) {
        if (keepsToken(lease, now)) {
            tokenKeptAfter = now + lease.toNanos();
        }
    }

    @Override
    public Release release(Deadline deadline) throws InterruptedException {
        boolean mayBeRepeated = noteReleaseSent();
        if (needsLockAloneToEnd()) {
            ScriptCall alone = releaseAlone();
            if (contender.backend().call(alone, deadline).isEmpty()) {
                contender.noteEnd();
                return Release.RELEASED;
            }
            mayBeRepeated |= alone.wasSentAgain();
            contender.noteQueue();
        }
        Release outcome = end(releaseAndServe(), mayBeRepeated, deadline);
        noteEnd(outcome);
        return outcome;
    }

    /**
     * Notes that a server has answered the release. If the hold was lost, the lock delay applies on the next primary,
     * too.
     */
    void noteEnd(Release outcome) {
        if (outcome == Release.RELEASED || contender.lockDelayMillis() == 0) {
            contender.noteEnd();
        }
    }

    @Override
    public Release keep(Duration time, Deadline deadline) throws InterruptedException {
        boolean mayBeRepeated = noteReleaseSent();
        ScriptCall call = new ScriptCall(
                Script.KEEP,
                contender.keys(),
                contender.value,
                contender.mayArriveLate() ? 1 : 0,
                RedisContender.millis(time),
                contender.lockDelayMillis());
        return end(call, mayBeRepeated, deadline);
    }

    private Release end(ScriptCall call, boolean mayBeRepeated, Deadline deadline) throws InterruptedException {
        boolean released = contender.backend().call(call, deadline).isEmpty();
        return released || mayBeRepeated || call.wasSentAgain() ? Release.RELEASED : Release.GONE;
    }

    /** Notes that a release is sent. Returns whether one was sent before. */
    boolean noteReleaseSent() {
        boolean before = releaseWasSent;
        releaseWasSent = true;
        return before;
    }

    /** Returns whether a release tries the lock key alone first. */
    boolean needsLockAloneToEnd() {
        return isOfLock()
                && contender.lockDelayMillis() == 0
                && !contender.mayArriveLate()
                && !contender.isContentionLikely();
    }

    private boolean isOfLock() {
        return mode.kind() == LockMode.Kind.EXCLUSIVE;
    }

    private ScriptCall releaseAlone() {
        LockKeys keys = contender.keys();
        return new ScriptCall(Script.RELEASE_ALONE, keys.name, keys.lockAlone(), record());
    }

    /** Makes the request of a release that serves the waiters. */
    ScriptCall releaseAndServe() {
        int bury = contender.mayArriveLate() ? 1 : 0;
        if (isOfLock()) {
            return new ScriptCall(
                    Script.RELEASE,
                    contender.keys(),
                    contender.value,
                    bury,
                    foreignTurn(),
                    contender.lockDelayMillis());
        }
        // A downgrade of unknown outcome may have made this writer a reader.
        LockMode shared = hasLockKey() ? LockMode.READ : mode;
        return new ScriptCall(
                Script.RELEASE_SHARED, contender.keys(), contender.value, bury, record(shared), foreignTurn());
    }

    private long foreignTurn() {
        return contender.backend().foreignTurns.drawMillis();
    }

    /**
     * Sends nothing if the lock is likely to have a queue. The script changes the base in the record of this hold, and
     * only if the record is as this client knows it and has no flag of waiters. So after an unknown outcome it changes
     * nothing any more. And a release then does not find the record that it knows, and asks by the value alone.
     */
    @Override
    public OptionalLong nextBase(Deadline deadline) throws InterruptedException {
        if (contender.isContentionLikely()) {
            return OptionalLong.empty();
        }
        LockKeys keys = contender.keys();
        ScriptCall call = new ScriptCall(
                Script.NEXT_BASE,
                keys.name,
                keys.lockAndToken(),
                record(),
                contender.value,
                contender.owner,
                contender.tokenKeptMillis(contender.lease()));
        List<?> reply = contender.backend().call(call, deadline);
        if (reply.isEmpty()) {
            return OptionalLong.empty();
        }
        long base = Replies.number(reply.get(0));
        if (!contender.takes(base)) {
            return OptionalLong.empty();
        }
        fencingBase = base;
        return OptionalLong.of(base);
    }

    /**
     * Returns a request to release this hold, or empty if it came before the grant.
     *
     * @param now the server's time at the answer, in microseconds since 1970
     * @param answeredAt when the answer arrived
     */
    Optional<RequestedRelease> requested(WireFormat.Request stored, long now, long answeredAt) {
        if (stored.base() < firstBase) {
            return Optional.empty();
        }
        RequestedRelease known = requested;
        if (known == null || !known.id().equals(stored.id())) {
            long age = TimeUnit.MICROSECONDS.toNanos(Math.max(0, now - stored.micros()));
            known = new RequestedRelease(stored.id(), stored.requester(), answeredAt - age);
            requested = known;
        }
        return Optional.of(known);
    }

    @Override
    public Optional<Grant> downgrade(Deadline deadline) throws InterruptedException {
        Duration lease = contender.lease();
        Moment askedAt = contender.backend().clock().now();
        ScriptCall call = new ScriptCall(
                Script.DOWNGRADE,
                contender.keys(),
                contender.value,
                record(LockMode.READ),
                RedisContender.millis(lease));
        List<?> reply = contender.backend().call(call, deadline);
        if (Replies.number(reply.get(0)) == 0) {
            return Optional.empty();
        }
        RedisGrant reading = new RedisGrant(
                contender, LockMode.READ, fencingBase, Validity.of(askedAt, lease), null, tokenKeptAfter);
        reading.requested = requested;
        return Optional.of(reading);
    }
}

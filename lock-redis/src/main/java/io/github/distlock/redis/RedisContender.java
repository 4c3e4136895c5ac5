package io.github.distlock.redis;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One place in a lock's queue, known to the server by a value that is never used for another.
 *
 * <h2>Hand-over</h2>
 *
 * Who ends a hold makes the first place the holder, for the hand-over lease, and tells its client. That message makes a
 * holder of the receiver at once, without a request, if three things are true. The message's base is above the
 * {@link Waiting#marker} of the last answer that said busy: so the hand-over came after that answer, and the message is
 * not an old one that was long under way. Then the server's lease ends no sooner than the hand-over lease after the
 * <em>sending</em> of the request that was answered so, which is the validity that is claimed. And enough of it is left
 * to renew in peace. Otherwise the place asks, and is answered with the full lease. Nothing depends on the message:
 * heartbeats find a hand-over whose message was lost.
 *
 * <p>The fields belong to whoever attempts or withdraws, one at a time, but for those that say how they are shared.
 */
final class RedisContender implements Contender {
    static final Duration HAND_OVER_LEASE = Duration.ofSeconds(3);
    /** How long a place counts without a heartbeat. */
    static final Duration ALIVE_FOR = RedisBackend.HEARTBEAT_INTERVAL.multipliedBy(4);

    private static final Duration LONGEST_RETRY = Duration.ofSeconds(5);
    private static final Duration RETRY_WITHOUT_MESSAGES = Duration.ofMillis(250);

    final String value;
    private final RedisBackend backend;
    private final LockRequest request;
    private final Signals signals;
    private final String owner;
    private final long floor;
    private final Duration handOverLease;
    private final String place;
    private @Nullable LockKeys keys;
    private boolean asked;
    private boolean doubtful;

    /** What was last said to be busy; by attempts and heartbeats, the later one counts. */
    private final AtomicReference<@Nullable Waiting> waiting = new AtomicReference<>();
    /** The base of a hand-over that was announced, or 0; by the reader of messages. */
    private volatile long announcedBase;

    /**
     * An answer that said busy.
     *
     * @param askedAt before its request was sent
     * @param marker a later hand-over has a base above this
     */
    private record Waiting(Moment askedAt, long marker) {}

    RedisContender(RedisBackend backend, String value, LockRequest request, Signals signals) {
        this.backend = backend;
        this.value = value;
        this.request = request;
        this.signals = signals;
        this.owner = Owners.text(request.owner());
        this.floor = backend.floor();
        Duration lease = request.lease();
        this.handOverLease = lease.compareTo(HAND_OVER_LEASE) < 0 ? lease : HAND_OVER_LEASE;
        this.place = request.waits() ? value + "\t" + millis(handOverLease) + "\t" + owner : "";
    }

    /** In the server's unit; never shorter than what a hold is said to be good for. */
    static long millis(Duration lease) {
        return lease.plusNanos(999_999).toMillis();
    }

    LockKeys keys() {
        LockKeys known = keys;
        if (known == null) {
            known = backend.keysOf(request.name());
            keys = known;
        }
        return known;
    }

    Signals signals() {
        return signals;
    }

    RedisBackend backend() {
        return backend;
    }

    /** Whether a request with this value may still be under way when its hold or place has ended. */
    boolean mayArriveLate() {
        return doubtful || backend.sendsAgain();
    }

    @Override
    public Attempt attempt(Deadline deadline) throws InterruptedException {
        RedisGrant handedOver = takeHandOver();
        if (handedOver != null) {
            return won(handedOver);
        }
        LockKeys lockKeys = keys();
        if (request.waits()) {
            backend.startWaiting(this);
        }
        boolean doubtfulBefore = doubtful;
        Moment askedAt = backend.clock().now();
        asked = true;
        doubtful = true;
        ScriptCall call = new ScriptCall(
                Script.ACQUIRE, lockKeys, value, millis(request.lease()), floor, owner, place, ALIVE_FOR.toMillis());
        List<?> reply = Replies.list(backend.call(call, deadline));
        doubtful = doubtfulBefore || call.wasSentAgain();
        long status = Replies.number(reply.get(0));
        if (status == 1) {
            return won(new RedisGrant(this, Replies.number(reply.get(1)), Validity.of(askedAt, request.lease())));
        }
        if (status == 0) {
            waitsSince(askedAt, Replies.number(reply.get(2)));
            return Attempt.busy(retryAfter(Replies.number(reply.get(1))));
        }
        throw new IllegalStateException("lock \"" + request.name() + "\": this contender was withdrawn");
    }

    private Attempt won(RedisGrant grant) {
        backend.stopWaiting(this);
        backend.noteBase(grant.fencingBase());
        return Attempt.granted(grant);
    }

    private Duration retryAfter(long ttlMillis) {
        if (ttlMillis < 0) {
            backend.warnOfForeignKey(keys(), ttlMillis);
        }
        Duration longest = !request.waits() || backend.hearsMessages() ? LONGEST_RETRY : RETRY_WITHOUT_MESSAGES;
        Duration lease = Duration.ofMillis(ttlMillis + 1);
        return ttlMillis >= 0 && lease.compareTo(longest) < 0 ? lease : longest;
    }

    private @Nullable RedisGrant takeHandOver() {
        long base = announcedBase;
        Waiting busy = waiting.get();
        if (base == 0 || busy == null) {
            return null;
        }
        announcedBase = 0;
        long age = backend.clock().nanoTime() - busy.askedAt.nanoTime();
        long length = handOverLease.toNanos();
        if (base <= busy.marker || base <= floor || age > length / 2) {
            return null;
        }
        Validity validity = Validity.of(busy.askedAt, handOverLease).withRenewAfter(Duration.ofNanos(age + length / 4));
        return new RedisGrant(this, base, validity);
    }

    /** The server has made this place the holder, it says. Any thread. */
    void announced(long base) {
        announcedBase = base;
        signals.wakeUp();
    }

    private void waitsSince(Moment askedAt, long marker) {
        Waiting later = new Waiting(askedAt, marker);
        waiting.accumulateAndGet(
                later, (known, now) -> known == null || now == null || now.marker > known.marker ? now : known);
    }

    ScriptCall heartbeat() {
        return new ScriptCall(Script.HEARTBEAT, keys(), value, place, ALIVE_FOR.toMillis());
    }

    /** The answer to a heartbeat. */
    void heard(Moment askedAt, Object reply) {
        if (reply instanceof List<?> parts && parts.size() == 2) {
            waitsSince(askedAt, Replies.number(parts.get(1)));
        } else {
            signals.wakeUp();
        }
    }

    @Override
    public void withdraw(Deadline deadline) throws InterruptedException {
        backend.stopWaiting(this);
        if (asked) {
            Object reply = backend.call(
                    new ScriptCall(Script.WITHDRAW, keys(), value, place, mayArriveLate() ? 1 : 0), deadline);
            if (Replies.number(reply) != 1) {
                throw new IllegalStateException("unexpected reply from the server: " + reply);
            }
        }
    }
}

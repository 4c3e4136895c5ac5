package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A contender: one value that no other contender has, and a queue entry while it waits.
 *
 * <h2>Handoff</h2>
 *
 * A client that ends a hold makes the first waiter the holder, for the handoff lease, and the server notifies that
 * waiter's client. The message makes its receiver a holder without a request if three conditions hold:
 *
 * <ol>
 *   <li>The message's base is greater than the {@link Waiting#marker} of the last busy reply. So the handoff came after
 *       that reply, and the message is not an old one that was delayed.
 *   <li>The message's base is greater than each base that another contender of the client has been
 *       {@linkplain GrantedBases granted} for this lock, so that the client's tokens increase.
 *   <li>At least half of the handoff lease is left, so that there is time to renew.
 * </ol>
 *
 * <p>If replicas have to confirm grants, no message suffices, and the contender asks.
 *
 * The server's lease ends no sooner than the handoff lease after the <em>sending</em> of the request that was answered
 * busy. This is the validity that the hold claims. If a condition does not hold, the contender asks, and the reply
 * grants the full lease.
 *
 * <p>Nothing depends on the message: heartbeats find a handoff whose message was lost. The message repeats the
 * contender's value, 128 random bits that only clients with access to the lock's keys can read. So no other client can
 * forge it.
 *
 * <p>The second condition counts exclusive and write grants alone. Several contenders of a client may wait for permits
 * or as readers of one lock, and be served together. Their messages may be taken in any order, because the order of
 * their tokens among each other means nothing.
 *
 * <h2>Late replies</h2>
 *
 * The second condition also applies to a reply that grants a lock or a write hold. A failover may have lost the grant,
 * and the new primary may have granted the lock to another contender of the client before this one takes its reply.
 * Then it asks again within the same attempt, and states the greater base. If the server still has the late grant, the
 * contender gets it with a greater base. Otherwise it is granted the lock again or finds it busy, as at any attempt.
 *
 * <h2>Heartbeats</h2>
 *
 * An entry near the head of the queue needs a heartbeat each second. The reply to a heartbeat says when the next one is
 * due; for an entry far from the head this is later. Each busy reply to an attempt makes one due at once. When the
 * entry comes near the head, the server sends a message, and the contender asks. Such a contender seldom asks again
 * otherwise.
 *
 * <h2>A kept lock</h2>
 *
 * If a release keeps the lock, nobody is served. The server sends the first waiter a message without a base, and the
 * contender asks. The reply says when the lock key expires, and the contender asks again then. The same applies if a
 * release {@linkplain ForeignTurns leaves the lock to other programs} for some time.
 *
 * <h2>Other programs</h2>
 *
 * While a program that is not in the queue holds the lock, the first waiter {@linkplain ForeignHold polls}. The reply
 * to an attempt or a heartbeat says that the contender is this waiter. Attempts poll. A heartbeat finds the hold of
 * another program that no attempt has found, and then the contender asks.
 *
 * <h2>A sticky hold</h2>
 *
 * The record of a sticky hold has the client's channel, and each busy answer of {@code acquire.lua} sends the message
 * {@code wanted} there. The client is notified of all other contenders under three conditions: its subscription was
 * confirmed before it sent the request that was granted, the same subscription has lasted since, and no contender
 * waited. Otherwise another contender may have been answered before, so each release goes to the server. The same
 * applies to a hold that was handed off, and to one whose first request was not answered.
 *
 * <h2>While a cluster migrates the slot</h2>
 *
 * The cluster refuses requests with several keys of which one is missing, until the migration ends. So acquire, release
 * and withdrawal of an exclusive lock then name {@linkplain ScriptCall#alone the lock key alone}, which decides who
 * holds the lock. Meanwhile the queue is not served, and contenders poll. {@code acquire-alone.lua} says why bases
 * still increase. For read-write locks and semaphores, the lock key alone does not suffice. Only their renewals
 * continue.
 *
 * <p>Only one thread at a time attempts or withdraws; the fields belong to it, except those that say otherwise.
 */
final class RedisContender implements Contender {
    static final Duration HANDOFF_LEASE = Duration.ofSeconds(3);
    /** How long a queue entry near the head counts without a heartbeat. */
    static final Duration ALIVE_FOR = RedisBackend.HEARTBEAT_INTERVAL.multipliedBy(4);

    /** The longest time between two heartbeats of a queue entry. */
    private static final Duration LONGEST_INTERVAL = Duration.ofSeconds(30);

    /** Heartbeats find all that an attempt would find. */
    private static final Duration LONGEST_RETRY = Duration.ofSeconds(30);

    private static final Duration RETRY_FAR_FROM_HEAD = Duration.ofMinutes(10);
    private static final Duration RETRY_WITHOUT_MESSAGES = Duration.ofMillis(250);

    final String value;
    private final RedisBackend backend;
    private final LockRequest request;
    private final Signals signals;
    final String owner;
    private final Duration handoffLease;
    private final long longestIntervalMillis;
    private byte @Nullable [] entry;
    private @Nullable LockKeys keys;
    private final TakenBases bases;
    /** Whether the server may have anything of this contender: an entry, a hold, or a request under way. */
    private boolean mayHaveLeft;
    /** Whether a request may be under way whose outcome is unknown. */
    private boolean doubtful;

    /** The last busy reply. Attempts and heartbeats write it; the later reply counts. */
    private final AtomicReference<@Nullable Waiting> waiting = new AtomicReference<>();
    /** The hold that this contender polls. Attempts write it, and heartbeats read it. */
    private volatile @Nullable ForeignHold polled;

    /** The base of the handoff that a message has announced, or 0. The reader of messages writes it. */
    private volatile long announcedBase;

    /**
     * A busy reply.
     *
     * @param askedAt the time before its request was sent
     * @param marker each later handoff has a greater base
     * @param interval the time from then until the next heartbeat
     */
    private record Waiting(Moment askedAt, long marker, Duration interval) {
        boolean isNearHead() {
            return interval.compareTo(RedisBackend.HEARTBEAT_INTERVAL) <= 0;
        }
    }

    RedisContender(RedisBackend backend, LockRequest request, Signals signals) {
        this.backend = backend;
        this.value = RandomId.next();
        this.request = request;
        this.signals = signals;
        String owned = WireFormat.delayed(WireFormat.owner(request.owner()), lockDelayMillis());
        this.owner = request.isSticky() ? WireFormat.sticky(owned, backend.channel()) : owned;
        Duration lease = request.lease();
        this.handoffLease = lease.compareTo(HANDOFF_LEASE) < 0 ? lease : HANDOFF_LEASE;
        this.longestIntervalMillis = longestInterval(lease).toMillis();
        this.bases = backend.grantedBases.enter(request.name());
    }

    /** Returns the queue entry, which a lock that is free does not need. */
    byte[] entry() {
        byte[] known = entry;
        if (known == null) {
            known = request.waits()
                    ? WireFormat.entry(request.mode(), value, backend.channel(), keptMillis(handoffLease), owner)
                            .getBytes(UTF_8)
                    : new byte[0];
            entry = known;
        }
        return known;
    }

    /** Returns an interval after which the server does not keep a queue entry for longer than a lease. */
    private static Duration longestInterval(Duration lease) {
        Duration longest = lease.minus(ALIVE_FOR).plus(RedisBackend.HEARTBEAT_INTERVAL);
        return longest.compareTo(LONGEST_INTERVAL) < 0 ? longest : LONGEST_INTERVAL;
    }

    /** Returns a lease in the server's unit, rounded up. */
    static long millis(Duration lease) {
        return lease.plusNanos(999_999).toMillis();
    }

    /** Returns the lock delay in the server's unit, or 0. */
    long lockDelayMillis() {
        return millis(request.lockDelay());
    }

    /** Returns how long the server keeps the lock key of a hold with a lease: for the lock delay longer. */
    long keptMillis(Duration lease) {
        return millis(lease) + lockDelayMillis();
    }

    /** Returns how long the server keeps the token of such a hold. The scripts count as this method does. */
    long tokenKeptMillis(Duration lease) {
        return keptMillis(lease) + millis(backend.tokenKept);
    }

    LockKeys keys() {
        LockKeys known = keys;
        if (known == null) {
            known = backend.keysOf(request.name());
            keys = known;
        }
        return known;
    }

    /** Returns whether the name is that of a lock, and not of a read-write lock or a semaphore. */
    private boolean isOfLock() {
        return request.mode().kind() == LockMode.Kind.EXCLUSIVE;
    }

    /** Returns whether the hold excludes all others. */
    private boolean isExclusive() {
        return isOfLock() || request.mode().kind() == LockMode.Kind.WRITE;
    }

    /** Returns the lease that the request asks for. */
    Duration lease() {
        return request.lease();
    }

    /** Returns whether the lock is likely to have a queue. */
    boolean isContentionLikely() {
        return backend.contention.isLikely(request.name());
    }

    void noteQueue() {
        backend.contention.note(request.name(), true);
    }

    Signals signals() {
        return signals;
    }

    RedisBackend backend() {
        return backend;
    }

    /** Returns whether a request with this value may still be under way when its hold or queue entry has ended. */
    boolean mayArriveLate() {
        return doubtful || backend.sendsAgain();
    }

    @Override
    public Attempt attempt(Deadline deadline) throws InterruptedException {
        Object heardBy = startHearing();
        RedisGrant grant = takeHandoff();
        // After the reply, a grant of another lock could be above it.
        long floor = request.baseAbove();
        if (grant == null && isOfLock() && !mayHaveLeft && !backend.sendsAgain() && !isContentionLikely()) {
            grant = acquireFree(floor, heardBy, deadline);
        }
        return grant != null && take(grant) ? won(grant) : acquireOrQueue(floor, heardBy, deadline);
    }

    /** Returns the subscription for messages about other contenders while this one has a sticky hold, or null. */
    private @Nullable Object startHearing() {
        if (!request.isSticky()) {
            return null;
        }
        backend.sticky.put(value, this);
        return backend.hearsMessages() && !mayHaveLeft ? backend.hearing() : null;
    }

    private @Nullable RedisGrant acquireFree(long floor, @Nullable Object heardBy, Deadline deadline)
            throws InterruptedException {
        LockKeys lockKeys = keys();
        Moment askedAt = backend.clock().now();
        ScriptCall call = new ScriptCall(
                Script.ACQUIRE_FREE,
                request.name(),
                lockKeys.lockAndToken(),
                value,
                owner,
                keptMillis(request.lease()),
                tokenKeptMillis(request.lease()));
        List<?> reply;
        try {
            reply = ask(call, deadline);
        } catch (ErrorReply e) {
            if (ErrorReply.isOfMigratingSlot(e)) {
                return null;
            }
            throw e;
        }
        if (reply.isEmpty()) {
            mayHaveLeft = doubtful;
            return null;
        }
        long base = Replies.number(reply.get(0));
        return base > floor ? granted(base, askedAt, heardBy) : null;
    }

    /** Asks again only if another contender of the client has taken a later grant before this one takes its own. */
    private Attempt acquireOrQueue(long floor, @Nullable Object heardBy, Deadline deadline)
            throws InterruptedException {
        long above = floor;
        while (true) {
            boolean hadLeft = mayHaveLeft;
            ScriptCall call = acquire(above);
            startWaiting();
            Moment askedAt = backend.clock().now();
            List<?> reply = ask(call, deadline);
            if (Replies.number(reply.get(0)) != 1) {
                return notGranted(call, askedAt, reply, hadLeft);
            }
            RedisGrant grant = granted(reply, askedAt, heardBy);
            if (take(grant)) {
                return won(grant);
            }
            above = bases.floor();
        }
    }

    /** Takes a reply that grants the lock. */
    private RedisGrant granted(List<?> reply, Moment askedAt, @Nullable Object heardBy) {
        long others = Replies.number(reply.get(2));
        if (isOfLock()) {
            backend.contention.note(request.name(), others > 0);
        } else {
            noteLimit(others);
        }
        boolean hears = heardBy != null && Replies.number(reply.get(3)) == 0;
        return granted(Replies.number(reply.get(1)), askedAt, hears ? heardBy : null);
    }

    /** Takes a reply that does not grant the lock. */
    private Attempt notGranted(ScriptCall call, Moment askedAt, List<?> reply, boolean hadLeft) {
        long status = Replies.number(reply.get(0));
        if (status == 0) {
            if (isOfLock()) {
                noteQueue();
            } else {
                noteLimit(Replies.number(reply.get(3)));
            }
            notePolled(digest(reply, isOfLock() ? 3 : 4));
            Duration again = retryAfter(Replies.number(reply.get(1)), call.wasSentAlone());
            waitsSince(askedAt, Replies.number(reply.get(2)), RedisBackend.HEARTBEAT_INTERVAL);
            sendHeartbeatSoon();
            return Attempt.busy(again);
        }
        if (status == -2) {
            mayHaveLeft = hadLeft || doubtful;
            throw RequestRefusedException.otherKind(request.mode(), WireFormat.kind(Replies.text(reply.get(1))));
        }
        throw new IllegalStateException("lock \"" + request.name() + "\": this contender was withdrawn");
    }

    private ScriptCall acquire(long floor) {
        LockKeys lockKeys = keys();
        long lease = keptMillis(request.lease());
        long aliveFor = ALIVE_FOR.toMillis();
        if (isOfLock()) {
            return new ScriptCall(Script.ACQUIRE, lockKeys, value, owner, lease, floor, entry(), aliveFor);
        }
        LockMode mode = request.mode();
        return new ScriptCall(
                Script.ACQUIRE_SHARED,
                lockKeys,
                value,
                owner,
                lease,
                floor,
                entry(),
                aliveFor,
                WireFormat.word(mode),
                WireFormat.count(mode),
                new ScriptCall.SentBefore(mayHaveLeft || backend.sendsAgain()));
    }

    /** Returns the digest of another program's record if this is the first waiter. It is the last part of a reply. */
    private static Optional<String> digest(List<?> reply, int place) {
        return reply.size() > place ? Optional.of(Replies.text(reply.get(place))) : Optional.empty();
    }

    private void notePolled(Optional<String> digest) {
        if (!digest.equals(polledDigest())) {
            polled = digest.map(found -> new ForeignHold(found, backend.clock().nanoTime()))
                    .orElse(null);
        }
    }

    private Optional<String> polledDigest() {
        return Optional.ofNullable(polled).map(ForeignHold::digest);
    }

    private void noteLimit(long other) {
        int limit = request.mode().limit();
        if (other > 0 && other != limit) {
            backend.warnings.otherLimit(request.name(), limit, other);
        }
    }

    private List<?> ask(ScriptCall call, Deadline deadline) throws InterruptedException {
        boolean doubtfulBefore = doubtful;
        boolean mayHaveLeftBefore = mayHaveLeft;
        mayHaveLeft = true;
        doubtful = true;
        try {
            List<?> reply = backend.call(call, deadline);
            doubtful = doubtfulBefore || call.wasSentAgain();
            return reply;
        } catch (RuntimeException e) {
            boolean certainlyNotDone = e instanceof RequestRefusedException || ErrorReply.isOfMigratingSlot(e);
            if (certainlyNotDone && !call.wasSentAgain()) {
                doubtful = doubtfulBefore;
                mayHaveLeft = mayHaveLeftBefore;
            }
            throw e;
        }
    }

    private void startWaiting() {
        if (request.waits()) {
            backend.waiting.put(value, this);
        }
    }

    private void stopWaiting() {
        backend.waiting.remove(value);
    }

    private RedisGrant granted(long base, Moment askedAt, @Nullable Object heardBy) {
        return new RedisGrant(this, request.mode(), base, Validity.of(askedAt, request.lease()), heardBy);
    }

    /** Returns whether a grant becomes a hold. It does not if another contender has taken a later one. */
    private boolean take(RedisGrant grant) {
        if (isExclusive()) {
            return takes(grant.fencingBase());
        }
        bases.share(grant.fencingBase());
        return true;
    }

    /** Returns whether the hold of a lock or of a writer may have this base. */
    boolean takes(long base) {
        return bases.take(base, value);
    }

    /** Returns whether another contender of this client has taken a later grant that excludes a hold with this base. */
    boolean isOvertaken(long base) {
        return bases.isOvertaken(base, value);
    }

    private Attempt won(RedisGrant grant) {
        stopWaiting();
        return Attempt.granted(grant);
    }

    /**
     * Returns when to ask again after a busy reply.
     *
     * @param ttlMillis for how long the lock key stays; less than 0 if another program has set it
     * @param unqueued whether the contender could not enter the queue, because the slot migrates
     */
    private Duration retryAfter(long ttlMillis, boolean unqueued) {
        if (ttlMillis < 0) {
            backend.warnings.foreignKey(keys(), ttlMillis);
        }
        boolean polls = request.waits() && (!backend.hearsMessages() || unqueued);
        Waiting busy = waiting.get();
        ForeignHold foreign = polled;
        if (!polls && foreign == null && busy != null && !busy.isNearHead()) {
            return RETRY_FAR_FROM_HEAD;
        }
        Duration longest = polls ? RETRY_WITHOUT_MESSAGES : LONGEST_RETRY;
        if (foreign != null) {
            Duration pause = foreign.pollAfter(backend.clock().nanoTime(), ttlMillis >= 0);
            longest = pause.compareTo(longest) < 0 ? pause : longest;
        }
        Duration lease = Duration.ofMillis(ttlMillis + 1);
        return ttlMillis >= 0 && lease.compareTo(longest) < 0 ? lease : longest;
    }

    private @Nullable RedisGrant takeHandoff() {
        long base = announcedBase;
        Waiting busy = waiting.get();
        if (base == 0 || busy == null) {
            return null;
        }
        announcedBase = 0;
        long age = backend.clock().nanoTime() - busy.askedAt.nanoTime();
        long length = handoffLease.toNanos();
        if (backend.awaitsReplicas || base <= busy.marker || base <= bases.handoffFloor() || age > length / 2) {
            return null;
        }
        Validity validity = Validity.of(busy.askedAt, handoffLease).withRenewAfter(Duration.ofNanos(age + length / 4));
        return new RedisGrant(this, request.mode(), base, validity);
    }

    /** Notes a message: the server has made this contender the holder. Any thread may call this. */
    void announced(long base) {
        announcedBase = base;
        signals.wakeUp();
    }

    /**
     * Notes a message: the contender has to ask, because its entry has come near the head, or because the lock is kept
     * or left to other programs.
     */
    void called() {
        sendHeartbeatSoon();
        signals.wakeUp();
    }

    /** Notes that the server counts the entry for some seconds only. */
    private void sendHeartbeatSoon() {
        waiting.updateAndGet(
                busy -> busy == null ? null : new Waiting(busy.askedAt, busy.marker, RedisBackend.HEARTBEAT_INTERVAL));
    }

    private void waitsSince(Moment askedAt, long marker, Duration interval) {
        Waiting later = new Waiting(askedAt, marker, interval);
        waiting.accumulateAndGet(
                later, (known, now) -> known == null || now == null || now.marker > known.marker ? now : known);
    }

    /**
     * Returns whether a heartbeat is due at this time, or will be before the next call. Without a subscription, it is
     * always due, because no message can call for it.
     */
    boolean needsHeartbeat(long now) {
        Waiting busy = waiting.get();
        return busy == null
                || !backend.hearsMessages()
                || now - busy.askedAt.nanoTime()
                        >= busy.interval.minus(RedisBackend.HEARTBEAT_INTERVAL).toNanos();
    }

    Heartbeats.Group heartbeatGroup() {
        Script script = isOfLock() ? Script.HEARTBEAT : Script.HEARTBEAT_SHARED;
        return new Heartbeats.Group(script, request.name(), longestIntervalMillis);
    }

    /**
     * Takes the answer to a heartbeat: the contender goes on waiting.
     *
     * @param digest of another program's record, if this is the first waiter
     */
    void heard(Moment askedAt, long marker, long intervalMillis, Optional<String> digest) {
        waitsSince(askedAt, marker, Duration.ofMillis(intervalMillis));
        if (digest.isPresent() && !digest.equals(polledDigest())) {
            signals.wakeUp();
        }
    }

    /** Takes the answer to a heartbeat: the contender has to ask. The same applies if there is no answer. */
    void heardToAsk() {
        signals.wakeUp();
    }

    @Override
    public void withdraw(Deadline deadline) throws InterruptedException {
        if (mayHaveLeft) {
            Script script = isOfLock() ? Script.WITHDRAW : Script.WITHDRAW_SHARED;
            var unused =
                    backend.call(new ScriptCall(script, keys(), value, entry(), mayArriveLate() ? 1 : 0), deadline);
            noteEnd();
        }
    }

    /** Notes that a server has answered the request that ends this contender. */
    void noteEnd() {
        if (!backend.remembersEnds()) {
            return;
        }
        Script script = isOfLock() ? Script.WITHDRAW : Script.WITHDRAW_SHARED;
        LockKeys lockKeys = keys();
        String ended = value;
        byte[] left = entry();
        backend.noteEnd(lockKeys, () -> new ScriptCall(script, lockKeys, ended, left, 0));
    }

    @Override
    public Object server() {
        return backend.server(keys());
    }

    @Override
    public void forget() {
        stopWaiting();
        backend.grantedBases.leave(request.name());
        backend.sticky.remove(value);
    }
}

package io.github.distlock.zookeeper;

import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Reckons for how long the ensemble certainly keeps a session, and with it all its nodes.
 *
 * <h2>What is known of a session's timer</h2>
 *
 * Only the leader expires sessions. A request reaches it through the server that this client is connected to, a
 * follower say, but the request itself does not touch the leader's timer. The follower notes it as a <em>touch</em> and
 * tells the leader of its touches in its replies to the leader's pings, which come twice per tick. So answers to pings
 * and reads prove nothing: a follower that is cut off from its leader goes on giving them. A committed <em>write</em>
 * proves that the follower and a leader with a quorum were connected after it was sent.
 *
 * <h2>The proof</h2>
 *
 * Take a write that was sent at time w and acknowledged, and any touch that was sent at x and answered by w − tick.
 * Follower and leader talk over one connection, in order. In that tick at least one ping was answered, before the write
 * was passed on. Had that answer not arrived, neither had the write. So the leader has counted the session time-out T
 * anew at x or later, and keeps the session until x + T at least. A new leader counts anew from its election, which is
 * later still. This holds for each acknowledged write, also those that create and delete lock nodes: an acquire needs
 * no heartbeat before it.
 *
 * <p>The best such x is the newest of: a write acknowledged earlier; the making of the session, where its time is
 * known, for the leader itself does that; and w − tick − p − l, because ZooKeeper's client sends pings of its own when
 * it has sent nothing for p = min(T/3, 10 s), and l is for how long the way to the server was lately blocked, as far as
 * writes have shown. Heartbeats, which are writes, bring x close to w − tick.
 *
 * <p>Assumed: pings reach the follower at least once per tick, and observers hear from their leader directly. Not
 * covered: a process or a network that stood still for long, just before the first write in a while, when the server
 * then loses its leader within a tick; and a session that moves to a server with a smaller limit on time-outs, for the
 * holds that it has then.
 */
final class SessionTerm {
    private static final long LONGEST_PING_PERIOD = Duration.ofSeconds(10).toNanos();
    /** Off the whole time-out: clocks that run apart, and a ping that is sent a little late. */
    private static final double ALLOWANCE = 0.02;

    private final long tick;
    private final long pingPeriod;
    private final long heartbeatInterval;
    private final long latenessCounts;
    private final ReentrantLock mutex = new ReentrantLock();
    /** Acknowledged writes that the leader may not have heard of as touches. */
    private final Deque<Touch> recent = new ArrayDeque<>();
    /** The newest touch that the leader has heard of. */
    private @Nullable Long relayed;

    private @Nullable Moment newest;
    private long newestAnsweredAt;

    /** The longest that a write has lately gone unanswered, and when that was. */
    private long lateness;

    private long latenessAt;

    /** It came to the server between its sending and its answer. */
    private record Touch(long sent, long answered) {}

    /**
     * A session's term.
     *
     * @param begunAt a moment before this session was asked for, if one is known
     */
    SessionTerm(Duration timeout, Duration tick, @Nullable Moment begunAt) {
        this.tick = tick(timeout, tick).toNanos();
        this.pingPeriod = Math.min(timeout.toNanos() / 3, LONGEST_PING_PERIOD);
        this.heartbeatInterval = heartbeatInterval(timeout, tick).toNanos();
        this.latenessCounts = timeout.toNanos();
        this.relayed = begunAt == null ? null : begunAt.nanoTime();
    }

    /** A server's shortest session is two ticks unless it was told otherwise. */
    static Duration tick(Duration timeout, Duration tick) {
        Duration half = timeout.dividedBy(2);
        return tick.compareTo(half) > 0 ? half : tick;
    }

    static Duration heartbeatInterval(Duration timeout, Duration tick) {
        Duration known = tick(timeout, tick);
        Duration fifth = timeout.minus(known).dividedBy(5);
        return known.compareTo(fifth) < 0 ? known : fifth;
    }

    /** The server has acknowledged a write. */
    void acknowledged(Moment sentAt, long answeredAt) {
        mutex.lock();
        try {
            long sent = sentAt.nanoTime();
            if (newest != null && sent - newest.nanoTime() <= 0) {
                noteLateness(sent, answeredAt);
            } else {
                if (newest != null) {
                    noteLateness(newest.nanoTime(), newestAnsweredAt);
                }
                newest = sentAt;
                newestAnsweredAt = answeredAt;
                Touch last = recent.peekLast();
                if (last == null || sent - last.sent >= tick / 8) {
                    recent.addLast(new Touch(sent, answeredAt));
                }
                while (!recent.isEmpty() && sent - tick - recent.getFirst().answered >= 0) {
                    relayed = recent.removeFirst().sent;
                }
            }
        } finally {
            mutex.unlock();
        }
    }

    /** Of a write before the newest: what blocked the newest on its way comes after what it proves. */
    private void noteLateness(long sent, long answeredAt) {
        if (answeredAt - sent >= lateness || answeredAt - latenessAt > latenessCounts) {
            lateness = answeredAt - sent;
            latenessAt = answeredAt;
        }
    }

    /**
     * What the newest acknowledged write proves. Dated at its sending; of no length when nothing is proved.
     *
     * @param timeout the session time-out as the server last stated it, in nanoseconds
     * @param now when there is no such write
     */
    Validity validity(long timeout, Moment now) {
        mutex.lock();
        try {
            if (newest == null) {
                return Validity.of(now, Duration.ofNanos(2)).withRenewAfter(Duration.ofNanos(1));
            }
            long sent = newest.nanoTime();
            long touched = sent - tick - pingPeriod - lateness;
            if (relayed != null && relayed - touched > 0) {
                touched = relayed;
            }
            long length = Math.max(2, touched + (long) (timeout * (1 - ALLOWANCE)) - sent);
            long renewAfter = Math.min(length / 2, heartbeatInterval);
            return Validity.of(newest, Duration.ofNanos(length)).withRenewAfter(Duration.ofNanos(renewAfter));
        } finally {
            mutex.unlock();
        }
    }
}

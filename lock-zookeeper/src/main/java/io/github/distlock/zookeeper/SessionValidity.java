package io.github.distlock.zookeeper;

import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Computes how long the ensemble certainly keeps a session, and with it all nodes of the session.
 *
 * <h2>Invariant</h2>
 *
 * The ensemble does not expire the session before the {@linkplain #validity validity} ends.
 *
 * <h2>The timer of a session</h2>
 *
 * Only the leader expires sessions. The server to which the client is connected may be a follower. A request that the
 * follower passes to the leader does not itself restart the session's timer there. The follower notes each request as a
 * <em>touch</em>. The leader pings the follower twice per tick, and the follower's replies contain its touches.
 *
 * <p>So answers to pings and reads prove nothing: a follower that is cut off from its leader continues to give them. A
 * committed <em>write</em> proves more. After the client sent it, the follower was connected to a leader with a quorum.
 *
 * <h2>Why this is safe</h2>
 *
 * Let w be the time at which the client sent a write that the server acknowledged. Let x be the time at which the
 * client sent any touch that the server answered by w − tick.
 *
 * <p>The follower and the leader use one connection, which keeps the order of messages. In the tick before w, the
 * follower replied to at least one ping, before it passed on the write. If that reply had not arrived, the write would
 * not have arrived either. So the leader restarted the session's timer at x or later, with the session timeout T. It
 * keeps the session until x + T at least. A new leader restarts the timer at its election, which is later still.
 *
 * <p>This argument applies to each acknowledged write, also to those that create and delete lock nodes. So an acquire
 * needs no heartbeat before it.
 *
 * <p>This class uses the latest x of three:
 *
 * <ul>
 *   <li>The client sent an earlier acknowledged write at x.
 *   <li>The leader created the session after x, if the client knows such a time. The leader itself starts the timer.
 *   <li>x = w − tick − p − l. ZooKeeper's client sends a ping if it has sent nothing for p = min(T/3, 10 s). The time l
 *       is how long the way to the server was recently blocked, as far as writes have shown.
 * </ul>
 *
 * Heartbeats are writes, and bring x close to w − tick.
 *
 * <h2>Assumptions</h2>
 *
 * Pings of the leader reach the follower at least once per tick. Observers receive the pings from the leader directly.
 * The argument does not cover two cases:
 *
 * <ul>
 *   <li>A process or a network stands still for long, just before the first write in a while. Then its server loses its
 *       leader within a tick.
 *   <li>A session moves to a server with a smaller limit on session timeouts. This affects the holds that the session
 *       has at that time.
 * </ul>
 *
 * <p>Thread-safe.
 */
final class SessionValidity {
    private static final long LONGEST_PING_PERIOD = Duration.ofSeconds(10).toNanos();
    /** The part of the timeout that allows for clock drift, and for a ping that the client sends a little late. */
    private static final double ALLOWANCE = 0.02;

    private final long tick;
    private final long pingPeriod;
    private final long heartbeatInterval;
    private final long latenessCounts;
    private final ReentrantLock mutex = new ReentrantLock();
    /** Acknowledged writes that the follower may not have reported to the leader as touches. */
    private final Deque<Touch> recent = new ArrayDeque<>();
    /** When the client sent the newest touch that the follower has reported to the leader. */
    private @Nullable Long relayed;

    private @Nullable Moment newest;
    private long newestAnsweredAt;

    /** The longest time for which a write was recently not answered. */
    private long lateness;

    /** When the server answered that write. */
    private long latenessAt;

    /** A request that reached the server between its sending and its answer. */
    private record Touch(long sent, long answered) {}

    /**
     * Makes the validity of a session.
     *
     * @param begunAt a time before the client requested this session, or null if it knows none
     */
    SessionValidity(Duration timeout, Duration tick, @Nullable Moment begunAt) {
        this.tick = tick(timeout, tick).toNanos();
        this.pingPeriod = Math.min(timeout.toNanos() / 3, LONGEST_PING_PERIOD);
        this.heartbeatInterval = heartbeatInterval(timeout, tick).toNanos();
        this.latenessCounts = timeout.toNanos();
        this.relayed = begunAt == null ? null : begunAt.nanoTime();
    }

    /**
     * Returns the tick, at most half of the session timeout. A server's shortest session is two ticks, unless its
     * configuration allows shorter ones.
     */
    static Duration tick(Duration timeout, Duration tick) {
        Duration half = timeout.dividedBy(2);
        return tick.compareTo(half) > 0 ? half : tick;
    }

    static Duration heartbeatInterval(Duration timeout, Duration tick) {
        Duration known = tick(timeout, tick);
        Duration fifth = timeout.minus(known).dividedBy(5);
        return known.compareTo(fifth) < 0 ? known : fifth;
    }

    /** Notes that the server has acknowledged a write. */
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

    /**
     * Notes how late the answer to a write before the newest came. The lateness of the newest write does not count:
     * what blocked that write on its way happened after everything that it proves.
     */
    private void noteLateness(long sent, long answeredAt) {
        if (answeredAt - sent >= lateness || answeredAt - latenessAt > latenessCounts) {
            lateness = answeredAt - sent;
            latenessAt = answeredAt;
        }
    }

    /**
     * Returns the validity that the newest acknowledged write proves. It begins when the client sent that write. It has
     * almost no length if nothing is proved.
     *
     * @param timeout the session timeout that the server last stated, in nanoseconds
     * @param now the beginning of the validity if the server has acknowledged no write
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

package io.github.distlock.zookeeper;

import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
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
 * Only the leader expires sessions. The server to which the client is connected may be a follower or an observer. A
 * write or a {@code sync} that the follower passes to the leader does not itself restart the session's timer there. The
 * follower notes each request as a <em>touch</em>. The leader pings the follower twice per tick, and the follower's
 * replies contain its touches. Two other requests restart the timer themselves: the creation of a session, and the
 * moving of a session to another connection.
 *
 * <p>So answers to pings and reads prove nothing: a follower that is cut off from its leader continues to give them. A
 * single committed write proves little. The leader may have been stopped until just before it, and may have sent no
 * ping for as long as the follower waits for one ({@code syncLimit}, which no client knows). If the follower's link
 * breaks then, its touches never arrive.
 *
 * <h2>Order</h2>
 *
 * An <em>exchange</em> is a request that the leader itself has answered through the follower: a committed write, or a
 * {@code sync}. The follower and the leader use one connection, which keeps the order of messages in each direction.
 * The follower replies to each ping before it reads the leader's next message. It passes requests on in the order in
 * which they arrive. So if the client sends an exchange after the answer to another one, this holds:
 *
 * <p>(1) Before the leader accepts the later exchange, it has received the replies to all pings that it sent before its
 * answer to the earlier one.
 *
 * <p>Nothing in (1) depends on time. A stopped server, a slow link or a broken one does not change it.
 *
 * <h2>Why this is safe</h2>
 *
 * Let a, b, c and w be exchanges, each sent after the answer to the one before. Let b be sent at least a tick after the
 * answer to a. Let w be a committed write.
 *
 * <p>(2) The leader sends a ping between its answers to a and c. Pings are due every half tick. A leader that was
 * stopped meanwhile sends the overdue ping when it continues. In the same moment it may answer b first, but then it
 * also receives and answers c.
 *
 * <p>(3) The follower noted the touch of a before it passed a on. So it reported this touch in its reply to the ping of
 * (2), or earlier. By (1), the leader has received this reply before it accepts w.
 *
 * <p>So the leader has restarted the session's timer after the client sent a. It keeps the session for the session
 * timeout T from then. It is the leader when it commits w. A new leader restarts all timers at its election, which is
 * later still. If the session has moved to another connection since a, that has restarted the timer, too.
 *
 * <p>The validity therefore lasts until T after a. The same is true of other requests in place of a:
 *
 * <ul>
 *   <li>The client requested the session itself, if it knows a time before that request.
 *   <li>The client sent a request that failed with its connection. It sent w after it had heard of that. So it moved
 *       the session to another connection in between.
 * </ul>
 *
 * The times count on both clocks of {@link Moment}, so a suspended machine does not lengthen the validity.
 *
 * <h2>Idleness</h2>
 *
 * Heartbeats are exchanges. While a session is idle, {@link KeepAlive} sends a {@code sync} from time to time. So the
 * first write after idleness proves almost as much as any other.
 *
 * <h2>A session that the client does not know from its beginning</h2>
 *
 * This is the session of a caller-supplied client, or one that replaces an expired session. Its first writes prove
 * nothing, because there is no a. Refusing all grants for a tick would be worse. Until there is an a, a write w proves
 * the session until T after w − p − T/3. ZooKeeper's client sends a ping if it has sent nothing for p = min(T/3, 10 s).
 * This assumes that the follower has reported its touches within T/3 before w.
 *
 * <h2>Assumptions</h2>
 *
 * <ul>
 *   <li>The tick is that of the leader. The client cannot know which server leads, so all servers need the same.
 *   <li>The follower keeps each touch until its next report. In fact, it may lose a touch that it notes in the very
 *       instant in which it takes a report. This matters only if its link breaks before the next one.
 *   <li>A running leader runs all its threads: the ping that is due does not wait while exchanges b and c pass.
 *   <li>All servers have the same limits on session timeouts. A session that moves to a server with a smaller limit
 *       gets a shorter timeout. This affects the holds that the session has at that time, until their next heartbeat.
 * </ul>
 *
 * <p>Thread-safe.
 */
final class SessionValidity {
    private static final long LONGEST_PING_PERIOD = Duration.ofSeconds(10).toNanos();
    /** The part of the timeout by which the clocks of client and leader may drift apart. */
    private static final double DRIFT = 0.01;

    private final Duration timeout;
    private final ServerTick tick;
    private final ReentrantLock mutex = new ReentrantLock();
    /** In the order of their sending. Those in between add nothing. */
    private final Deque<Exchange> exchanges = new ArrayDeque<>();
    /** A time before the leader restarted the timer, or null. The newest write has proved it. */
    private @Nullable Moment touched;
    /** Whether the client knows an exchange a, or the beginning of the session. */
    private boolean proved;

    private @Nullable Moment newestWrite;
    /** The newest request that has failed with its connection. */
    private @Nullable Moment newestLost;
    /** When this client heard that, on the monotonic clock. */
    private long lostHeardAt;

    private record Exchange(Moment sent, long answered) {
        boolean isAnsweredBefore(Moment later, long nanos) {
            return later.nanoTime() - answered >= nanos;
        }
    }

    /**
     * Makes the validity of a session.
     *
     * @param begunAt a time before the client requested this session, or null if it knows none
     */
    SessionValidity(Duration timeout, ServerTick tick, @Nullable Moment begunAt) {
        this.timeout = timeout;
        this.tick = tick;
        this.touched = begunAt;
        this.proved = begunAt != null;
    }

    /** Notes that the leader has answered a request that changes nothing. */
    void answered(Moment sentAt, long answeredAt) {
        mutex.lock();
        try {
            note(sentAt, answeredAt);
        } finally {
            mutex.unlock();
        }
    }

    /** Notes that the server has acknowledged a write. */
    void acknowledged(Moment sentAt, long answeredAt) {
        mutex.lock();
        try {
            if (newestWrite == null || isLater(sentAt, newestWrite)) {
                newestWrite = sentAt;
            }
            prove(sentAt);
            if (newestLost != null && sentAt.nanoTime() - lostHeardAt >= 0) {
                touched(newestLost);
            }
            note(sentAt, answeredAt);
        } finally {
            mutex.unlock();
        }
    }

    /**
     * Notes that a request has failed with its connection. A write that is sent after that goes over another
     * connection.
     */
    void lostWithConnection(Moment sentAt, long heardAt) {
        mutex.lock();
        try {
            lostHeardAt = heardAt;
            if (newestLost == null || isLater(sentAt, newestLost)) {
                newestLost = sentAt;
            }
        } finally {
            mutex.unlock();
        }
    }

    /** Finds the newest a that a write proves, and drops what is older. */
    private void prove(Moment write) {
        long tickNanos = tick.within(timeout).toNanos();
        Exchange c = null;
        Exchange b = null;
        boolean found = false;
        Iterator<Exchange> newestFirst = exchanges.descendingIterator();
        while (newestFirst.hasNext()) {
            Exchange exchange = newestFirst.next();
            if (found) {
                newestFirst.remove();
            } else if (c == null) {
                c = exchange.isAnsweredBefore(write, 0) ? exchange : null;
            } else if (b == null) {
                b = exchange.isAnsweredBefore(c.sent, 0) ? exchange : null;
            } else if (exchange.isAnsweredBefore(b.sent, tickNanos)) {
                found = true;
                proved = true;
                touched(exchange.sent);
            }
        }
    }

    private void touched(Moment at) {
        if (touched == null || isLater(at, touched)) {
            touched = at;
        }
    }

    /** Keeps a few exchanges per heartbeat interval, however many there are. */
    private void note(Moment sentAt, long answeredAt) {
        long distance = tick.heartbeatInterval(timeout).toNanos() / 4;
        Exchange last = exchanges.peekLast();
        if (last == null || sentAt.nanoTime() - last.sent.nanoTime() >= distance) {
            exchanges.addLast(new Exchange(sentAt, answeredAt));
        }
    }

    private static boolean isLater(Moment a, Moment b) {
        return a.nanoTime() - b.nanoTime() > 0;
    }

    /**
     * Returns the validity that the newest acknowledged write proves. It begins when the client sent that write. It has
     * almost no length if nothing is proved.
     *
     * @param stated the session timeout that the server last stated, in nanoseconds
     * @param now the beginning of the validity if the server has acknowledged no write
     */
    Validity validity(long stated, Moment now) {
        mutex.lock();
        try {
            if (newestWrite == null) {
                return Validity.of(now, Duration.ofNanos(2)).withRenewAfter(Duration.ofNanos(1));
            }
            Moment from = newestWrite;
            long age = proved ? Long.MAX_VALUE : unprovedAge(stated);
            if (touched != null) {
                long sinceTouch = newestWrite.nanoTime() - touched.nanoTime();
                // A wall clock that has jumped ahead since, or a suspended machine, ends the validity earlier.
                from = touched.plusNanos(sinceTouch);
                age = Math.min(age, sinceTouch);
            }
            long length = Math.max(2, (long) (stated * (1 - DRIFT)) - age);
            long renewAfter =
                    Math.min(length / 2, tick.heartbeatInterval(timeout).toNanos());
            return Validity.of(from, Duration.ofNanos(length)).withRenewAfter(Duration.ofNanos(renewAfter));
        } finally {
            mutex.unlock();
        }
    }

    private static long unprovedAge(long stated) {
        return Math.min(stated / 3, LONGEST_PING_PERIOD) + stated / 3;
    }
}

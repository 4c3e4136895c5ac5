package io.github.distlock.zookeeper;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import io.github.distlock.zookeeper.Session.Created;
import io.github.distlock.zookeeper.Session.Unchecked;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.jspecify.annotations.Nullable;

/**
 * One contender. The contender whose node has the lowest sequence number holds the lock. Every other contender watches
 * its predecessor.
 *
 * <p>The first attempt sends two requests back to back: it creates its node, and lists all nodes. The server processes
 * the requests of a session in order, so the list contains the new node, and the pair costs one round trip. Later
 * attempts only list. A grant is dated before the request that proves it: see {@link SessionTerm}.
 */
final class ZooKeeperContender implements Contender {
    /** A watch that was lost costs this. */
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(1);

    private static final long LARGEST_BASE = (1L << 55) - 1;

    private final LockDirectory directory;
    private final LockRequest request;
    private final Signals signals;
    private final LockClock clock;
    private final QueueNode node;
    private @Nullable PredecessorWatch watch;

    ZooKeeperContender(LockDirectory directory, LockRequest request, Signals signals) {
        this.directory = directory;
        this.request = request;
        this.signals = signals;
        this.clock = directory.connection().clock();
        this.node = new QueueNode(directory);
    }

    @Override
    public Attempt attempt(Deadline deadline) throws InterruptedException {
        Moment begunAt = clock.now();
        try {
            Session session = directory.connection().session(deadline);
            while (true) {
                Attempt answer = ask(session, begunAt, deadline);
                if (answer != null) {
                    return answer;
                }
            }
        } catch (KeeperException e) {
            throw Failures.of(request.name(), e);
        }
    }

    /** Null when something has changed meanwhile, and has to be looked at anew. */
    private @Nullable Attempt ask(Session session, Moment begunAt, Deadline deadline)
            throws KeeperException, InterruptedException {
        if (node.isOfEarlierSession(session)) {
            removeNode(session, deadline);
        }
        Created own;
        List<String> queue;
        try {
            Answer<List<String>> listing;
            if (node.isAbsent()) {
                node.sendCreation(session, request.owner());
                listing = session.children(directory.path());
                own = node.find(session, deadline);
            } else {
                own = node.find(session, deadline);
                listing = session.children(directory.path());
            }
            queue = Sequence.inOrder(listing.await(deadline));
        } catch (NoNodeException e) {
            directory.create(session, deadline);
            return null;
        }
        if (own == null) {
            return null;
        }
        if (own.owner() != session.id()) {
            removeNode(session, deadline);
            return null;
        }
        int position = queue.indexOf(own.name());
        if (position < 0) {
            node.forget();
            return null;
        }
        if (Sequence.of(own.name()) > Sequence.LAST) {
            removeNode(session, deadline);
            throw new RequestRefusedException(
                    "lock \"" + request.name() + "\": the sequence numbers of " + directory.path()
                            + " are used up; they begin anew when the server has removed the directory, some time after"
                            + " the last node in it is gone",
                    null);
        }
        return position == 0
                ? granted(session, own, begunAt, deadline)
                : busy(session, queue.get(position - 1), deadline);
    }

    private @Nullable Attempt granted(Session session, Created own, Moment begunAt, Deadline deadline)
            throws KeeperException, InterruptedException {
        if (isStale(session.validity()) && !beat(session, own, deadline)) {
            node.forget();
            return null;
        }
        if (own.czxid() < 1 || own.czxid() > LARGEST_BASE) {
            removeNode(session, deadline);
            throw new RequestRefusedException(
                    "lock \"" + request.name() + "\": the ensemble's transaction number 0x"
                            + Long.toHexString(own.czxid()) + " is too large for a fencing token",
                    null);
        }
        Validity validity = ZooKeeperGrant.firstValidity(session, begunAt);
        return Attempt.granted(new ZooKeeperGrant(directory, session, own, validity, signals));
    }

    /** False when the own node is not there any more. */
    private static boolean beat(Session session, Created own, Deadline deadline)
            throws KeeperException, InterruptedException {
        List<Unchecked> unchecked = new ArrayList<>();
        Heartbeat.beat(session, List.of(own.path()), deadline, unchecked::add);
        if (!unchecked.isEmpty() && !unchecked.get(0).isMissing()) {
            throw unchecked.get(0).failure();
        }
        return unchecked.isEmpty();
    }

    /** Whether little is left of what the last write proved: not enough for the first renewal to be answered. */
    private boolean isStale(Validity validity) {
        return clock.nanoTime() - validity.from().nanoTime() > validity.length().toNanos() * 2 / 3;
    }

    private Attempt busy(Session session, String predecessor, Deadline deadline)
            throws KeeperException, InterruptedException {
        if (!request.waits()) {
            removeNode(session, deadline);
            return Attempt.busy(LONGEST_WAIT);
        }
        String path = directory.child(predecessor);
        PredecessorWatch set = watch;
        if (set == null || !set.isOn(session, path)) {
            dropWatch();
            watch = PredecessorWatch.set(session, path, signals);
        }
        return Attempt.busy(LONGEST_WAIT);
    }

    private void dropWatch() {
        PredecessorWatch set = watch;
        watch = null;
        if (set != null) {
            set.drop();
        }
    }

    private void removeNode(Session session, Deadline deadline) throws KeeperException, InterruptedException {
        node.remove(session, deadline);
    }

    @Override
    public void withdraw(Deadline deadline) throws InterruptedException {
        dropWatch();
        if (node.isAbsent()) {
            return;
        }
        try {
            removeNode(directory.connection().session(deadline), deadline);
        } catch (KeeperException e) {
            throw Failures.of(request.name(), e);
        }
    }

    /** Its node, for heartbeats; from any thread. */
    @Nullable
    String path() {
        return node.path();
    }

    void wakeUp() {
        signals.wakeUp();
    }
}

package io.github.distlock.zookeeper;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockKind;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import io.github.distlock.zookeeper.Session.Created;
import io.github.distlock.zookeeper.Session.Unchecked;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.jspecify.annotations.Nullable;

/**
 * A contender: one sequential node in the lock's directory.
 *
 * <h2>Invariant</h2>
 *
 * The first contenders of a {@link LockQueue} hold the lock. Every other contender watches a node before its own, or
 * the directory. A grant counts only if its node belongs to the present session.
 *
 * <h2>Protocol</h2>
 *
 * The first attempt sends two requests back to back. One creates the contender's node, and the other is a
 * {@link QueueLook} at the directory. The server processes the requests of a session in order. So the look shows the
 * new node, and the two requests take one round trip. Later attempts only look. If the number of the new node shows
 * that it is the first one, there is no look: see {@link ServedQueues}.
 *
 * <p>A contender that finds the lock busy sets a {@link PredecessorWatch}. Until a watch reports something, its
 * attempts send nothing: they answer from the last {@link WaiterCheck}, which the heartbeats of the waiters make once
 * per third of the session timeout. If the last check is older than half of the session timeout, the attempt makes one.
 * So a lost watch delays a waiter by half of the session timeout at most.
 *
 * <p>A contender that does not wait deletes its node if the lock is busy. Until then, its node is in front of others,
 * whose tries would fail because of it. So if the session saw other contenders when it last looked, such a contender
 * looks first, and creates its node only if it would hold the lock. Tries of several clients can still meet. The first
 * of them wins, because the server orders their nodes. Another one is busy because of the first one, or because of a
 * node that its client is deleting. No client can tell that node from an owner's, and other libraries cannot either.
 *
 * <p>A contender that finds another kind of node first deletes its own node, and is refused. A contender that is
 * granted permits wakes the next one, if there was one in the listing. A node that is created after the listing needs
 * no waking: its own listing shows the grant.
 *
 * <p>A {@link KeptLock} is the first node of its queue. The second contender looks again when the time of that node is
 * over, and deletes it. So does a contender behind one of another library. A contender of another kind deletes it as
 * well before it is refused. A contender with a lock delay creates a {@link Companion} before it reports its grant.
 *
 * <h2>Why it is safe</h2>
 *
 * After an unknown outcome, the contender finds its node by its GUID: see {@link QueueNode}. It deletes a node of an
 * earlier session. The validity of a grant begins before the request that proves it: see {@link SessionValidity}. If
 * little of that validity is left, the contender sends a heartbeat before it accepts the grant. Numbers above
 * {@link Sequence#LAST} would break the order, so the contender refuses them.
 *
 * <p>Only one thread at a time attempts or withdraws. Any thread forgets, and asks for the blocker.
 */
final class ZooKeeperContender implements Contender {
    /** When a contender without a confirmed watch asks again. */
    private static final Duration SOON = Duration.ofSeconds(1);

    private static final long LARGEST_BASE = (1L << 55) - 1;

    private final LockDirectory directory;
    private final LockRequest request;
    private final Signals signals;
    private final LockClock clock;
    private final QueueNode node;
    private volatile @Nullable PredecessorWatch watch;
    /** When the contender looks whether the time of a {@link KeptLock} is over, on the monotonic clock, or null. */
    private volatile @Nullable Long keptUntil;

    private volatile @Nullable ZooKeeperGrant grant;
    /** Whether the last look has shown no contender of another client. */
    private boolean alone;

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
        Session session = directory.connection().session(deadline);
        try {
            return answer(session, begunAt, deadline);
        } catch (RequestRefusedException e) {
            // The engine cleans up only after an unknown outcome.
            withdraw(deadline);
            throw e;
        }
    }

    private Attempt answer(Session session, Moment begunAt, Deadline deadline) throws InterruptedException {
        try {
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

    /** Asks once. Returns null if the nodes have changed in between, so that the contender must ask again. */
    private @Nullable Attempt ask(Session session, Moment begunAt, Deadline deadline)
            throws KeeperException, InterruptedException {
        if (node.isOfEarlierSession(session)) {
            node.remove(session, deadline);
        }
        Attempt known = answerOfWatch(session, begunAt, deadline);
        if (known != null) {
            return known;
        }
        Created created;
        LockQueue queue;
        boolean isNew;
        ServedQueues.Queue served = session.servedQueues().of(directory.path());
        int servedUnder = 0;
        boolean skipsLook = false;
        try {
            if (isBusyForTry(session, deadline)) {
                return Attempt.busy(SOON);
            }
            isNew = node.isAbsent();
            if (isNew) {
                directory.requireRights(session, request.mode(), deadline);
                servedUnder = served.watch();
                skipsLook = served.expectsFirst();
                node.sendCreation(session, request);
            }
            QueueLook look = isNew && !skipsLook ? QueueLook.send(directory, session) : null;
            if (look != null) {
                // The answer to the creation comes first, so this thread waits only once.
                look.awaitArrival(deadline);
            }
            created = node.find(session, deadline);
            if (created == null) {
                return null;
            }
            queue = skipsLook && served.isFirst(Sequence.of(created.name()), servedUnder)
                    ? new LockQueue(List.of(created.name()))
                    : (look == null ? QueueLook.send(directory, session) : look).await(created, deadline);
        } catch (NoNodeException e) {
            directory.create(session, deadline);
            return null;
        }
        alone = isAlone(session, queue, created);
        directory.warn(session, queue, request.mode());
        int position = queue.position(created.name());
        if (position < 0) {
            // The list may be older than the node: another server may have answered after a broken connection.
            node.remove(session, deadline);
            // The watch must not grant the lock to the next node.
            dropWatchOfDeleted();
            return null;
        }
        if (Sequence.of(created.name()) > Sequence.LAST) {
            throw new RequestRefusedException(
                    "lock \"" + request.name() + "\": the sequence numbers of " + directory.path()
                            + " are used up; they restart when the server has removed the directory, some time after"
                            + " its last node was deleted",
                    null);
        }
        if (position == 0) {
            served.wasFirst(created.name(), servedUnder);
        } else {
            served.wasNotFirst();
        }
        Duration keptFor = null;
        if (queue.isBehindKept(position)) {
            keptFor = keptFor(session, queue.names().get(0), created, isNew, deadline);
            if (keptFor.isZero()) {
                return null;
            }
        }
        requireKind(queue, position);
        if (!queue.isHolder(position, request.mode())) {
            return busy(session, created, queue, position, keptFor, begunAt, deadline);
        }
        OthersWatch others = request.isSticky() && queue.names().size() == 1
                ? OthersWatch.set(directory, session, created.name(), signals, deadline)
                : null;
        Attempt answer = granted(session, created, others, begunAt, deadline);
        if (answer != null && request.mode().kind() == LockMode.Kind.PERMITS && queue.hasMoreThan(position)) {
            wakeNext(session, created);
        }
        return answer;
    }

    /** Returns whether a queue has no other nodes than a new one and those with which the session has held locks. */
    private boolean isAlone(Session session, LockQueue queue, Created created) {
        for (String name : queue.names()) {
            if (!name.equals(created.name()) && !session.heldNodes().contains(directory.child(name))) {
                return false;
            }
        }
        return true;
    }

    /**
     * Returns how long the {@link KeptLock} counts that is first in the queue, before this contender. Lets the time
     * begin if it has not. If it is over, deletes the node and returns zero.
     */
    private Duration keptFor(Session session, String first, Created created, boolean isNew, Deadline deadline)
            throws KeeperException, InterruptedException {
        KeptLock kept;
        long now;
        try {
            kept = KeptLock.read(session, directory.child(first), deadline);
            if (kept.isPending()) {
                return Companion.begin(session, kept, deadline);
            }
            now = isNew
                    ? created.createdAt()
                    : session.leaderTime(directory.path()).await(deadline);
        } catch (NoNodeException e) {
            return Duration.ZERO;
        }
        Duration left = kept.remaining(now);
        if (left.compareTo(Duration.ZERO) > 0) {
            return left;
        }
        kept.delete(session, deadline);
        return Duration.ZERO;
    }

    /** Refuses the request if the nodes before a position say that the name is used as another kind of lock. */
    private void requireKind(LockQueue queue, int position) {
        Optional<LockKind> used = queue.kindBefore(position);
        if (used.isPresent() && used.get() != request.mode().lockKind()) {
            throw RequestRefusedException.otherKind(request.mode(), used.get());
        }
    }

    /** Wakes the next waiter for permits, and does not wait for the answer: see {@link PredecessorWatch}. */
    private void wakeNext(Session session, Created created) {
        OwnerData data = new OwnerData(request.owner(), session.timeout(), created.czxid());
        var unused = session.write(created.path(), data.write());
    }

    /** Answers what the watch and the last check say. Returns null if the contender must look at the queue. */
    private @Nullable Attempt answerOfWatch(Session session, Moment begunAt, Deadline deadline)
            throws KeeperException, InterruptedException {
        PredecessorWatch set = watch;
        Created own = node.created();
        if (set == null || own == null) {
            return null;
        }
        if (set.isGrant(session) && !isStale(session.validity())) {
            return accepted(session, own, null, begunAt, deadline);
        }
        long longest = WaiterCheck.longest(session);
        if (set.isSet(session) && set.age(clock.nanoTime()) >= longest) {
            WaiterCheck.run(session, List.of(set), begunAt.nanoTime(), deadline);
        }
        long now = clock.nanoTime();
        long left = longest - set.age(now);
        Long kept = keptUntil;
        if (kept != null && set.endsKept()) {
            left = Math.min(left, kept - now);
        }
        return set.isSet(session) && left > 0 ? Attempt.busy(Duration.ofNanos(left)) : null;
    }

    /**
     * Returns whether a look without a node shows that a single try would be busy. Only the contender's own node shows
     * whether the time of a {@link KeptLock} is over. Only that node notifies the client of a sticky hold.
     */
    private boolean isBusyForTry(Session session, Deadline deadline) throws KeeperException, InterruptedException {
        if (request.waits() || !node.isAbsent() || !QueueLook.maySkipStat(session, directory.path())) {
            return false;
        }
        LockQueue queue = QueueLook.send(directory, session).await(null, deadline);
        int next = queue.names().size();
        if (queue.isBehindKept(next) || queue.isNextToSticky(next)) {
            return false;
        }
        requireKind(queue, next);
        return !queue.isHolder(next, request.mode());
    }

    private @Nullable Attempt granted(
            Session session, Created created, @Nullable OthersWatch others, Moment begunAt, Deadline deadline)
            throws KeeperException, InterruptedException {
        if (isStale(session.validity()) && !isConfirmed(session, created, deadline)) {
            return null;
        }
        return accepted(session, created, others, begunAt, deadline);
    }

    /** Returns null if the node does not exist any more. */
    private @Nullable Attempt accepted(
            Session session, Created created, @Nullable OthersWatch others, Moment begunAt, Deadline deadline)
            throws KeeperException, InterruptedException {
        if (created.czxid() < 1 || created.czxid() > LARGEST_BASE) {
            throw new RequestRefusedException(
                    "lock \"" + request.name() + "\": the ensemble's transaction number 0x"
                            + Long.toHexString(created.czxid()) + " is too large for a fencing token",
                    null);
        }
        if (!request.lockDelay().isZero() && !node.accompany(session, request, deadline)) {
            return null;
        }
        Validity validity = ZooKeeperGrant.firstValidity(session, begunAt);
        ZooKeeperGrant won = new ZooKeeperGrant(directory, session, created, validity, signals, request, others, alone);
        grant = won;
        session.heldNodes().add(created.path());
        session.life().register(won);
        return Attempt.granted(won);
    }

    /** Checks the contender's node, which also proves the session. Returns whether the node still exists. */
    private static boolean isConfirmed(Session session, Created created, Deadline deadline)
            throws KeeperException, InterruptedException {
        Optional<Unchecked> unchecked = session.check(created.path()).await(deadline);
        if (unchecked.isPresent() && !unchecked.get().isMissing()) {
            throw unchecked.get().failure();
        }
        return unchecked.isEmpty();
    }

    /** Returns whether the validity that the last write proved may end before the server answers the first renewal. */
    private boolean isStale(Validity validity) {
        return clock.nanoTime() - validity.from().nanoTime() > validity.length().toNanos() * 2 / 3;
    }

    private Attempt busy(
            Session session,
            Created created,
            LockQueue queue,
            int position,
            @Nullable Duration keptFor,
            Moment begunAt,
            Deadline deadline)
            throws KeeperException, InterruptedException {
        Duration retry = keptFor == null || keptFor.compareTo(SOON) > 0 ? SOON : keptFor;
        if (!request.waits()) {
            node.remove(session, deadline);
            return Attempt.busy(retry);
        }
        String predecessor = queue.watched(directory.path(), position, request.mode());
        PredecessorWatch set = watch;
        if (set == null || !set.isOn(session, predecessor)) {
            dropWatch();
            watch = PredecessorWatch.set(session, created.path(), predecessor, queue, signals, begunAt.nanoTime());
        }
        keptUntil = keptFor == null ? null : clock.nanoTime() + keptFor.toNanos();
        return Attempt.busy(retry);
    }

    private void dropWatch() {
        keptUntil = null;
        PredecessorWatch set = watch;
        watch = null;
        if (set != null) {
            set.drop();
        }
    }

    /** Removes the watch on the predecessor. The deletion of the own node has removed the other one. */
    private void dropWatchOfDeleted() {
        PredecessorWatch set = watch;
        if (set != null) {
            set.ownIsDeleted();
        }
        dropWatch();
    }

    @Override
    public void withdraw(Deadline deadline) throws InterruptedException {
        PredecessorWatch set = watch;
        if (set != null) {
            set.stop();
        }
        if (!node.isAbsent()) {
            try {
                node.remove(directory.connection().session(deadline), deadline);
            } catch (KeeperException e) {
                throw Failures.of(request.name(), e);
            }
        }
        dropWatchOfDeleted();
    }

    @Override
    public Optional<String> blocker() {
        PredecessorWatch set = watch;
        return set == null
                ? Optional.empty()
                : Optional.of(set.blocker().description(clock.now().wallMillis()));
    }

    @Override
    public void forget() {
        ZooKeeperGrant won = grant;
        if (won == null) {
            dropWatch();
        } else {
            // The node of a hold does not exist any more, or ends with its session.
            dropWatchOfDeleted();
            won.forget();
        }
    }

    /** Returns the present watch, or null if the contender does not wait. Any thread may call this. */
    @Nullable
    PredecessorWatch watch() {
        return watch;
    }
}

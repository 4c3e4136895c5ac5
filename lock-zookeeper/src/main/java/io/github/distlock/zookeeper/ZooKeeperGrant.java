package io.github.distlock.zookeeper;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import io.github.distlock.zookeeper.Session.Created;
import io.github.distlock.zookeeper.Session.Node;
import io.github.distlock.zookeeper.Session.Unchecked;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.data.Stat;
import org.jspecify.annotations.Nullable;

/**
 * A hold: a node of a queue. The node belongs to its session, so the hold ends with the session.
 *
 * <p>From the grant until the engine forgets it, the session notifies the hold of a broken connection and of the
 * session's end.
 *
 * <p>The hold watches its node from the first renewal on, so a short hold needs no request for the watch. The watch
 * reports at once that another client has deleted the node. A renewal once per session timeout repeats the request for
 * the watch. Its answer shows whether the node exists, in case a watch was lost.
 *
 * <p>A hold with a lock delay has a {@link Companion}.
 *
 * <h2>Another base</h2>
 *
 * The client sends two requests back to back. The first writes the data of the node, as they are. The number z of this
 * transaction is the base. The second asks for the directory's {@code Stat}. The server answers it with what it knows
 * after z. So does another server, because it refuses a client that has seen later transactions than it. The base
 * counts if the directory has one child, and has created or deleted none since z. Then only this hold's node was there
 * at z. So:
 *
 * <ul>
 *   <li>Every later holder's node is created after z, and its base is greater, also if a deletion is its grant.
 *   <li>Every earlier holder's bases are smaller, since this hold's node was created after them.
 *   <li>If the node was deleted, the write fails or the directory shows it, and nothing is created.
 * </ul>
 *
 * <p>Otherwise the store has the number z, and the client does not use it. Nothing depends on that: the release deletes
 * the node by its path. An {@link Inspection} finds the hold by each number from its creation to its last write.
 *
 * <p>The write wakes a waiter that watches the node. So the client asks only if its own look has shown no other client.
 *
 * <h2>Downgrade</h2>
 *
 * One transaction creates a reader's node with the number of the writer's node, and deletes the writer's node. So no
 * listing shows neither of them, and no later node comes before them. A waiter that watches the writer's node hears of
 * its deletion, and looks at the queue: a writer then waits for the reader's node, and a reader acquires the lock. The
 * reader's node states the writer's fencing base in its data, since its own transaction number is greater.
 *
 * <p>The name of the reader's node contains the unique name of the contender. So if a repeated transaction finds the
 * node, an earlier one has succeeded. A transaction that finds no writer's node changes nothing, so it does no harm
 * after a release. The release deletes the writer's node first, and then the reader's node. So it leaves neither of
 * them, whenever the server executes the transaction.
 */
final class ZooKeeperGrant implements Grant, Watcher, SessionLife.Dependent {
    private static final Duration FIRST_RENEWAL = Duration.ofSeconds(1);

    private final LockDirectory directory;
    private final Session session;
    private final Created node;
    private final Validity validity;
    private final Signals signals;
    private final LockRequest request;
    private final @Nullable OthersWatch others;
    private final boolean alone;
    private volatile boolean watched;
    private volatile long watchedAt;
    private volatile boolean missing;
    private volatile boolean deletionSent;
    private volatile boolean replacementSent;
    private volatile @Nullable ZooKeeperGrant reading;
    private volatile boolean forgotten;
    private volatile @Nullable RequestedRelease requested;

    /**
     * Makes a hold.
     *
     * @param others notices other contenders for a sticky lock, or null
     * @param alone whether the client has seen no contender of another client in the queue
     */
    ZooKeeperGrant(
            LockDirectory directory,
            Session session,
            Created node,
            Validity validity,
            Signals signals,
            LockRequest request,
            @Nullable OthersWatch others,
            boolean alone) {
        this.directory = directory;
        this.session = session;
        this.node = node;
        this.validity = validity;
        this.signals = signals;
        this.request = request;
        this.others = others;
        this.alone = alone;
    }

    /**
     * Returns the validity of a new grant. It ends no later than one session timeout after the attempt began. The
     * engine sends the first renewal within a second of the validity's beginning, and that renewal also sets the watch.
     *
     * @param askedAt the time before the attempt
     */
    static Validity firstValidity(Session session, Moment askedAt) {
        Validity proved = session.validity();
        long from = proved.from().nanoTime();
        long most = askedAt.nanoTime() + session.timeout().toNanos() - from;
        long length = Math.max(2, Math.min(proved.length().toNanos(), most));
        long renewAfter = Math.min(length / 2, Math.min(proved.renewAfter().toNanos(), FIRST_RENEWAL.toNanos()));
        return Validity.of(proved.from(), Duration.ofNanos(length)).withRenewAfter(Duration.ofNanos(renewAfter));
    }

    String path() {
        return node.path();
    }

    boolean isOf(Session present) {
        return session == present;
    }

    @Override
    public long fencingBase() {
        return node.czxid();
    }

    @Override
    public Validity validity() {
        return validity;
    }

    @Override
    public Validity latestValidity() {
        return session.validity();
    }

    @Override
    public boolean hasEnded() {
        return session.hasEnded();
    }

    @Override
    public boolean hearsOthers() {
        return others != null && others.hearsOthers();
    }

    @Override
    public Object server() {
        return directory.connection();
    }

    @Override
    public Release release(Deadline deadline) throws InterruptedException {
        Ending ending = sendDeletion(directory.connection().session(deadline));
        try {
            Release released = ending.await(deadline);
            session.servedQueues().of(directory.path()).deleted(node.name());
            return released;
        } catch (KeeperException e) {
            throw Failures.of(directory.lockName(), e);
        }
    }

    private boolean hasCompanion() {
        return !request.lockDelay().isZero();
    }

    private Ending sendDeletionOfBoth(Session present, boolean repeated) {
        var sent = Companion.sendRelease(present, node.path());
        return deadline -> {
            if (Companion.isReleased(present, node.path(), sent, deadline)) {
                return Release.RELEASED;
            }
            deleteCompanionAfter(request.lockDelay());
            return repeated ? Release.RELEASED : Release.GONE;
        };
    }

    /** Has this client delete the companion of a lost hold, in case nobody asks for the lock. */
    private void deleteCompanionAfter(Duration delay) {
        directory.connection().keptLocks().add(NodeName.kept(node.path()), delay);
    }

    @Override
    public Release keep(Duration time, Deadline deadline) throws InterruptedException {
        Session present = directory.connection().session(deadline);
        String kept = NodeName.kept(node.path());
        boolean repeated = deletionSent;
        deletionSent = true;
        try {
            Optional<Unchecked> refused = keep(present, kept, KeptLock.rounded(time), deadline);
            if (refused.isPresent() && !refused.get().isMissing()) {
                throw refused.get().failure();
            }
            if (refused.isPresent() && !repeated) {
                if (hasCompanion()) {
                    deleteCompanionAfter(time);
                }
                return Release.GONE;
            }
        } catch (KeeperException e) {
            throw Failures.of(directory.lockName(), e);
        }
        directory.connection().keptLocks().add(kept, time);
        return Release.RELEASED;
    }

    private Optional<Unchecked> keep(Session present, String kept, Duration time, Deadline deadline)
            throws KeeperException, InterruptedException {
        Optional<Unchecked> refused = keep(present, kept, hasCompanion(), time, deadline);
        // Another program may have deleted the companion.
        return refused.filter(unchecked -> unchecked.isMissing(kept)).isPresent()
                ? keep(present, kept, false, time, deadline)
                : refused;
    }

    private Optional<Unchecked> keep(Session present, String kept, boolean replaces, Duration time, Deadline deadline)
            throws KeeperException, InterruptedException {
        byte[] data = new OwnerData(request.owner(), present.timeout(), 0, time).write();
        return KeptLock.create(present, time, deadline, ttl -> present.keep(node.path(), kept, replaces, data, ttl));
    }

    /** The end of a hold under way. */
    interface Ending {
        Release await(Deadline deadline) throws KeeperException, InterruptedException;
    }

    /**
     * The deletion of a hold's nodes under way, which are independent.
     *
     * @param answers for the node, and for the one that may have taken its place
     * @param repeated whether an earlier deletion may have succeeded
     */
    private record Deletion(List<Answer<Code>> answers, boolean repeated) implements Ending {
        @Override
        public Release await(Deadline deadline) throws KeeperException, InterruptedException {
            boolean released = repeated;
            for (Answer<Code> answer : answers) {
                try {
                    var unused = answer.await(deadline);
                    released = true;
                } catch (NoNodeException e) {
                    // The node does not exist any more.
                }
            }
            return released ? Release.RELEASED : Release.GONE;
        }
    }

    /** Sends the deletion of the node, and does not wait for the answer. */
    Ending sendDeletion(Session present) {
        if (others != null) {
            others.stop();
        }
        boolean repeated = deletionSent;
        deletionSent = true;
        if (hasCompanion()) {
            return sendDeletionOfBoth(present, repeated);
        }
        List<Answer<Code>> answers = new ArrayList<>(2);
        answers.add(present.delete(node.path()));
        if (replacementSent) {
            answers.add(present.delete(NodeName.reader(node.path())));
        }
        return new Deletion(answers, repeated);
    }

    @Override
    public OptionalLong nextBase(Deadline deadline) throws InterruptedException {
        // The companion is another node of the directory.
        if (!alone || hasCompanion() || !isOf(directory.connection().session(deadline))) {
            return OptionalLong.empty();
        }
        var written = session.write(node.path(), new OwnerData(request.owner(), session.timeout()).write());
        var looked = session.exists(directory.path());
        try {
            long base = written.await(deadline).getMzxid();
            Stat queue = looked.await(deadline);
            boolean wasAlone = queue.getNumChildren() == 1 && queue.getPzxid() < base;
            return wasAlone ? OptionalLong.of(base) : OptionalLong.empty();
        } catch (NoNodeException e) {
            return OptionalLong.empty();
        } catch (KeeperException e) {
            throw Failures.of(directory.lockName(), e);
        }
    }

    /** Returns the request in the data of the directory if this hold has had it before. */
    Optional<RequestedRelease> known(Node noted) {
        return Optional.ofNullable(requested)
                .filter(request -> request.id().equals(noted.data().id()));
    }

    /** Notes the request for this hold that the data of its directory have, at a time of the leader. */
    RequestedRelease requested(Node noted, long leaderMillis) {
        // Both times are rounded down.
        long age = Math.max(0, leaderMillis - noted.stat().getMtime() - 1);
        long cameBy = directory.connection().clock().nanoTime() - TimeUnit.MILLISECONDS.toNanos(age);
        RequestedRelease request =
                new RequestedRelease(noted.data().id(), noted.data().owner(), cameBy);
        requested = request;
        return request;
    }

    @Override
    public Optional<Grant> downgrade(Deadline deadline) throws InterruptedException {
        Moment begunAt = directory.connection().clock().now();
        Session present = directory.connection().session(deadline);
        if (!isOf(present)) {
            return Optional.empty();
        }
        Created reader = new Created(NodeName.reader(node.path()), node.czxid(), node.createdAt());
        byte[] data = new OwnerData(request.owner(), session.timeout(), node.czxid()).write();
        replacementSent = true;
        try {
            Optional<Unchecked> refused =
                    session.replace(node.path(), reader.path(), data).await(deadline);
            if (refused.isPresent() && refused.get().isMissing()) {
                return Optional.empty();
            }
            // The reader's node has a unique name. If it exists, an earlier transaction has created it.
            if (refused.isPresent() && refused.get().code() != Code.NODEEXISTS) {
                throw refused.get().failure();
            }
        } catch (KeeperException e) {
            throw Failures.of(directory.lockName(), e);
        }
        return Optional.of(becomes(reader, firstValidity(session, begunAt)));
    }

    private ZooKeeperGrant becomes(Created reader, Validity validityOfReader) {
        ZooKeeperGrant made =
                new ZooKeeperGrant(directory, session, reader, validityOfReader, signals, request, null, false);
        made.requested = requested;
        reading = made;
        session.life().unregister(this);
        session.life().register(made);
        if (forgotten) {
            made.forget();
        }
        return made;
    }

    /** Returns whether the server has reported that the node does not exist. */
    boolean isMissing() {
        return missing;
    }

    /**
     * Asks the server to report the deletion of the node, unless it was asked within a session timeout. A renewal may
     * still be under way when the engine forgets the hold. So this looks for that before and after the request.
     */
    void watch() {
        long now = directory.connection().clock().nanoTime();
        if (forgotten || (watched && now - watchedAt < session.timeout().toNanos())) {
            return;
        }
        watched = true;
        watchedAt = now;
        try {
            session.watch(node.path(), this, (code, data, stat) -> answered(code));
        } catch (Throwable e) {
            watched = false;
            throw e;
        }
        if (forgotten) {
            forget();
        }
    }

    private void answered(Code code) {
        if (code != Code.OK) {
            watched = false;
        }
        if (code == Code.NONODE) {
            deleted();
        }
    }

    /** Drops what this client keeps for the hold. Does not wait for the server. */
    void forget() {
        if (hasCompanion() && !deletionSent && !forgotten) {
            deleteCompanionAfter(request.lockDelay());
        }
        forgotten = true;
        session.life().unregister(this);
        ZooKeeperGrant later = reading;
        if (later != null) {
            later.forget();
        }
        if (watched) {
            watched = false;
            session.removeWatch(node.path(), this);
        }
    }

    @Override
    public void process(WatchedEvent event) {
        switch (event.getType()) {
            // The session passes on events of its connection.
            case None -> {}
            case DataWatchRemoved -> watched = false;
            case NodeDeleted -> {
                watched = false;
                deleted();
            }
            default -> {
                watched = false;
                watch();
            }
        }
    }

    @Override
    public void disconnected() {
        signals.suspect();
    }

    @Override
    public void connected() {}

    @Override
    public void ended() {
        gone();
    }

    private void deleted() {
        missing = true;
        // The answer to a replacement says whether the hold continues with another node.
        if (!replacementSent) {
            gone();
        }
    }

    private void gone() {
        if (!deletionSent) {
            signals.gone();
        }
    }
}

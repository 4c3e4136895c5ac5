package io.github.distlock.zookeeper;

import static java.util.Objects.requireNonNull;

import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Signals;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.jspecify.annotations.Nullable;

/**
 * What a waiter watches: its predecessor, and its own node if the predecessor was the first of the queue or belongs to
 * the same session. A reader's predecessor is the last node before its own that is no reader's. It wakes the waiter
 * when the predecessor may no longer exist:
 *
 * <ul>
 *   <li>The server reports that a watched node was deleted or changed.
 *   <li>A node did not exist when the server received the request for the watch.
 *   <li>The server has not answered such a request.
 *   <li>The client has reconnected, and may have missed the event.
 *   <li>The session has ended.
 * </ul>
 *
 * <h2>Permits</h2>
 *
 * The first waiter for permits watches the children of the directory, because each holder may free some. After each
 * change it asks for the children and another watch. It wakes the waiter only if this waiter need not wait any more.
 * Every other waiter watches its predecessor. When that one is granted permits, it writes the data of its own node.
 * This wakes the next waiter, which is the first one now. If it came after the listing but before the watch, the data
 * in the answer show it. No waiter depends on this write: {@link WaiterCheck} finds the grant in the names of the
 * nodes.
 *
 * <h2>The deletion of the predecessor as the grant</h2>
 *
 * After one of these events, the deletion of the predecessor, the waiter holds the lock without another look at the
 * queue. This is safe because of these conditions together:
 *
 * <ul>
 *   <li><em>Own node and predecessor were second and first.</em> Either one listing showed that. Or one listing showed
 *       them next to each other, and this client has held the lock with the predecessor's node in the same session. So
 *       that node was first. The server gives rising numbers to the nodes of a directory. So no node can come before
 *       them later. Only the predecessor was before the waiter.
 *   <li><em>Both are plain lock nodes.</em> Clients may create another kind of node with a number of their choice, for
 *       example when a writer becomes a reader. Such a node takes the place of the deleted one.
 *   <li><em>Both are watched.</em> The server has confirmed both watches, after the listing. It reports events in the
 *       order of their transactions. So if the waiter's own node was deleted before its predecessor, this watch ends
 *       first.
 *   <li><em>The event is the deletion of the predecessor.</em> All other events say less. For example, another client
 *       may change the node's data.
 *   <li><em>The waiter still has the same node.</em> A contender that gives its node up drops the watch.
 *   <li><em>The session is the same, over the same connection.</em> After a reconnection, the server reports in no
 *       order what the client has missed. Another server may also be behind, or serve reads only. The event thread
 *       runs the event of a lost connection before all events of the next one. This applies until the attempt.
 *   <li><em>The session is certainly alive</em>, and with it the waiter's own node. {@link ZooKeeperContender} checks
 *       this, because only the time of the attempt counts.
 * </ul>
 *
 * Otherwise the waiter looks at the queue.
 *
 * <p>Thread-safe. The state changes by compare-and-set. Only one transition leads to {@link State#DELETED}, and only
 * {@link State#OVER} follows it.
 */
final class PredecessorWatch implements Watcher, SessionLife.Dependent {
    private final Session session;
    private final String own;
    private final String predecessor;
    private final LockMode mode;
    private final Blocker blocker;
    /** Whether a {@link KeptLock} may become the first node of the queue. */
    private final boolean mayBeKept;
    /** Whether no other node can take the place of the own node or of the predecessor. */
    private final boolean isPlain;

    /** Whether the deletion of the predecessor may be the grant, so that the own node needs a watch, too. */
    private volatile boolean mayGrant;

    private final Signals signals;
    private final Watcher ownWatcher = this::ownNodeChanged;
    private final AtomicReference<State> state = new AtomicReference<>(State.ASKED);
    private volatile boolean watchesPredecessor = true;
    private volatile boolean watchesOwn;
    private volatile boolean dropped;
    /** Whether one connection has carried everything since the requests for the watches. */
    private volatile boolean unbroken = true;
    /** When this client sent the request that last showed both nodes, or null if it has lost its connection since. */
    private volatile @Nullable Long confirmedAt;

    private enum State {
        /** The server has not confirmed all watches yet. */
        ASKED,
        /** Both nodes existed when the server confirmed the watches. */
        SET,
        /** The predecessor was deleted, and all conditions for a grant were fulfilled. */
        DELETED,
        /** The waiter must look at the queue. */
        OVER
    }

    private PredecessorWatch(
            Session session,
            String own,
            String predecessor,
            Blocker blocker,
            boolean mayBeKept,
            Signals signals,
            long confirmedAt) {
        this.session = session;
        this.own = own;
        this.predecessor = predecessor;
        this.mode = requireNonNull(NodeName.mode(own), own);
        this.blocker = blocker;
        this.mayBeKept = mayBeKept;
        this.isPlain = NodeName.isPlain(own) && NodeName.isPlain(predecessor);
        this.signals = signals;
        this.confirmedAt = confirmedAt;
    }

    /**
     * Asks the server for the watches, and does not wait for its answers.
     *
     * @param predecessor the path of the node to watch, or that of the directory for the first waiter for permits
     * @param queue the listing that showed the predecessor
     * @param listedAt a time before the client requested the listing
     */
    static PredecessorWatch set(
            Session session, String own, String predecessor, LockQueue queue, Signals signals, long listedAt) {
        String first = LockPaths.parent(own) + "/" + queue.names().get(0);
        Blocker blocker = new Blocker(session, predecessor, first);
        PredecessorWatch watch =
                new PredecessorWatch(session, own, predecessor, blocker, queue.mayBeKept(), signals, listedAt);
        session.life().register(watch);
        try {
            watch.send();
        } catch (Throwable e) {
            watch.drop();
            throw e;
        }
        return watch;
    }

    private void send() {
        if (!watchesDirectory()) {
            session.watch(predecessor, this, (code, data, stat) -> {
                if (code == Code.OK && stat != null) {
                    blocker.saw(data, stat);
                    mayGrant = isPlain && (blocker.isFirst() || stat.getEphemeralOwner() == session.id());
                }
                answered(code, !isForPermits() || OwnerData.read(data).base() == 0);
            });
            return;
        }
        session.watchChildren(
                predecessor, this, (code, children) -> answered(code, isBehindIn(LockQueue.of(children))));
    }

    private boolean watchesDirectory() {
        return LockPaths.parent(own).equals(predecessor);
    }

    /** Receives an answer, which also shows whether the node has changed since the listing. */
    private void answered(Code code, boolean mustWait) {
        if (code != Code.OK) {
            watchesPredecessor = false;
            end();
        } else if (!mustWait) {
            end();
        } else if (mayGrant) {
            watchOwn();
        } else {
            state.compareAndSet(State.ASKED, State.SET);
        }
    }

    /** Returns whether the waiter wants permits. Another node can end its wait then than the one that it watches. */
    boolean isForPermits() {
        return mode.kind() == LockMode.Kind.PERMITS;
    }

    /** Returns whether the waiter ends the time of a {@link KeptLock} that is the first node. */
    boolean endsKept() {
        return mayBeKept && (blocker.isFirst() || blocker.isForeign());
    }

    /** Returns whether only the names of the queue show whether the waiter must still wait. */
    boolean needsNames() {
        return isForPermits() || (endsKept() && !blocker.isFirst());
    }

    /** Returns whether a later listing shows that the waiter must still wait, and for the same node. */
    boolean isBehindIn(LockQueue queue) {
        String directory = LockPaths.parent(own);
        int position = queue.position(LockPaths.element(own));
        return position >= 0
                && !queue.isHolder(position, mode)
                && queue.watched(directory, position, mode).equals(predecessor)
                && (!queue.isBehindKept(position)
                        || blocker.isBehind(directory + "/" + queue.names().get(0)));
    }

    /**
     * Watches the waiter's own node. Many predecessors end before they are watched, so this request comes second. The
     * contender may drop this object meanwhile. So this looks for that after the request.
     */
    private void watchOwn() {
        session.watch(own, ownWatcher, (code, data, stat) -> {
            if (code == Code.OK) {
                state.compareAndSet(State.ASKED, State.SET);
            } else {
                watchesOwn = false;
                end();
            }
        });
        // The answer comes on this thread.
        watchesOwn = true;
        if (dropped) {
            drop();
        }
    }

    String own() {
        return own;
    }

    String predecessor() {
        return predecessor;
    }

    Blocker blocker() {
        return blocker;
    }

    /** Returns whether this watches a predecessor in a session, and has not ended. */
    boolean isOn(Session asked, String node) {
        return isOf(asked) && predecessor.equals(node) && state.get() != State.OVER;
    }

    private boolean isOf(Session asked) {
        return session == asked;
    }

    /** Returns whether the waiter holds the lock if its session is certainly alive. */
    boolean isGrant(Session asked) {
        return isOf(asked) && state.get() == State.DELETED;
    }

    /**
     * Returns whether the server has confirmed the watches, and has reported nothing since. While the application
     * blocks the event thread, nobody knows.
     */
    boolean isSet(Session asked) {
        return isOf(asked) && state.get() == State.SET && !session.isEventThreadBlocked();
    }

    /** Returns how long ago the client sent the request that last showed both nodes, in nanoseconds. */
    long age(long now) {
        Long confirmed = confirmedAt;
        return confirmed == null ? Long.MAX_VALUE : now - confirmed;
    }

    /** Notes that both nodes existed when the server answered a request of that time. */
    void confirm(long sentAt) {
        confirmedAt = sentAt;
    }

    /** Removes the watches, and does not wake the waiter any more. */
    void drop() {
        dropped = true;
        stop();
        if (watchesPredecessor) {
            watchesPredecessor = false;
            if (watchesDirectory()) {
                session.removeChildWatch(predecessor, this);
            } else {
                session.removeWatch(predecessor, this);
            }
        }
        if (watchesOwn) {
            watchesOwn = false;
            session.removeWatch(own, ownWatcher);
        }
    }

    /** Notes that the server has deleted the waiter's own node, and its watch. The event may not have arrived yet. */
    void ownIsDeleted() {
        watchesOwn = false;
    }

    /** Does not wake the waiter any more. */
    void stop() {
        state.set(State.OVER);
        session.life().unregister(this);
    }

    /** Has the waiter look at the queue. The deletion of the predecessor has woken it before. */
    void end() {
        State before = state.getAndSet(State.OVER);
        if (before == State.ASKED || before == State.SET) {
            session.life().unregister(this);
            signals.wakeUp();
        }
    }

    @Override
    public void process(WatchedEvent event) {
        if (event.getType() == Event.EventType.None) {
            connectionChanged(event.getState());
            return;
        }
        watchesPredecessor = false;
        if (event.getType() == Event.EventType.NodeChildrenChanged && state.compareAndSet(State.SET, State.ASKED)) {
            // Most of these events are about nodes behind the waiter. The answer shows whether this one is.
            send();
            watchesPredecessor = true;
            if (dropped) {
                drop();
            }
            return;
        }
        boolean isGrant = mayGrant
                && unbroken
                && event.getType() == Event.EventType.NodeDeleted
                && (blocker.isFirst() || session.heldNodes().contains(predecessor));
        if (isGrant && state.compareAndSet(State.SET, State.DELETED)) {
            session.life().unregister(this);
            signals.wakeUp();
        } else {
            end();
        }
    }

    private void ownNodeChanged(WatchedEvent event) {
        if (event.getType() == Event.EventType.None) {
            connectionChanged(event.getState());
            return;
        }
        watchesOwn = false;
        end();
    }

    /** After the deletion of the predecessor, only the watch on the own node hears of its connection. */
    private void connectionChanged(Event.KeeperState connection) {
        if (connection != Event.KeeperState.SyncConnected) {
            unbroken = false;
            state.compareAndSet(State.DELETED, State.OVER);
        }
    }

    @Override
    public void disconnected() {
        confirmedAt = null;
    }

    @Override
    public void connected() {
        signals.wakeUp();
    }

    @Override
    public void ended() {
        end();
    }
}

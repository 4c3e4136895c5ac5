package io.github.distlock.zookeeper;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import io.github.distlock.zookeeper.Session.Created;
import java.time.Duration;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;

/**
 * The first node of a queue. It belongs to its session: when that is over, so is the hold.
 *
 * <p>The node is watched from the first renewal on, so that a short hold costs nothing more. The watch tells at once
 * when somebody deletes the node, or the connection breaks; the checks of each renewal tell it anyway.
 */
final class ZooKeeperGrant implements Grant, Watcher {
    private static final Duration FIRST_RENEWAL = Duration.ofSeconds(1);

    private final LockDirectory directory;
    private final Session session;
    private final Created node;
    private final Validity validity;
    private final Signals signals;
    private volatile boolean watched;
    private volatile boolean deletionSent;

    ZooKeeperGrant(LockDirectory directory, Session session, Created node, Validity validity, Signals signals) {
        this.directory = directory;
        this.session = session;
        this.node = node;
        this.validity = validity;
        this.signals = signals;
    }

    /** Not longer than counted from when the lock was asked for, and renewed early, which also begins the watch. */
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
    public Object server() {
        return directory.connection();
    }

    @Override
    public Release release(Deadline deadline) throws InterruptedException {
        boolean repeated = deletionSent;
        try {
            Session present = directory.connection().session(deadline);
            deletionSent = true;
            present.delete(node.path()).await(deadline);
            return Release.RELEASED;
        } catch (NoNodeException e) {
            return repeated ? Release.RELEASED : Release.GONE;
        } catch (KeeperException e) {
            throw Failures.of(directory.lockName(), e);
        }
    }

    /** Asks to be told when the node is gone. */
    void watch() {
        if (!watched) {
            watched = true;
            beginWatch();
        }
    }

    private void beginWatch() {
        var unused = session.read(node.path(), this).whenComplete((read, failure) -> {
            if (failure instanceof NoNodeException) {
                gone();
            } else if (failure != null) {
                watched = false;
            }
        });
    }

    @Override
    public void process(WatchedEvent event) {
        switch (event.getType()) {
            case None -> connectionChanged(event.getState());
            case NodeDeleted -> gone();
            default -> beginWatch();
        }
    }

    private void connectionChanged(Event.KeeperState state) {
        // Curator makes up expirations of its own, of which the ensemble knows nothing.
        if (state == Event.KeeperState.Expired || state == Event.KeeperState.Disconnected) {
            signals.suspect();
        }
    }

    private void gone() {
        if (!deletionSent) {
            signals.gone();
        }
    }
}

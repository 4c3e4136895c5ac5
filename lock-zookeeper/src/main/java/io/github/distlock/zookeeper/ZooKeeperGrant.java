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
 * A hold: the first node of a queue. The node belongs to its session, so the hold ends with the session.
 *
 * <p>The grant watches its node from the first renewal on, so a short hold needs no request for the watch. The watch
 * reports at once that another client has deleted the node, or that the connection is broken. Without it, the checks of
 * the next renewal find the same.
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

    /** Asks the server to report the deletion of the node, unless it has been asked before. */
    void watch() {
        if (!watched) {
            watched = true;
            setWatch();
        }
    }

    private void setWatch() {
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
            default -> setWatch();
        }
    }

    private void connectionChanged(Event.KeeperState state) {
        // Curator also reports expirations that the ensemble has not reported.
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

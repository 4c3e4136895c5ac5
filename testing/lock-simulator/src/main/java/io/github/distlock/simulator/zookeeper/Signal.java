package io.github.distlock.simulator.zookeeper;

import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Wakes one simulated thread. A signal before the wait ends the wait at once. */
public final class Signal {
    private @Nullable Thread waiting;
    private boolean given;

    /** Creates a signal that was not given. */
    public Signal() {}

    /**
     * Waits for the signal.
     *
     * @param nanos for how long at most
     */
    public void await(long nanos) {
        if (!given) {
            waiting = Thread.currentThread();
            LockSupport.parkNanos(this, nanos);
            waiting = null;
        }
        given = false;
    }

    /** Gives the signal. Never blocks. */
    public void give() {
        given = true;
        Thread thread = waiting;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }
}

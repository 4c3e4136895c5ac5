package io.github.distlock;

import static java.util.Objects.requireNonNull;

import java.io.Serial;
import java.io.Serializable;
import java.time.Duration;
import java.time.Instant;

/** That a hold was lost, and how. Immutable. */
public final class LockLoss implements Serializable {
    @Serial
    private static final long serialVersionUID = 1L;

    /** Which lock. */
    private final String lockName;

    /** Which hold. */
    private final long fencingToken;

    /** Why. */
    private final LossReason reason;

    /** When it was noticed. */
    private final Instant noticed;

    /** For how long it had been held. */
    private final Duration held;

    /**
     * Makes a report. The engine does; tests of code that handles losses may, too.
     *
     * @param lockName the lock's name
     * @param fencingToken the token of the lost hold
     * @param reason why it was lost
     * @param noticed when the loss was noticed
     * @param held how long the lock had been held
     */
    public LockLoss(String lockName, long fencingToken, LossReason reason, Instant noticed, Duration held) {
        this.lockName = requireNonNull(lockName, "lockName");
        this.fencingToken = fencingToken;
        this.reason = requireNonNull(reason, "reason");
        this.noticed = requireNonNull(noticed, "noticed");
        this.held = requireNonNull(held, "held");
    }

    /**
     * Which lock.
     *
     * @return its name
     */
    public String lockName() {
        return lockName;
    }

    /**
     * Which hold.
     *
     * @return its fencing token
     */
    public long fencingToken() {
        return fencingToken;
    }

    /**
     * Why.
     *
     * @return the reason
     */
    public LossReason reason() {
        return reason;
    }

    /**
     * When it was noticed.
     *
     * @return by this machine's wall clock
     */
    public Instant noticed() {
        return noticed;
    }

    /**
     * How long the lock had been held by then.
     *
     * @return counted from the grant, on the monotonic clock
     */
    public Duration held() {
        return held;
    }

    @Override
    public String toString() {
        return "lock \"" + lockName + "\" was lost (" + reason + ") at " + noticed + ", held for " + held.toMillis()
                + " ms, fencing token " + fencingToken;
    }
}

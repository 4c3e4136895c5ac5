package io.github.distlock;

import static java.util.Objects.requireNonNull;

import java.io.Serial;
import java.io.Serializable;
import java.time.Duration;
import java.time.Instant;

/** A report of a lost hold. Immutable. */
public final class LockLoss implements Serializable {
    @Serial
    private static final long serialVersionUID = 1L;

    /** The lock's name. */
    private final String lockName;

    /** The token of the hold. */
    private final long fencingToken;

    /** Why it was lost. */
    private final LossReason reason;

    /** When the loss was noticed. */
    private final Instant noticed;

    /** How long the lock had been held. */
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
     * Returns the lock's name.
     *
     * @return the name
     */
    public String lockName() {
        return lockName;
    }

    /**
     * Returns the fencing token of the lost hold.
     *
     * @return the token
     */
    public long fencingToken() {
        return fencingToken;
    }

    /**
     * Returns why the hold was lost.
     *
     * @return the reason
     */
    public LossReason reason() {
        return reason;
    }

    /**
     * Returns when the loss was noticed.
     *
     * @return by this machine's wall clock
     */
    public Instant noticed() {
        return noticed;
    }

    /**
     * Returns how long the lock had been held by then.
     *
     * @return since the caller got the hold, on the monotonic clock
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

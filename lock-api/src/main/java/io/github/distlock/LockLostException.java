package io.github.distlock;

import java.io.Serial;

/** Work went on under a lock that was held no longer. */
public class LockLostException extends LockException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** What happened. */
    private final LockLoss loss;

    /**
     * A loss that work ran into.
     *
     * @param loss what happened
     */
    public LockLostException(LockLoss loss) {
        super(loss.lockName(), loss.toString(), null);
        this.loss = loss;
    }

    /**
     * What happened.
     *
     * @return reason and time
     */
    public LockLoss loss() {
        return loss;
    }
}

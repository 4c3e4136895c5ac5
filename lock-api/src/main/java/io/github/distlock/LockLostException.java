package io.github.distlock;

import java.io.Serial;

/** Work continued after its hold was lost. */
public class LockLostException extends LockException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** What happened. */
    private final LockLoss loss;

    /**
     * Makes an error for work that was under way when its hold was lost. Tests of user code may, too.
     *
     * @param loss what happened
     */
    public LockLostException(LockLoss loss) {
        super(loss.lockName(), loss.toString(), null);
        this.loss = loss;
    }

    /**
     * Returns the report of the loss.
     *
     * @return reason and time
     */
    public LockLoss loss() {
        return loss;
    }
}

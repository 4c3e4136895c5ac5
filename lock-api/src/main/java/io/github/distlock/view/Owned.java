package io.github.distlock.view;

import io.github.distlock.LockHandle;

/** A hold that may belong to a thread. */
public interface Owned {

    /**
     * Has the calling thread interrupted if this hold is lost, if the {@linkplain
     * io.github.distlock.LockOptions#interruptOnLoss() options} of its acquire say so. The thread has acquired the hold
     * and now returns it to its caller. A second call changes nothing.
     */
    void interruptOnLoss();

    /** Does the same for a hold of this library, and releases it if this fails for want of memory. */
    static void interruptOnLoss(LockHandle hold) {
        if (hold instanceof Owned owned) {
            try {
                owned.interruptOnLoss();
            } catch (Throwable e) {
                hold.release();
                throw e;
            }
        }
    }
}

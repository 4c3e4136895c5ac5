package io.github.distlock.spring;

import io.github.distlock.LockHandle;

/** What a {@link DistributedLocked} method can ask about the call that runs. */
public final class LockedMethod {
    private LockedMethod() {}

    /**
     * Returns the hold of the innermost {@link DistributedLocked} method that runs on this thread: for its
     * {@link LockHandle#fencingToken() fencing token}, and for {@link LockHandle#ensureHeld()} in long loops. Leave it
     * open: the call closes it.
     *
     * <p>An asynchronous method can call this until it has returned, not in its later steps. A reactive chain uses
     * {@link ReactiveLockedMethod#currentHandle()}.
     *
     * @return the hold
     * @throws IllegalStateException if no such method runs on this thread
     */
    public static LockHandle currentHandle() {
        Hold hold = ThreadHolds.current();
        if (hold == null) {
            throw new IllegalStateException("no @DistributedLocked method runs on this thread."
                    + " A call of a method of the same object does not go through the proxy, and takes no lock");
        }
        return hold.handle();
    }
}

package io.github.distlock.view;

import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import java.util.concurrent.CompletableFuture;

/**
 * A hold that can go back to the store as if it had not been granted: its release does not
 * {@linkplain io.github.distlock.LockOptions#minimumHold() keep} the lock. So an acquire that holds a part of its locks
 * and gives up blocks nobody.
 */
public interface Returnable {

    /** Does the work of {@link LockHandle#release()}, and keeps nothing. */
    Release giveBack();

    /** Does the work of {@link LockHandle#releaseAsync()}, and keeps nothing. */
    CompletableFuture<Release> giveBackAsync();

    /** Gives a hold back. Releases it if it is no hold of this library. */
    static Release giveBack(LockHandle hold) {
        return hold instanceof Returnable returnable ? returnable.giveBack() : hold.release();
    }

    /** Does the same without waiting. */
    static CompletableFuture<Release> giveBackAsync(LockHandle hold) {
        return hold instanceof Returnable returnable ? returnable.giveBackAsync() : hold.releaseAsync();
    }
}

package io.github.distlock;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.List;

/** A look at locks from outside, for operators. Thread-safe. Names are checked as in {@link LockClient#lock}. */
@SuppressWarnings("exports") // an annotation for tools, which users need not have
public interface LockInspector {

    /**
     * Asks the store which clients hold a lock and which wait for it. Changes nothing. An interrupt ends the call with
     * a {@link LockException}; the flag is kept.
     *
     * @param name the lock's name
     * @return what the store knew
     * @throws LockException if the store does not answer within {@link LockClientBuilder#requestTimeout}, or refuses
     * @throws IllegalStateException if the client is closed
     */
    LockStatus inspect(String name);

    /**
     * Takes a lock away from all its holders, and the next waiter acquires it. A lock that is
     * {@linkplain LockStatus#kept() kept} is free afterwards, too. A holder notices at its next renewal at
     * the latest. Until then {@code isHeld()} may return true there, so the protected resource must check fencing
     * tokens. An interrupt ends the call with a {@link LockException}, and its outcome is unknown; the flag is kept.
     *
     * @param name the lock's name
     * @return the holds that were ended; empty if nobody held the lock
     * @throws LockException if the store does not answer within {@link LockClientBuilder#requestTimeout}, or refuses
     * @throws UnsupportedOperationException if the store cannot do it
     * @throws IllegalStateException if the client is closed
     */
    @CanIgnoreReturnValue
    List<LockStatus.Holder> forceRelease(String name);
}

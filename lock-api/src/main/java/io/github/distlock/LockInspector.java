package io.github.distlock;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Optional;

/** A look at locks from the outside, for operators. Thread-safe. Names are checked as in {@link LockClient#lock}. */
@SuppressWarnings("exports") // an annotation for tools, which users need not have
public interface LockInspector {

    /**
     * Asks the store who holds a lock and who waits for it. Changes nothing.
     *
     * @param name the lock's name
     * @return what the store knew
     * @throws LockException when the store does not answer within {@link LockClientBuilder#requestTimeout}, or refuses
     * @throws IllegalStateException when the client has been closed
     */
    LockStatus inspect(String name);

    /**
     * Takes a lock away from whoever holds it; the next waiter is served. The holder is told as soon as it can be, at
     * the latest at its next renewal; until then it may go on believing that it holds, so whatever the lock protects
     * has to check fencing tokens.
     *
     * @param name the lock's name
     * @return the hold that was ended, or empty when nobody held the lock
     * @throws LockException when the store does not answer within {@link LockClientBuilder#requestTimeout}, or refuses
     * @throws UnsupportedOperationException when the store cannot do it
     * @throws IllegalStateException when the client has been closed
     */
    @CanIgnoreReturnValue
    Optional<LockStatus.Holder> forceRelease(String name);
}

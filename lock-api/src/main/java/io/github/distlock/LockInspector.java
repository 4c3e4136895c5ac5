package io.github.distlock;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.List;
import java.util.Optional;

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
     * Asks the store for the names of locks that begin with a prefix and that are held, waited for or
     * {@linkplain LockStatus#kept() kept}. Changes nothing. The store sends the names in pages, and the call ends with
     * the last page or when it has enough names. So the number of names in the store bounds the time of the call, but
     * not its memory. An interrupt ends the call with a {@link LockException}; the flag is kept.
     *
     * <p>A name that is in use throughout the call is in the list, unless the limit has ended it. A name that is in use
     * for a part of that time may be missing.
     *
     * @param prefix the beginning of the names, character by character; empty for all names
     * @param limit how many names at most: from 1 to 100,000
     * @return distinct names in any order; if their number is the limit, there may be more
     * @throws IllegalArgumentException if the limit is out of these bounds, or if the prefix could not begin a name
     * @throws LockException if the store does not answer a request within {@link LockClientBuilder#requestTimeout}, or
     *     refuses; its {@link LockException#lockName} is the prefix and an asterisk
     * @throws UnsupportedOperationException if the store cannot do it, or if the caller's own mapping of names to keys
     *     or paths has no way back
     * @throws IllegalStateException if the client is closed
     */
    List<String> list(String prefix, int limit);

    /**
     * Takes a lock away from all its holders, and the next waiter acquires it. A lock that is
     * {@linkplain LockStatus#kept() kept} is free afterwards, too. No {@linkplain LockOptions#lockDelay(Duration) lock
     * delay} follows. A holder notices at its next renewal at the latest. Until then {@code isHeld()} may return true
     * there, so the protected resource must check fencing tokens. An interrupt ends the call with a {@link
     * LockException}, and its outcome is unknown; the flag is kept.
     *
     * @param name the lock's name
     * @return the holds that were ended; empty if nobody held the lock
     * @throws LockException if the store does not answer within {@link LockClientBuilder#requestTimeout}, or refuses
     * @throws UnsupportedOperationException if the store cannot do it
     * @throws IllegalStateException if the client is closed
     */
    @CanIgnoreReturnValue
    List<LockStatus.Holder> forceRelease(String name);

    /**
     * Takes a lock away from one holder, if the hold still exists. The store compares the token and ends the hold in
     * one step. So a hold that began after the caller has looked is never ended. Other readers, and other holders of
     * permits, keep their holds. The waiters that fit then acquire the lock. The holder notices, and an interrupt acts,
     * as described for {@link #forceRelease(String)}.
     *
     * <p>A store knows grants, and not their local handoffs. So each token of a grant names the grant, and all threads
     * of its client that share it lose their holds. If the store has minted another base for local handoffs, only the
     * tokens of the newest base name the grant. On ZooKeeper, those of its earlier bases name it, too. On Redis, no
     * token names the hold of another program. A {@linkplain LockStatus#kept() kept} lock has no holder, so no token
     * names it.
     *
     * @param name the lock's name
     * @param expectedToken the hold's token: {@link LockStatus.Holder#fencingToken}, or {@link LockHandle#fencingToken}
     * @return the hold that was ended; empty if no holder has this token any more
     * @throws IllegalArgumentException if no fencing token has this value
     * @throws LockException if the store does not answer within {@link LockClientBuilder#requestTimeout}, or refuses
     * @throws UnsupportedOperationException if the store cannot do it
     * @throws IllegalStateException if the client is closed
     */
    @CanIgnoreReturnValue
    Optional<LockStatus.Holder> forceRelease(String name, long expectedToken);

    /**
     * Asks the present holders of a lock to release it. Nothing is released by itself: each holder decides, if it has
     * registered a {@linkplain LockHandle#onReleaseRequested listener}. The listener is called within a second. A hold
     * that begins later does not hear of the request. A client that keeps the lock without a holder, because it is
     * {@linkplain LockOptions#sticky() sticky}, gives it back. An interrupt ends the call with a {@link LockException},
     * and its outcome is unknown; the flag is kept.
     *
     * @param name the lock's name
     * @return the number of grants that the store had; each has a holder, several threads of one client, or a client
     *     that keeps it without a holder; 0 if there were none
     * @throws LockException if the store does not answer within {@link LockClientBuilder#requestTimeout}, or refuses
     * @throws UnsupportedOperationException if the store cannot do it
     * @throws IllegalStateException if the client is closed
     */
    @CanIgnoreReturnValue
    int requestRelease(String name);
}

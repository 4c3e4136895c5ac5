package io.github.distlock;

/**
 * How a hold began without a request to the store. More kinds may come, so give a {@code switch} a default.
 */
public enum HandoffKind {
    /** The holder released the lock, and a waiter of the same client got it. */
    LOCAL,
    /** The client had kept the lock, because it is {@linkplain LockOptions#sticky() sticky}. */
    REACQUIRED,
    /** A reader joined a grant that other readers of the same client use. */
    JOINED
}

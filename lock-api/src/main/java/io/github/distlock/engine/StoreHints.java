package io.github.distlock.engine;

import org.jspecify.annotations.Nullable;

/**
 * What the store has signaled about a lease. After a downgrade, the store's signals come as before, and are about the
 * successor of the lease. A signal is kept here and then passed to the successor; the successor is set and then given
 * the signals that are kept. Both are volatile, so the successor gets each signal that matters.
 */
final class StoreHints {
    private final Target target;
    private volatile boolean wanted;
    private volatile boolean gone;
    private volatile @Nullable StoreHints successor;

    /** The lease. */
    interface Target {
        /** Another client waits. */
        void wanted();

        /** The connection is in doubt. */
        void suspect();

        /** The store has ended the lease. */
        void gone();
    }

    StoreHints(Target target) {
        this.target = target;
    }

    boolean isWanted() {
        return wanted;
    }

    void wanted() {
        wanted = true;
        StoreHints next = successor;
        if (next == null) {
            target.wanted();
        } else {
            next.wanted();
        }
    }

    void suspect() {
        StoreHints next = successor;
        if (next == null) {
            target.suspect();
        } else {
            next.suspect();
        }
    }

    void gone() {
        gone = true;
        StoreHints next = successor;
        if (next == null) {
            target.gone();
        } else {
            next.gone();
        }
    }

    void setSuccessor(StoreHints next) {
        successor = next;
        if (wanted) {
            next.wanted();
        }
        if (gone) {
            next.gone();
        }
    }
}

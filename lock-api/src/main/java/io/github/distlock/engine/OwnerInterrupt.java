package io.github.distlock.engine;

import io.github.distlock.LockLoss;
import io.github.distlock.LossReason;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Interrupts the thread of a hold, once, unless the thread has ended or detached the hold before.
 *
 * <h2>Why no interrupt comes after the end</h2>
 *
 * {@link #run} looks at {@link #ended} and interrupts, both under {@link #sending}. If the owner calls {@link #end},
 * this sets {@code ended} under {@code sending}, too. If it comes first, {@code run} sees the end and does not
 * interrupt. If it comes second, the interrupt has been sent. In both cases, no interrupt follows once {@code end} has
 * returned on the owner. If another thread calls {@code end}, it does not wait. No interrupt begins afterwards, but one
 * may be under way.
 *
 * <h2>Why the owner does not wait for long</h2>
 *
 * {@link Thread#interrupt} sets a flag and wakes the thread. It closes a channel if the thread is blocked in it, which
 * may take time. But then the thread is not in {@code end}. A subclass of {@code Thread} may override it: a thread that
 * is slow to be interrupted waits for itself.
 *
 * <h2>Who sends it</h2>
 *
 * For these two reasons, the thread that notices the loss, such as the timer, does not. Threads of a role of their own
 * do ({@link Callbacks#interrupt}): they wait neither for listeners nor for a caller-supplied executor.
 */
final class OwnerInterrupt implements Runnable {
    private final Thread owner;
    private final ReentrantLock sending = new ReentrantLock();
    private volatile boolean ended;

    OwnerInterrupt(Thread owner) {
        this.owner = owner;
    }

    /** The hold is lost. Closing a client does not interrupt the thread that closes it, and waits for the releases. */
    void lost(LockLoss loss, Callbacks callbacks) {
        boolean isClosing = loss.reason() == LossReason.CLIENT_CLOSED && Thread.currentThread() == owner;
        if (!ended && !isClosing) {
            callbacks.interrupt(this);
        }
    }

    @Override
    public void run() {
        sending.lock();
        try {
            if (!ended) {
                ended = true;
                owner.interrupt();
            }
        } finally {
            sending.unlock();
        }
    }

    /** The hold has ended, or goes on without its thread. */
    void end() {
        if (Thread.currentThread() != owner) {
            ended = true;
            return;
        }
        sending.lock();
        try {
            ended = true;
        } finally {
            sending.unlock();
        }
    }
}

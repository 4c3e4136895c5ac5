package io.github.distlock.view;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.ThreadOwnedLock;
import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The reentrant holds of one client, by lock and thread. The store sees none of this: it grants and releases one hold.
 *
 * <h2>Why two acquires of a thread find the same hold</h2>
 *
 * Only a thread itself adds a hold under its key, and it does so before its acquire returns. Another thread may close
 * the last handle at the same time. Then {@link ReentrantHold#enter} finds that the hold has ended, and the acquire
 * asks for a new one.
 *
 * <p>If the thread has detached all of its handles, the hold goes on without it. The map then forgets the hold, and the
 * thread's next acquire asks for a new one, which takes its place. The end of the earlier hold removes only itself.
 *
 * <h2>Why a forgotten hold is released</h2>
 *
 * This map refers to a hold weakly, and strongly only while the thread has to call {@code unlock}. So if the thread
 * drops its handles, the collector finds the handle of the engine, which then reports a leak. For a thread that has
 * died, {@link #forgetDeadThreads} drops the strong reference, too. There is no {@code ThreadLocal}, which would cost
 * each virtual thread a map.
 *
 * <p>Thread-safe.
 */
public final class ReentrantHolds {
    private final Map<Owner, Slot> slots = new ConcurrentHashMap<>();

    /**
     * Who has a hold.
     *
     * @param lock what distinguishes the lock from other locks of the client
     */
    private record Owner(Object lock, Thread thread) {}

    /** A place in the map, with a hold that the thread has entered. */
    static final class Slot {
        private final WeakReference<ReentrantHold> hold;
        private volatile @Nullable ReentrantHold kept;

        private Slot(ReentrantHold hold) {
            this.hold = new WeakReference<>(hold);
        }

        /** Keeps the hold, or does not keep it any more, although no handle refers to it. */
        void keep(@Nullable ReentrantHold entered) {
            kept = entered;
        }

        private @Nullable ReentrantHold hold() {
            ReentrantHold entered = kept;
            return entered == null ? hold.get() : entered;
        }
    }

    /** How to acquire the lock if the thread does not hold it. */
    interface Acquire {
        Optional<LockHandle> acquire() throws InterruptedException;
    }

    /**
     * Returns the reentrant view of a lock.
     *
     * @param id what distinguishes the lock from other locks of the client
     * @param lock acquires it
     */
    public DistributedLock reentrant(Object id, DistributedLock lock) {
        return new ReentrantView(id, lock, this);
    }

    /**
     * Returns a lock as {@code java.util.concurrent} knows it.
     *
     * @param id as for {@link #reentrant}
     * @param lock acquires it
     */
    public ThreadOwnedLock asLock(Object id, DistributedLock lock) {
        return new ThreadOwnedView(id, lock, this);
    }

    /** Returns the hold of the calling thread, or null if it has none. */
    @Nullable
    ReentrantHold current(Object lock) {
        Slot slot = slots.get(new Owner(lock, Thread.currentThread()));
        return slot == null ? null : slot.hold();
    }

    /**
     * Enters the hold of the calling thread, and acquires the lock first if the thread has none.
     *
     * @param entry what the thread gets: a handle, or a lock
     * @param options of the lock
     * @return the hold, or empty if the lock is busy
     */
    Optional<ReentrantHold> enter(Object lock, ReentrantHold.Entry entry, LockOptions options, Acquire otherwise)
            throws InterruptedException {
        ReentrantHold known = current(lock);
        if (known != null && known.enter(entry)) {
            ensureValidity(known, entry, options);
            return Optional.of(known);
        }
        Optional<LockHandle> granted = otherwise.acquire();
        return granted.map(held -> add(lock, held, entry));
    }

    /** Ensures the minimum validity of a hold that was entered. If that fails, the caller does not get the entry. */
    private static void ensureValidity(ReentrantHold entered, ReentrantHold.Entry entry, LockOptions options) {
        try {
            options.minimumValidity().ifPresent(entered.held()::ensure);
        } catch (Throwable e) {
            if (entered.exit(entry)) {
                entered.held().release();
            }
            throw e;
        }
    }

    private ReentrantHold add(Object lock, LockHandle held, ReentrantHold.Entry entry) {
        try {
            Owner owner = new Owner(lock, Thread.currentThread());
            ReentrantHold made = new ReentrantHold(held);
            Slot slot = new Slot(made);
            made.begin(entry, slot, () -> slots.remove(owner, slot));
            slots.put(owner, slot);
            return made;
        } catch (Throwable e) {
            held.release();
            throw e;
        }
    }

    /** Forgets the holds of threads that have died, and those that nobody refers to. Quick, and never throws. */
    public void forgetDeadThreads() {
        slots.entrySet()
                .removeIf(entry -> entry.getValue().hold() == null
                        || !entry.getKey().thread().isAlive());
    }
}

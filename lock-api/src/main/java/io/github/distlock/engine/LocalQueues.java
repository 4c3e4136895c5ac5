package io.github.distlock.engine;

import io.github.distlock.LockUsage;
import io.github.distlock.engine.Outcome.Ended;
import io.github.distlock.spi.LockKind;
import io.github.distlock.spi.LockMode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The local queues of one client. A queue exists while an acquire waits in it or a caller uses a lease of it.
 *
 * <p><b>Closing.</b> An acquire enters its queue and then reads the {@link Lifecycle}. Closing changes that and then
 * goes through the queues. So at least one of the two sees the other, and no acquire waits on in a closed client. The
 * same is true of a checkpoint.
 */
final class LocalQueues {
    private final ConcurrentHashMap<LockKey, LocalQueue> queues = new ConcurrentHashMap<>();
    /** The queues of read-write locks, by name. */
    private final ConcurrentHashMap<String, List<LocalQueue>> readWrite = new ConcurrentHashMap<>();

    private final LocalQueue.Shared shared;
    private final Lifecycle lifecycle;

    LocalQueues(LocalQueue.Shared shared, Lifecycle lifecycle) {
        this.shared = shared;
        this.lifecycle = lifecycle;
    }

    /** Returns the queue of this key. It may have been retired by the time of its use; then there is another one. */
    LocalQueue get(LockKey key) {
        LocalQueue found = queues.get(key);
        return found != null ? found : queues.computeIfAbsent(key, this::open);
    }

    private LocalQueue open(LockKey key) {
        LocalQueue opened = new LocalQueue(key, shared, this);
        if (isReadWrite(key)) {
            readWrite.merge(
                    key.name(),
                    List.of(opened),
                    (before, one) ->
                            Stream.concat(before.stream(), one.stream()).toList());
        }
        return opened;
    }

    private static boolean isReadWrite(LockKey key) {
        return key.mode().lockKind() == LockKind.READ_WRITE_LOCK;
    }

    void retire(LocalQueue retired) {
        LockKey key = retired.key;
        queues.remove(key, retired);
        if (isReadWrite(key)) {
            readWrite.computeIfPresent(key.name(), (name, before) -> {
                List<LocalQueue> left =
                        before.stream().filter(queue -> queue != retired).toList();
                return left.isEmpty() ? null : left;
            });
        }
    }

    private List<LocalQueue> readWrite(String name) {
        return readWrite.getOrDefault(name, List.of());
    }

    /** Returns whether a waiter keeps others from joining leases of this name. */
    boolean stopJoins(String name) {
        for (LocalQueue queue : readWrite(name)) {
            if (queue.stopsJoins()) {
                return true;
            }
        }
        return false;
    }

    /** Returns whether a thread holds the read lock of this name. */
    boolean isReadBy(long threadId, String name) {
        return isHeldBy(threadId, name, LockMode.READ);
    }

    /** Returns whether a thread holds the write lock of this name. */
    boolean isWrittenBy(long threadId, String name) {
        return isHeldBy(threadId, name, LockMode.WRITE);
    }

    private boolean isHeldBy(long threadId, String name, LockMode mode) {
        return readWrite(name).stream().anyMatch(queue -> queue.key.mode().equals(mode) && queue.isHeldBy(threadId));
    }

    /** Returns the names with holds or waiters. */
    List<LockUsage> usage() {
        Map<String, LockUsage> used = new HashMap<>();
        for (LocalQueue queue : queues.values()) {
            int holds = (int) queue.holds().filter(Hold::isHeld).count();
            int waiters = (int)
                    queue.everybody().stream().filter(Acquisition::isWaiting).count();
            if (holds + waiters > 0) {
                used.merge(queue.key.name(), new LockUsage(queue.key.name(), holds, waiters), LocalQueues::sum);
            }
        }
        return new ArrayList<>(used.values());
    }

    private static LockUsage sum(LockUsage one, LockUsage other) {
        return new LockUsage(one.lockName(), one.holds() + other.holds(), one.waiters() + other.waiters());
    }

    List<LocalQueue> all() {
        return List.copyOf(queues.values());
    }

    /** Returns how an acquire must end that has just entered, or null if it may continue. */
    @Nullable
    Ended refusal() {
        return lifecycle.isClosed() ? Ended.CLOSED : lifecycle.isSuspended() ? Ended.CHECKPOINT : null;
    }

    /** Ends all waiting acquires. The client has been closed or suspended. */
    void endAll(Ended end) {
        for (LocalQueue queue : queues.values()) {
            for (Acquisition waiter : queue.everybody()) {
                waiter.settle(end);
            }
        }
    }
}

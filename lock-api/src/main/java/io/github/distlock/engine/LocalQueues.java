package io.github.distlock.engine;

import io.github.distlock.engine.Outcome.Ended;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The local queues of one client. A queue exists while somebody waits in it or uses a lease of it.
 *
 * <p><b>Closing.</b> An acquire enters its queue and then reads the {@link Lifecycle}. Closing changes that and then
 * goes through the queues. So at least one of the two sees the other, and no acquire waits on in a closed client. The
 * same is true of a checkpoint.
 */
final class LocalQueues {
    private final ConcurrentHashMap<LocalQueue.Key, LocalQueue> queues = new ConcurrentHashMap<>();
    private final LocalQueue.Shared shared;
    private final Lifecycle lifecycle;

    LocalQueues(LocalQueue.Shared shared, Lifecycle lifecycle) {
        this.shared = shared;
        this.lifecycle = lifecycle;
    }

    /** Returns the queue of this key. It may have been retired by the time of its use; then there is another one. */
    LocalQueue get(LocalQueue.Key key) {
        return queues.computeIfAbsent(
                key, absent -> new LocalQueue(absent, shared, retired -> queues.remove(absent, retired)));
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

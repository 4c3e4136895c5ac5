package io.github.distlock.engine;

import java.util.concurrent.ConcurrentHashMap;

/**
 * The local queues of one client. A queue exists while somebody waits in it or uses a lease of it.
 *
 * <p><b>Closing.</b> An acquire enters its queue and then reads {@link Lifecycle#isClosed}. Closing sets that flag and
 * then goes through the queues. So at least one of the two sees the other, and no acquire waits on in a closed client.
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

    boolean areClosed() {
        return lifecycle.isClosed();
    }

    /** Ends all waiting acquires. The client has been closed. */
    void close() {
        for (LocalQueue queue : queues.values()) {
            for (Acquisition waiter : queue.everybody()) {
                waiter.settle(Outcome.Ended.CLOSED);
            }
        }
    }
}

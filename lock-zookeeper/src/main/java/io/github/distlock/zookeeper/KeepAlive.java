package io.github.distlock.zookeeper;

import io.github.distlock.spi.BackendContext;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Sends a request through the leader from time to time, while a session lives. So the first write after idleness
 * proves almost as much as any other: see {@link SessionValidity}. The request is a {@code sync}, which needs no disk
 * and no quorum. It takes the place of ZooKeeper's own pings, which follow only after idleness. The thread also deletes
 * the client's {@linkplain OwnKeptLocks kept locks} when their time is over.
 *
 * <p>The thread never waits for an answer, so it also continues while the connection is lost. It ends with the session.
 * Each start is a new thread, which {@link #stop} ends at once.
 */
final class KeepAlive implements Runnable {
    private final Session session;
    private final ServerTick tick;
    private final OwnKeptLocks keptLocks;
    private final CountDownLatch stopped = new CountDownLatch(1);

    private KeepAlive(Session session, ServerTick tick, OwnKeptLocks keptLocks) {
        this.session = session;
        this.tick = tick;
        this.keptLocks = keptLocks;
    }

    static KeepAlive start(Session session, ServerTick tick, OwnKeptLocks keptLocks, BackendContext context) {
        KeepAlive keepAlive = new KeepAlive(session, tick, keptLocks);
        BackendThreads.start(context, "keepalive", keepAlive);
        return keepAlive;
    }

    @Override
    public void run() {
        try {
            do {
                send();
            } while (!stopped.await(tick.keepAliveInterval(session.timeout()).toNanos(), TimeUnit.NANOSECONDS)
                    && session.isAlive());
        } catch (InterruptedException e) {
            // Nothing of this client interrupts the thread. Without it, writes prove less, which is safe.
        }
    }

    private void send() {
        try {
            session.keepAlive();
            keptLocks.deleteOver(session);
        } catch (Throwable e) {
            // The process lacks memory, for example. The next request follows soon.
        }
    }

    void stop() {
        stopped.countDown();
    }
}

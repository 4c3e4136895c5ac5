package io.github.distlock.tests.servers;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A connection through the proxy: two sockets, and a thread for each direction.
 *
 * <p>Each direction decides about a chunk and writes it while it holds the lock of the direction. So if a thread sets a
 * fault and then acquires and releases that lock, all later chunks see the fault. A direction that has dropped data is
 * <em>deaf</em>: it forwards nothing more. {@link FaultProxy#heal()} ends the faults and then passes through the same
 * lock. So either the direction has seen the fault, is deaf, and the proxy cuts the connection, or it has dropped
 * nothing.
 *
 * <p>The direction of requests hands a fault that affects the reply to the direction of replies before it writes the
 * request. So the reply cannot overtake its fault. Neither direction takes the lock of the other.
 */
final class ProxyConnection {
    private static final int CHUNK = 64 * 1024;

    private final FaultProxy proxy;
    private final Entrance entrance;
    private final Socket client;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Requests requests = new Requests();
    private final Replies replies = new Replies();
    private volatile @Nullable Socket server;

    ProxyConnection(FaultProxy proxy, Entrance entrance, Socket client) {
        this.proxy = proxy;
        this.entrance = entrance;
        this.client = client;
    }

    void start() {
        FaultProxy.daemon("requests", this::carryRequests);
    }

    boolean hasLost() {
        return requests.deaf || replies.deaf;
    }

    /** Cancels the fault that the next reply would have claimed. */
    void forgiveReply() {
        replies.claimed.set(null);
    }

    void awaitQuiet(Duration limit) {
        requests.awaitQuiet(limit);
        replies.awaitQuiet(limit);
    }

    void cut() {
        closed.countDown();
        FaultProxy.closeQuietly(client);
        Socket upstream = server;
        if (upstream != null) {
            FaultProxy.closeQuietly(upstream);
        }
        proxy.ended(this);
    }

    void reset() {
        resetOnClose(client);
        Socket upstream = server;
        if (upstream != null) {
            resetOnClose(upstream);
        }
        cut();
    }

    /** Makes {@code close()} send RST. */
    private static void resetOnClose(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
        } catch (IOException e) {
            // The socket is already closed.
        }
    }

    private void carryRequests() {
        if (proxy.isSilent()) {
            requests.deaf = true;
            requests.carry(client, null);
            return;
        }
        Socket upstream;
        try {
            upstream = entrance.connectToServer();
        } catch (IOException e) {
            reset();
            return;
        }
        server = upstream;
        if (isCut()) {
            FaultProxy.closeQuietly(upstream);
            return;
        }
        FaultProxy.daemon("replies", () -> replies.carry(upstream, client));
        requests.carry(client, upstream);
    }

    private boolean isCut() {
        return closed.getCount() == 0;
    }

    /** Waits for the delay or the end of the connection. */
    private void pause(Duration delay) {
        try {
            if (!delay.isZero() && closed.await(delay.toNanos(), TimeUnit.NANOSECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void dropped(OneShot shot) {
        requests.deaf = true;
        replies.deaf = true;
        shot.strike();
        if (shot.then == FaultProxy.Then.CUT) {
            cut();
        }
    }

    private void write(byte[] chunk, Socket to) throws IOException {
        int step = proxy.isSliced() ? 1 : chunk.length;
        for (int written = 0; written < chunk.length; written += step) {
            to.getOutputStream().write(chunk, written, step);
        }
    }

    private abstract class Direction {
        final ReentrantLock lock = new ReentrantLock();
        volatile boolean deaf;

        abstract boolean isSilenced();

        abstract void carry(byte[] chunk, Socket to) throws IOException;

        /**
         * Returns whether this direction drops data; after true, it drops all later data. The caller holds the lock.
         */
        final boolean swallows() {
            deaf = deaf || isSilenced();
            return deaf;
        }

        final void awaitQuiet(Duration limit) {
            try {
                if (lock.tryLock(limit.toNanos(), TimeUnit.NANOSECONDS)) {
                    lock.unlock();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        final void carry(Socket from, @Nullable Socket to) {
            byte[] buffer = new byte[CHUNK];
            boolean broken = false;
            try {
                InputStream input = from.getInputStream();
                for (int length = input.read(buffer); length >= 0; length = input.read(buffer)) {
                    if (to != null) {
                        carry(Arrays.copyOf(buffer, length), to);
                    }
                }
            } catch (IOException e) {
                broken = true;
            }
            end(to, broken);
        }

        /**
         * Forwards the end of the stream. A client that has closed its output may still read replies; a server may not.
         */
        private void end(@Nullable Socket to, boolean broken) {
            lock.lock();
            try {
                if (swallows() || to == null) {
                    return;
                }
                if (broken || this == replies) {
                    cut();
                } else {
                    to.shutdownOutput();
                }
            } catch (IOException e) {
                cut();
            } finally {
                lock.unlock();
            }
        }
    }

    private final class Requests extends Direction {
        @Override
        boolean isSilenced() {
            return proxy.areRequestsSilent();
        }

        @Override
        void carry(byte[] chunk, Socket to) throws IOException {
            OneShot shot = deaf || isSilenced() ? null : proxy.claim(chunk, OneShot.ON_REQUEST);
            if (shot != null && shot.effect == OneShot.Effect.DELAY_REQUEST) {
                pause(shot.delay);
            }
            lock.lock();
            try {
                if (swallows()) {
                    return;
                }
                if (shot != null && shot.effect == OneShot.Effect.DROP_REQUEST) {
                    dropped(shot);
                    return;
                }
                if (shot != null && shot.effect != OneShot.Effect.DELAY_REQUEST) {
                    replies.claimed.set(shot);
                }
                proxy.requestCarried();
                write(chunk, to);
                if (shot != null && shot.effect == OneShot.Effect.DELAY_REQUEST) {
                    shot.strike();
                }
            } finally {
                lock.unlock();
            }
        }
    }

    private final class Replies extends Direction {
        final AtomicReference<@Nullable OneShot> claimed = new AtomicReference<>();

        @Override
        boolean isSilenced() {
            return proxy.areRepliesSilent();
        }

        @Override
        void carry(byte[] chunk, Socket to) throws IOException {
            pause(proxy.replyDelay());
            OneShot shot = claimed.getAndSet(null);
            if (shot == null) {
                shot = proxy.claim(chunk, OneShot.ON_PUSH);
            }
            if (shot != null) {
                pause(shot.delay);
            }
            lock.lock();
            try {
                if (shot != null && shot.effect == OneShot.Effect.DROP_REPLY) {
                    dropped(shot);
                    return;
                }
                if (swallows()) {
                    return;
                }
                if (shot == null || shot.effect != OneShot.Effect.DROP_PUSH) {
                    proxy.replyCarried();
                    write(chunk, to);
                }
                if (shot != null) {
                    shot.strike();
                }
            } finally {
                lock.unlock();
            }
        }
    }
}

package io.github.distlock.tests;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.RequestedRelease;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Simulates a network between the engine and the backend: it loses and delays their messages, and the fixture silences
 * the store. A planted bug has this network beneath its own code, so that the bug sees the faults.
 */
final class SimulatedNetwork extends FaultyBackend implements Network {
    private final Runnable silence;
    private final Runnable restore;
    private final AtomicReference<@Nullable Delay> nextRequest = new AtomicReference<>();
    private final AtomicReference<@Nullable Delay> nextReply = new AtomicReference<>();
    private final AtomicInteger connection = new AtomicInteger();
    /** Whether the next request finds that its connection has ended. */
    private final AtomicBoolean hasEnded = new AtomicBoolean();

    private LockBackend client = this;
    private boolean isSilent;

    SimulatedNetwork(LockBackend inner, Runnable silence, Runnable restore) {
        super(inner);
        this.silence = silence;
        this.restore = restore;
    }

    /** Finds the network beneath the code of this backend, or puts one before it. */
    static SimulatedNetwork of(BackendFixture store, LockBackend backend) {
        for (LockBackend beneath = backend; beneath instanceof WrappedBackend wrapped; beneath = wrapped.inner) {
            if (wrapped instanceof SimulatedNetwork network) {
                network.client = backend;
                return network;
            }
        }
        return new SimulatedNetwork(backend, () -> store.silence(backend), () -> store.restore(backend));
    }

    @Override
    public boolean isReal() {
        return false;
    }

    @Override
    public LockBackend client() {
        return client;
    }

    @Override
    public void silence(Silence what) {
        isSilent = true;
        switch (what) {
            case REQUESTS_AND_REPLIES -> silence.run();
            case REQUESTS -> dropRequests(Integer.MAX_VALUE);
            case REPLIES -> dropReplies(Integer.MAX_VALUE);
        }
        hearSignals(what == Silence.REQUESTS);
    }

    @Override
    public void refuse() {
        dropRequests(Integer.MAX_VALUE);
        cut();
    }

    /** Fails the requests under way. The store's signals arrive again when the client has asked for a lock. */
    @Override
    public void cut() {
        connection.incrementAndGet();
        hasEnded.set(true);
        hearSignals(false);
    }

    @Override
    public BooleanSupplier reset() {
        return dropNext(Message.REPLY);
    }

    @Override
    public void slice() {}

    @Override
    public BooleanSupplier dropNext(Message message) {
        int before = dropped();
        if (message == Message.REQUEST) {
            dropRequests(1);
        } else {
            dropReplies(1);
        }
        return () -> dropped() > before;
    }

    @Override
    public BooleanSupplier delayNext(Message message, Duration time) {
        Delay delay = new Delay(time);
        (message == Message.REQUEST ? nextRequest : nextReply).set(delay);
        return () -> delay.isOver;
    }

    @Override
    public int connections() {
        return 0;
    }

    /** Ends a connection that has lost messages in silence. */
    @Override
    public void heal() {
        if (isSilent) {
            cut();
        }
        isSilent = false;
        dropRequests(0);
        dropReplies(0);
        restore.run();
    }

    private static final class Delay {
        private final Duration time;
        private volatile boolean isOver;

        private Delay(Duration time) {
            this.time = time;
        }
    }

    private interface Exchange<T> {
        T run(Deadline deadline) throws InterruptedException;
    }

    private <T> T over(Deadline deadline, Exchange<T> exchange) throws InterruptedException {
        long sentAt = clock().nanoTime();
        int sentOver = connection.get();
        failIf(hasEnded.getAndSet(false));
        Delay ofRequest = nextRequest.getAndSet(null);
        if (ofRequest != null) {
            var unused = new Task<>("late-request", () -> runLate(exchange, ofRequest, sentAt));
            failIf(true);
        }
        T answer = exchange.run(deadline);
        Delay ofReply = nextReply.getAndSet(null);
        if (ofReply != null) {
            await(ofReply, sentAt);
            ofReply.isOver = true;
        }
        failIf(connection.get() != sentOver);
        return answer;
    }

    private <T> T runLate(Exchange<T> exchange, Delay delay, long sentAt) throws InterruptedException {
        await(delay, sentAt);
        try {
            return exchange.run(Deadline.after(Duration.ofSeconds(1), clock()));
        } finally {
            delay.isOver = true;
        }
    }

    private static void failIf(boolean broken) {
        if (broken) {
            throw new IllegalStateException("the contract broke the connection");
        }
    }

    /** Waits by the store's clock, which a test may move. */
    private void await(Delay delay, long sentAt) throws InterruptedException {
        long end = sentAt + delay.time.toNanos();
        try (LockClock.Parker parker = clock().parker()) {
            while (end - clock().nanoTime() > 0) {
                parker.parkUntil(end);
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
            }
        }
    }

    @Override
    protected Attempt attempt(WrappedContender contender, Deadline deadline) throws InterruptedException {
        Attempt answer = over(deadline, until -> super.attempt(contender, until));
        hearSignals(true);
        return answer;
    }

    @Override
    protected void withdraw(WrappedContender contender, Deadline deadline) throws InterruptedException {
        over(deadline, until -> {
            super.withdraw(contender, until);
            return contender;
        });
    }

    @Override
    protected Grant.Release release(WrappedGrant grant, Deadline deadline) throws InterruptedException {
        return over(deadline, until -> super.release(grant, until));
    }

    @Override
    protected Optional<Grant> downgrade(WrappedGrant grant, Deadline deadline) throws InterruptedException {
        return over(deadline, until -> super.downgrade(grant, until));
    }

    @Override
    protected Grant.Release keep(WrappedGrant grant, Duration time, Deadline deadline) throws InterruptedException {
        return over(deadline, until -> super.keep(grant, time, until));
    }

    @Override
    public Map<Grant, Grant.Release> releaseAll(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        return over(deadline, until -> super.releaseAll(grants, until));
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
        failIf(hasEnded.getAndSet(false));
        super.renewAll(due, deadline);
    }

    @Override
    public Map<Grant, RequestedRelease> requestedReleases(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        failIf(hasEnded.getAndSet(false));
        return super.requestedReleases(grants, deadline);
    }
}

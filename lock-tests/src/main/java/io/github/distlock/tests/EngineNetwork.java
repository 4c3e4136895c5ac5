package io.github.distlock.tests;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.servers.Waiting;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** What comes nearest to a network where there is none: between the engine and the backend, and by the fixture. */
final class EngineNetwork implements Network {
    private final BackendFixture store;
    private final LockBackend backend;
    private final FaultyBackend faults;

    EngineNetwork(BackendFixture store, LockBackend backend, FaultyBackend faults) {
        this.store = store;
        this.backend = backend;
        this.faults = faults;
    }

    @Override
    public void silence() {
        store.silence(backend);
    }

    @Override
    public void silenceRequests() {
        faults.dropRequests(Integer.MAX_VALUE);
    }

    @Override
    public void silenceReplies() {
        faults.dropReplies(Integer.MAX_VALUE);
    }

    @Override
    public void refuse() {
        silenceRequests();
    }

    @Override
    public void cut() {
        faults.dropRequests(1);
    }

    @Override
    public void reset() {
        faults.dropReplies(1);
    }

    @Override
    public void slice() {}

    @Override
    public BooleanSupplier dropNextRequest() {
        int before = faults.dropped();
        faults.dropRequests(1);
        return () -> faults.dropped() > before;
    }

    @Override
    public BooleanSupplier dropNextReply() {
        int before = faults.dropped();
        faults.dropReplies(1);
        return () -> faults.dropped() > before;
    }

    @Override
    public BooleanSupplier delayNextRequest(Duration delay) {
        return dropNextRequest();
    }

    @Override
    public LateReply delayNextReply(Duration delay) {
        FaultyBackend.LateReply reply = faults.delayNextGrant();
        return () -> {
            if (Waiting.until(store.patience(), reply::isUnderWay)) {
                store.letPass(delay);
            }
            reply.arrive();
        };
    }

    @Override
    public int connections() {
        return 0;
    }

    @Override
    public void heal() {
        faults.dropRequests(0);
        faults.dropReplies(0);
        store.restore(backend);
    }
}

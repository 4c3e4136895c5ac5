package io.github.distlock.zookeeper;

import io.github.distlock.spi.LockClock;
import java.util.concurrent.atomic.AtomicLong;

/** A monotonic clock that shows what a test has set. */
record TestClock(AtomicLong nanos) implements LockClock {
    @Override
    public long nanoTime() {
        return nanos.get();
    }

    @Override
    public long wallMillis() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Parker parker() {
        throw new UnsupportedOperationException();
    }
}

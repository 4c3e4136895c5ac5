package io.github.distlock.zookeeper;

import io.github.distlock.spi.LockClock;
import java.util.concurrent.atomic.AtomicLong;

/** A clock that shows what a test has set. */
record TestClock(AtomicLong nanos) implements LockClock {
    @Override
    public long nanoTime() {
        return nanos.get();
    }

    @Override
    public long wallMillis() {
        return nanos.get() / 1_000_000;
    }

    @Override
    public Parker parker() {
        throw new UnsupportedOperationException();
    }
}

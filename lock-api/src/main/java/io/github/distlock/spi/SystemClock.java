package io.github.distlock.spi;

import java.util.concurrent.locks.LockSupport;

/** The clock of this machine. */
final class SystemClock implements LockClock {
    static final LockClock INSTANCE = new SystemClock();

    private SystemClock() {}

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public long wallMillis() {
        return System.currentTimeMillis();
    }

    @Override
    public Parker parker() {
        return new ThreadParker(Thread.currentThread());
    }

    @Override
    public String toString() {
        return "the system's clock";
    }

    private record ThreadParker(Thread thread) implements Parker {
        @Override
        public void parkUntil(long nanoTime) {
            LockSupport.parkNanos(this, nanoTime - System.nanoTime());
        }

        @Override
        public void unpark() {
            LockSupport.unpark(thread);
        }

        @Override
        public void close() {}
    }
}

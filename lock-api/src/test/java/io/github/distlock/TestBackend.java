package io.github.distlock;

import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Signals;
import java.time.Duration;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** The backend in memory, counting attempts; tests override what they want to go wrong. */
class TestBackend implements LockBackend {
    final InMemoryBackend memory;
    final AtomicInteger attempts = new AtomicInteger();

    TestBackend(InMemoryBackend memory) {
        this.memory = memory;
    }

    /** What an attempt answers. */
    Attempt attempt(Contender contender, Deadline deadline) throws InterruptedException {
        return contender.attempt(deadline);
    }

    @Override
    public Set<Capability> capabilities() {
        return memory.capabilities();
    }

    @Override
    public Contender contend(LockRequest request, Signals signals) {
        Contender contender = memory.contend(request, signals);
        return new Contender() {
            @Override
            public Attempt attempt(Deadline deadline) throws InterruptedException {
                attempts.incrementAndGet();
                return TestBackend.this.attempt(contender, deadline);
            }

            @Override
            public void withdraw(Deadline deadline) throws InterruptedException {
                contender.withdraw(deadline);
            }
        };
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {
        memory.renewAll(due, deadline);
    }

    @Override
    public Duration expiry(LockRequest request) {
        return memory.expiry(request);
    }

    @Override
    public LockClock clock() {
        return memory.clock();
    }

    @Override
    public void close() {
        memory.close();
    }
}

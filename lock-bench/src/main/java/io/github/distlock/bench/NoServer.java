package io.github.distlock.bench;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One lock for one client, whatever its name. A field keeps it. An answer takes no time, so what remains is the cost of
 * the engine.
 */
final class NoServer implements LockBackend {
    private static final Duration RETRY = Duration.ofSeconds(1);

    private final AtomicReference<@Nullable Contender> holder = new AtomicReference<>();
    /** The contender whose last answer was busy. */
    private final AtomicReference<@Nullable Signals> waiter = new AtomicReference<>();

    private final AtomicLong lastBase = new AtomicLong();

    @Override
    public Set<Capability> capabilities() {
        return Set.of();
    }

    @Override
    public Contender contend(LockRequest request, Signals signals) {
        return new Only(request, signals);
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {
        due.forEach(each -> each.renewed(Validity.of(clock().now(), Duration.ofSeconds(30))));
    }

    @Override
    public Duration expiry(LockRequest request) {
        return request.lease();
    }

    @Override
    public void close() {}

    private void wakeWaiter() {
        Signals woken = waiter.getAndSet(null);
        if (woken != null) {
            woken.wakeUp();
        }
    }

    private final class Only implements Contender, Grant {
        private final LockRequest request;
        private final Signals signals;
        private volatile Validity validity;
        private volatile long base;

        private Only(LockRequest request, Signals signals) {
            this.request = request;
            this.signals = signals;
            this.validity = Validity.of(clock().now(), request.lease());
        }

        @Override
        public Attempt attempt(Deadline deadline) {
            if (!holder.compareAndSet(null, this)) {
                waiter.set(signals);
                if (holder.get() == null) {
                    wakeWaiter(); // The holder released it before it knew of this waiter.
                }
                return Attempt.busy(RETRY);
            }
            validity = Validity.of(clock().now(), request.lease());
            base = lastBase.incrementAndGet();
            return Attempt.granted(this);
        }

        @Override
        public void withdraw(Deadline deadline) {}

        @Override
        public Object server() {
            return "";
        }

        @Override
        public long fencingBase() {
            return base;
        }

        @Override
        public Validity validity() {
            return validity;
        }

        @Override
        public Release release(Deadline deadline) {
            holder.set(null);
            wakeWaiter();
            return Release.RELEASED;
        }

        @Override
        public Release keep(Duration time, Deadline deadline) {
            throw new UnsupportedOperationException("no lock here has a minimum hold");
        }
    }
}

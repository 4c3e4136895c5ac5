package io.github.distlock.memory;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** A contender, which the table knows by its identity. */
final class InMemoryContender implements Contender {
    private final InMemoryBackend backend;
    private final LockRequest request;
    private final Signals signals;

    /** When its client last sent a heartbeat. The table's. */
    volatile long heardAt;

    /** When it entered the queue, in milliseconds since 1970. The table's. */
    long waitsSince;

    /** The last request to release its hold. The table's. */
    volatile @Nullable RequestedRelease requested;

    InMemoryContender(InMemoryBackend backend, LockRequest request, Signals signals) {
        this.backend = backend;
        this.request = request;
        this.signals = signals;
    }

    boolean isOfSameClient(InMemoryContender other) {
        return backend == other.backend;
    }

    LockRequest request() {
        return request;
    }

    Signals signals() {
        return signals;
    }

    @Override
    public Attempt attempt(Deadline deadline) throws InterruptedException {
        Moment sentAt = backend.clock().now();
        backend.awaitAnswer(deadline);
        return backend.table().attempt(this, request, sentAt);
    }

    @Override
    public void withdraw(Deadline deadline) throws InterruptedException {
        backend.awaitAnswer(deadline);
        backend.table().withdraw(this, request.name());
    }

    Grant grant(long base, Validity validity, boolean hearsOthers) {
        return new InMemoryGrant(this, base, validity, hearsOthers);
    }

    /** A hold of this contender. */
    record InMemoryGrant(InMemoryContender contender, long fencingBase, Validity validity, boolean hearsOthers)
            implements Grant {
        @Override
        public Release release(Deadline deadline) throws InterruptedException {
            InMemoryBackend backend = contender.backend;
            backend.awaitAnswer(deadline);
            return backend.table().release(contender, contender.request.name());
        }

        @Override
        public Release keep(Duration time, Deadline deadline) throws InterruptedException {
            InMemoryBackend backend = contender.backend;
            backend.awaitAnswer(deadline);
            return backend.table().keep(contender, contender.request.name(), time);
        }

        @Override
        public OptionalLong nextBase(Deadline deadline) throws InterruptedException {
            InMemoryBackend backend = contender.backend;
            backend.awaitAnswer(deadline);
            return backend.table().nextBase(contender, contender.request.name());
        }

        @Override
        public Optional<Grant> downgrade(Deadline deadline) throws InterruptedException {
            InMemoryBackend backend = contender.backend;
            Moment sentAt = backend.clock().now();
            backend.awaitAnswer(deadline);
            return backend.table().downgrade(contender, contender.request, sentAt);
        }
    }
}

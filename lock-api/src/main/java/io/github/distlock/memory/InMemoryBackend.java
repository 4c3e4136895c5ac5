package io.github.distlock.memory;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockClock.Parker;
import io.github.distlock.spi.LockNames;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One client's connection to an {@link InMemoryStore}. A test can {@linkplain #pause() pause} it to see what its code
 * does while the store is silent.
 */
public final class InMemoryBackend implements LockBackend {
    private static final Set<Capability> CAPABILITIES = Set.copyOf(EnumSet.allOf(Capability.class));

    private final LockTable table;
    private final LockClock clock;
    private final Set<Parker> unanswered = ConcurrentHashMap.newKeySet();
    private volatile boolean paused;
    private volatile boolean closed;

    InMemoryBackend(LockTable table, LockClock clock) {
        this.table = table;
        this.clock = clock;
    }

    /** Leaves all requests of this client unanswered from now on. Each fails at its deadline. */
    public void pause() {
        paused = true;
    }

    /** Answers requests again, also those that still wait. */
    public void resume() {
        paused = false;
        unanswered.forEach(Parker::unpark);
    }

    @Override
    public Set<Capability> capabilities() {
        return CAPABILITIES;
    }

    @Override
    public Contender contend(LockRequest request, Signals signals) {
        return new InMemoryContender(this, request, signals);
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
        Moment sentAt = clock.now();
        awaitAnswer(deadline);
        for (Renewal renewal : due) {
            InMemoryContender.InMemoryGrant grant = (InMemoryContender.InMemoryGrant) renewal.grant();
            String name = grant.contender().request().name();
            if (table.renew(grant.contender(), name, renewal.lease())) {
                renewal.renewed(Validity.of(sentAt, renewal.lease()));
            } else {
                renewal.gone();
            }
        }
    }

    @Override
    public void heartbeat(Collection<? extends Contender> waiting, Deadline deadline) throws InterruptedException {
        if (!paused) {
            long now = clock.nanoTime();
            for (Contender contender : waiting) {
                ((InMemoryContender) contender).heardAt = now;
            }
        }
    }

    @Override
    public Duration heartbeatInterval() {
        return LockTable.HEARTBEAT_INTERVAL;
    }

    @Override
    public Duration expiry(LockRequest request) {
        Duration lease = request.lease().plus(request.lockDelay());
        return lease.compareTo(LockTable.PLACE_TIMEOUT) > 0 ? lease : LockTable.PLACE_TIMEOUT;
    }

    @Override
    public LockStatus inspect(String name, Deadline deadline) throws InterruptedException {
        awaitAnswer(deadline);
        return table.status(name);
    }

    @Override
    public LockNames list(String prefix, Optional<String> position, Deadline deadline) throws InterruptedException {
        awaitAnswer(deadline);
        return table.names(prefix, position.orElse(""));
    }

    @Override
    public List<LockStatus.Holder> forceRelease(String name, OptionalLong fencingBase, Deadline deadline)
            throws InterruptedException {
        awaitAnswer(deadline);
        return table.remove(name, fencingBase, true);
    }

    @Override
    public int requestRelease(String name, LockOwner requester, Deadline deadline) throws InterruptedException {
        awaitAnswer(deadline);
        return table.requestRelease(name, requester);
    }

    @Override
    public Map<Grant, RequestedRelease> requestedReleases(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        awaitAnswer(deadline);
        Map<Grant, RequestedRelease> found = new HashMap<>();
        for (Grant grant : grants) {
            RequestedRelease last = ((InMemoryContender.InMemoryGrant) grant).contender().requested;
            if (last != null) {
                found.put(grant, last);
            }
        }
        return found;
    }

    @Override
    public LockClock clock() {
        return clock;
    }

    @Override
    public void close() {
        closed = true;
        unanswered.forEach(Parker::unpark);
    }

    LockTable table() {
        return table;
    }

    void awaitAnswer(Deadline deadline) throws InterruptedException {
        if (paused) {
            awaitResume(deadline);
        }
        if (closed) {
            throw new IllegalStateException("the connection to the in-memory store is closed");
        }
    }

    private void awaitResume(Deadline deadline) throws InterruptedException {
        Parker parker = clock.parker();
        unanswered.add(parker);
        try {
            while (paused && !closed) {
                if (deadline.hasPassed()) {
                    throw new IllegalStateException("the in-memory store is paused and did not answer in time");
                }
                if (Thread.interrupted()) {
                    throw new InterruptedException("interrupted while the in-memory store is paused");
                }
                parker.parkUntil(deadline.nanoTime());
            }
        } finally {
            unanswered.remove(parker);
            parker.close();
        }
    }
}

package io.github.distlock.engine;

import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockBackend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Renews leases, and ends them on time.
 *
 * <p>The timer's thread looks at all leases, at least every second while there are any, so that it notices a jump of
 * either clock, and as soon as the first lease needs it. A look does no I/O. It ends expired leases, and passes due
 * renewals to other threads, one batch per server. A batch includes renewals that will soon be due.
 *
 * <p>Each answer to a renewal, and a missing answer, sets the time of the next renewal, in the lease itself. Nothing is
 * kept by name, nothing is periodic, and no exception ends the renewals. At most {@value #BATCHES_PER_SERVER} batches
 * and one heartbeat per server are under way. So a server that hangs occupies few threads, and delays no other server's
 * renewals and heartbeats.
 *
 * <p><b>No postponed renewal without a look.</b> If a server is busy with batches, a look sets {@link #postponed} and
 * then reads the number of batches again. The end of a batch changes the number and then reads {@code postponed}. So at
 * least one of the two threads sees the other's change. Without a postponed renewal, the end of a batch plans a look
 * only for its own leases. A look at very many leases takes time.
 *
 * <p>What marks a renewal, a batch or a heartbeat as under way is taken back if its thread cannot be given the task.
 *
 * <p><b>No lease without a look.</b> {@link #watch} adds the lease and then reads {@link #next}. A look clears
 * {@code next} first, then goes over the set, and plans the next look unless the set is empty. An entry in {@code next}
 * has yet to run, because it is stored there before it is scheduled. If an entry was replaced meanwhile and runs all
 * the same, there is one look more, which replaces the planned one.
 */
final class LeaseKeeper {
    private static final int BATCHES_PER_SERVER = 2;
    private static final long LONGEST_SLEEP = Duration.ofSeconds(1).toNanos();
    private static final long SHORTEST_SLEEP = Duration.ofMillis(1).toNanos();

    private final LockBackend backend;
    private final Settings settings;
    private final Work.Shared shared;
    private final Runnable leaks;
    private final Outages outages;
    private final Work threads;
    private final ReleaseRequests releaseRequests;
    private final Set<Lease> leases = ConcurrentHashMap.newKeySet();
    private final Set<Contender> waiting = ConcurrentHashMap.newKeySet();
    private final ConcurrentHashMap<Object, Integer> batches = new ConcurrentHashMap<>();
    private final AtomicReference<Timer.@Nullable Entry> next = new AtomicReference<>();
    /** The servers to which a heartbeat is under way. */
    private final Set<Object> heartbeats = ConcurrentHashMap.newKeySet();

    /** Whether renewals are due whose server is busy with earlier batches. */
    private volatile boolean postponed;

    /** When a connection to any server has last broken. */
    private volatile long connectionLostAt;

    private volatile long heartbeatInterval = LONGEST_SLEEP;
    private volatile long heartbeatAt;

    /**
     * Makes a keeper.
     *
     * @param leaks looks for dropped handles, quickly
     */
    LeaseKeeper(LockBackend backend, Settings settings, Work.Shared shared, Runnable leaks) {
        this.backend = backend;
        this.settings = settings;
        this.shared = shared;
        this.leaks = leaks;
        this.outages = new Outages(shared);
        this.threads = Work.unbounded("renewal", shared);
        this.releaseRequests = new ReleaseRequests(backend, settings, shared, threads);
        this.heartbeatAt = backend.clock().nanoTime();
        this.connectionLostAt = heartbeatAt;
    }

    ReleaseRequests releaseRequests() {
        return releaseRequests;
    }

    void watch(Lease lease) {
        leases.add(lease);
        lease.renewWhatIsProvedBefore(connectionLostAt);
        lookBy(earlier(lease.nextLook(), backend.clock().nanoTime() + LONGEST_SLEEP));
        if (lease.dormancy.isPossible()) {
            startHeartbeats(lease.won().contender());
        }
    }

    void forget(Lease lease) {
        leases.remove(lease);
        if (lease.dormancy.isPossible()) {
            stopHeartbeats(lease.won().contender());
        }
    }

    Collection<Lease> leases() {
        return List.copyOf(leases);
    }

    /** Returns whether no lease has a hold. */
    boolean holdsNothing() {
        return leases.stream().allMatch(lease -> lease.dormancy.isNow());
    }

    /**
     * Has all leases of a server renewed at once: a connection to it has broken. A grant that was sent before, and is
     * answered later, is renewed when it becomes a lease.
     */
    void connectionLost(Object server) {
        long now = backend.clock().nanoTime();
        connectionLostAt = now;
        for (Lease lease : leases) {
            if (lease.won().server().equals(server)) {
                lease.renewWhatIsProvedBefore(now);
            }
        }
    }

    /** Keeps the queue entry of a waiter alive, from a busy answer on. */
    void startHeartbeats(Contender contender) {
        long interval = backend.heartbeatInterval().toNanos();
        if (interval > 0 && waiting.add(contender)) {
            heartbeatEvery(interval, backend.clock().nanoTime());
        }
    }

    void stopHeartbeats(Contender contender) {
        waiting.remove(contender);
    }

    /**
     * Plans the next heartbeat. A backend may know the interval only after it has connected, and it may change. So
     * threads that wait for the store anyway ask for it, and the timer does not, because a backend may block.
     */
    private void heartbeatEvery(long interval, long from) {
        heartbeatInterval = interval;
        long next = from + interval;
        if (heartbeatAt - next > 0) {
            heartbeatAt = next;
        }
        lookBy(next);
    }

    /** Ensures that the next look comes by then. */
    void lookBy(long nanoTime) {
        while (true) {
            Timer.Entry planned = next.get();
            if (planned != null && planned.nanoTime() - nanoTime <= 0) {
                return;
            }
            Timer.Entry earlier = shared.timer().entry(nanoTime, this::look);
            if (next.compareAndSet(planned, earlier)) {
                shared.timer().schedule(earlier);
                if (planned != null) {
                    planned.cancel();
                }
                return;
            }
        }
    }

    private void look() {
        long now = backend.clock().nanoTime();
        long nextLook = now;
        Timer.Entry planned = next.getAndSet(null);
        if (planned != null) {
            planned.cancel();
        }
        try {
            leaks.run();
            nextLook = earlier(lookAtLeases(now), lookAtWaiting(now));
        } finally {
            if (!leases.isEmpty() || !waiting.isEmpty()) {
                lookBy(nextLook - now < SHORTEST_SLEEP ? now + SHORTEST_SLEEP : nextLook);
            }
        }
    }

    private long lookAtLeases(long now) {
        long nextLook = now + LONGEST_SLEEP;
        postponed = false;
        Map<Object, List<LeaseRenewal>> due = new HashMap<>();
        for (Lease lease : leases) {
            nextLook = earlier(nextLook, lease.dormancy.endIfOver(now));
            if (!lease.hasExpired()) {
                // Where its server is busy with earlier batches, the end of one of them brings the next look.
                boolean waits = lease.isDue(now) && !addTo(due, lease);
                nextLook = earlier(nextLook, waits ? lease.endsAt() : lease.nextLook());
            }
        }
        due.forEach(this::send);
        return nextLook;
    }

    private long lookAtWaiting(long now) {
        if (waiting.isEmpty()) {
            return now + LONGEST_SLEEP;
        }
        if (heartbeatAt - now <= 0) {
            heartbeatAt = now + heartbeatInterval;
        } else {
            return heartbeatAt;
        }
        waiting.stream().collect(Collectors.groupingBy(Contender::server)).forEach(this::sendHeartbeat);
        return heartbeatAt;
    }

    private void sendHeartbeat(Object server, List<Contender> contenders) {
        if (heartbeats.add(server)) {
            try {
                threads.execute(() -> heartbeat(server, contenders));
            } catch (Throwable e) {
                heartbeats.remove(server);
                throw e;
            }
        }
    }

    private void heartbeat(Object server, List<Contender> contenders) {
        long begun = backend.clock().nanoTime();
        try {
            backend.heartbeat(contenders, deadline(settings.requestTimeout()));
            long interval = backend.heartbeatInterval().toNanos();
            if (interval > 0) {
                heartbeatEvery(interval, begun);
            }
        } catch (InterruptedException | RuntimeException e) {
            shared.log()
                    .write(() -> ClientLog.LOG.debug(
                            "{}: a heartbeat of waiting contenders failed; the next makes up for it",
                            settings.client(),
                            e));
        } finally {
            heartbeats.remove(server);
        }
    }

    private static long earlier(long a, long b) {
        return a - b <= 0 ? a : b;
    }

    private boolean addTo(Map<Object, List<LeaseRenewal>> due, Lease lease) {
        Object server = lease.won().server();
        if (isBusy(server)) {
            postponed = true;
            if (isBusy(server)) {
                return false;
            }
        }
        LeaseRenewal renewal = lease.renewal(outages);
        if (renewal != null) {
            due.computeIfAbsent(server, any -> new ArrayList<>()).add(renewal);
        }
        return true;
    }

    private boolean isBusy(Object server) {
        return batches.getOrDefault(server, 0) >= BATCHES_PER_SERVER;
    }

    private void send(Object server, List<LeaseRenewal> batch) {
        batches.merge(server, 1, Integer::sum);
        try {
            threads.execute(() -> {
                try {
                    renew(batch);
                } finally {
                    ended(server, batch);
                }
            });
        } catch (Throwable e) {
            batch.forEach(renewal -> renewal.unknown(e));
            ended(server, batch);
            throw e;
        }
    }

    private void ended(Object server, List<LeaseRenewal> batch) {
        batches.computeIfPresent(server, (any, count) -> count == 1 ? null : count - 1);
        long now = backend.clock().nanoTime();
        long nextLook = now + LONGEST_SLEEP;
        for (LeaseRenewal renewal : batch) {
            nextLook = earlier(nextLook, renewal.nextLook());
        }
        lookBy(postponed ? now : nextLook);
    }

    private void renew(List<LeaseRenewal> batch) {
        Throwable cause = null;
        try {
            long timeout = settings.requestTimeout();
            for (LeaseRenewal renewal : batch) {
                timeout = Math.min(timeout, renewal.timeout());
            }
            backend.renewAll(batch, deadline(timeout));
        } catch (InterruptedException | RuntimeException | Error e) {
            cause = e;
        }
        if (cause == null) {
            cause = new IllegalStateException("the renewal was not answered");
        }
        for (LeaseRenewal renewal : batch) {
            renewal.unknown(cause);
        }
    }

    private Deadline deadline(long nanos) {
        return Deadline.after(Duration.ofNanos(nanos), backend.clock());
    }

    void close() {
        threads.closeAfter(0);
    }
}

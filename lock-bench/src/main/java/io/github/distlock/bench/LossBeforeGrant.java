package io.github.distlock.bench;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import io.github.distlock.zookeeper.ZooKeeperBackendBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryOneTime;

/**
 * Measures by how much a client reports the loss of a hold before ZooKeeper grants the lock to another client, under
 * faults of links and servers. The holder is connected to one follower, and the next client to the other servers. A
 * plain Curator client has the holder's connection, and reports {@code LOST} beside it.
 *
 * <p>Each line shows the least and the median time between the loss and the grant. A negative time, and an overlap that
 * {@code isHeld()} shows, break promise S6. Arguments: runs per fault (3); ticks in milliseconds, separated by commas
 * (500,2000); {@code set}, {@code learned} or {@code both}; faults, separated by commas (all).
 */
public final class LossBeforeGrant {
    private static final int SYNC_LIMIT = 6;
    private static final int TICKS_PER_SESSION = 15;
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final LinkedEnsemble ensemble;
    private final Duration tick;
    private final Duration timeout;
    private final boolean setsTick;
    private final Fault fault;

    private enum Fault {
        /** The holder's connection delivers nothing in either direction. */
        HALF_OPEN_LINK,
        /** The holder's server stands still. */
        STOPPED_FOLLOWER,
        /** The holder's server and the leader do not hear each other. */
        CUT_FOLLOWER,
        /** The holder's server hears the leader, which does not hear it. */
        UNHEARD_FOLLOWER,
        /**
         * The leader stands still for less than the synchronization limit. The holder acquires after idleness, just
         * before the leader continues. The leader hears nothing from the holder's server after this request.
         */
        FROZEN_LEADER
    }

    private LossBeforeGrant(LinkedEnsemble ensemble, Duration tick, boolean setsTick, Fault fault) {
        this.ensemble = ensemble;
        this.tick = tick;
        this.timeout = tick.multipliedBy(TICKS_PER_SESSION);
        this.setsTick = setsTick;
        this.fault = fault;
    }

    /** When the next client acquired the lock, and whether the holder still held it. */
    private record Grant(long at, boolean overlaps) {}

    /** What one run has measured, in nanoseconds. */
    private record Measured(long spare, long curatorsSpare, long survived, boolean overlapped) {}

    /**
     * Runs the experiment and prints its figures.
     *
     * @param args see the class comment
     * @throws Exception if the experiment fails
     */
    public static void main(String[] args) throws Exception {
        int runs = args.length > 0 ? Integer.parseInt(args[0]) : 3;
        String[] ticks = (args.length > 1 ? args[1] : "500,2000").split(",", -1);
        String mode = args.length > 2 ? args[2] : "both";
        String faults = args.length > 3 ? args[3] : "";
        System.out.printf(
                "%-18s %8s %-8s %10s %10s %10s %12s %9s%n",
                "fault", "tick, s", "", "min, s", "median, s", "held, s", "Curator, s", "overlaps");
        for (String ticked : ticks) {
            Duration tick = Duration.ofMillis(Long.parseLong(ticked));
            for (Fault fault : Fault.values()) {
                for (boolean sets : new boolean[] {true, false}) {
                    boolean isWanted =
                            (faults.isEmpty() || List.of(faults.split(",", -1)).contains(fault.name()))
                                    && (mode.equals("both") || mode.equals(sets ? "set" : "learned"));
                    if (isWanted) {
                        run(tick, fault, sets, runs);
                    }
                }
            }
        }
    }

    private static void run(Duration tick, Fault fault, boolean sets, int runs) throws Exception {
        List<Measured> measured = new ArrayList<>();
        int aborted = 0;
        while (measured.size() < runs) {
            try (LinkedEnsemble ensemble = new LinkedEnsemble(tick, SYNC_LIMIT)) {
                measured.add(new LossBeforeGrant(ensemble, tick, sets, fault).run());
            } catch (ExecutionException e) {
                // On a busy machine, the servers may part before the holder has acquired the lock.
                aborted++;
                System.err.println("aborted: " + e.getCause());
                if (aborted > runs) {
                    throw e;
                }
            }
        }
        List<Long> spares = measured.stream().map(Measured::spare).sorted().toList();
        List<Long> survived = measured.stream().map(Measured::survived).sorted().toList();
        long curators =
                Collections.min(measured.stream().map(Measured::curatorsSpare).toList());
        System.out.printf(
                "%-18s %8.1f %-8s %10.3f %10.3f %10.1f %12s %6d/%d%n",
                fault,
                tick.toMillis() / 1e3,
                sets ? "set" : "learned",
                spares.get(0) / 1e9,
                spares.get(spares.size() / 2) / 1e9,
                survived.get(0) / 1e9,
                curators == Long.MIN_VALUE ? "none" : String.format("%.3f", curators / 1e9),
                measured.stream().filter(Measured::overlapped).count(),
                runs);
    }

    private Measured run() throws Exception {
        int leader = ensemble.awaitLeader();
        int follower = (leader + 1) % 3;
        int other = (leader + 2) % 3;
        AtomicLong curatorsLoss = new AtomicLong();
        AtomicLong loss = new AtomicLong();
        try (FaultProxy connection = FaultProxy.to("127.0.0.1", ensemble.port(follower));
                CuratorFramework curator = CuratorFrameworkFactory.builder()
                        .connectString(connection.address())
                        .sessionTimeoutMs((int) timeout.toMillis())
                        .ensembleTracker(false)
                        .retryPolicy(new RetryOneTime(100))
                        .build();
                LockClient holder = client(connection.address());
                LockClient next = client(ensemble.address(leader) + "," + ensemble.address(other))) {
            curator.getConnectionStateListenable().addListener((client, state) -> {
                if (state == ConnectionState.LOST) {
                    curatorsLoss.compareAndSet(0, System.nanoTime());
                }
            });
            curator.start();
            curator.blockUntilConnected();
            next.lock("lock").acquire().close();
            holder.lock("lock").acquire().close();
            Duration idle = timeout.plusMillis(ThreadLocalRandom.current().nextLong(timeout.toMillis() / 3));
            LockSupport.parkNanos(idle.toNanos());

            FaultProxy link = ensemble.link(follower, leader);
            LockHandle held = fault == Fault.FROZEN_LEADER ? acquireWhileFrozen(holder, leader, link) : acquire(holder);
            held.onLost(lost -> loss.compareAndSet(0, System.nanoTime()));
            CompletableFuture<Grant> grant =
                    next.lock("lock").acquireAsync().thenApply(handle -> new Grant(System.nanoTime(), held.isHeld()));
            LockSupport.parkNanos(tick.multipliedBy(2).toNanos());
            long struck = System.nanoTime();
            switch (fault) {
                case HALF_OPEN_LINK -> connection.silence();
                case STOPPED_FOLLOWER -> ensemble.suspend(follower);
                case CUT_FOLLOWER -> link.silence();
                case UNHEARD_FOLLOWER -> link.silenceRequests();
                case FROZEN_LEADER -> {}
            }
            Grant granted = grant.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            long lost = await(loss);
            long curators = fault == Fault.FROZEN_LEADER ? await(curatorsLoss) : curatorsLoss.get();
            if (fault == Fault.STOPPED_FOLLOWER) {
                ensemble.resume(follower);
            }
            return new Measured(
                    granted.at - lost,
                    curators == 0 ? Long.MIN_VALUE : granted.at - curators,
                    lost - struck,
                    granted.overlaps);
        }
    }

    /** Waits for a report for at most a few seconds. */
    private static long await(AtomicLong report) {
        long until = System.nanoTime() + Duration.ofSeconds(5).toNanos();
        while (report.get() == 0 && System.nanoTime() - until < 0) {
            LockSupport.parkNanos(1_000_000);
        }
        return report.get() == 0 ? System.nanoTime() : report.get();
    }

    private LockHandle acquire(LockClient holder) throws InterruptedException {
        return holder.lock("lock").acquire();
    }

    private LockHandle acquireWhileFrozen(LockClient holder, int leader, FaultProxy link) throws Exception {
        long freeze = tick.multipliedBy(17).dividedBy(4).toNanos();
        ensemble.suspend(leader);
        LockSupport.parkNanos(freeze);
        CompletableFuture<LockHandle> acquiring = holder.lock("lock").acquireAsync();
        LockSupport.parkNanos(Duration.ofMillis(400).toNanos());
        link.silenceRequests();
        ensemble.resume(leader);
        return acquiring.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private LockClient client(String servers) {
        ZooKeeperBackendBuilder backend = ZooKeeperBackend.builder(servers).sessionTimeout(timeout);
        if (setsTick) {
            backend.tick(tick);
        }
        return LockClient.builder(backend.build())
                .shutdownTimeout(Duration.ZERO)
                .build();
    }
}

package io.github.distlock.tests.history;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.FaultProxy.Then;
import io.github.distlock.tests.servers.Server;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Injects faults into processes, connections and server, and records them. It inspects a lock to find its holder and
 * its first waiter, and strikes one of these processes. The history shows whether that process still was holder or
 * waiter.
 *
 * <p>Several threads inject faults at a time, each into another process. One of them at a time injects a fault into the
 * server.
 */
final class Nemesis {
    private static final int DROPPERS = 3;
    private static final Duration STRIKE = Duration.ofMillis(700);

    private final Supplier<? extends Server> servers;
    private final boolean losesData;
    private final Team team;
    private final LockClient observer;
    private final Duration lease;
    private final Duration lostReplies;
    private final HistoryWriter history;
    private final Set<Long> struck = ConcurrentHashMap.newKeySet();
    private final ReentrantReadWriteLock serverFault = new ReentrantReadWriteLock();
    private final AtomicInteger faults = new AtomicInteger();
    private final AtomicInteger repliesDropped = new AtomicInteger();
    private volatile boolean ended;

    Nemesis(
            Supplier<? extends Server> servers,
            boolean losesData,
            Team team,
            LockClient observer,
            Duration lease,
            Duration lostReplies,
            HistoryWriter history) {
        this.servers = servers;
        this.losesData = losesData;
        this.team = team;
        this.observer = observer;
        this.lease = lease;
        this.lostReplies = lostReplies;
        this.history = history;
    }

    /**
     * Starts and returns threads that inject faults until {@link #end()}.
     *
     * @param kills the average time between a restart of the server and its next kill by a separate thread, or null for
     *     no such thread
     */
    List<Thread> start(int strikers, @Nullable Duration kills, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < strikers; i++) {
            SplittableRandom split = random.split();
            threads.add(new Thread(() -> strike(split), "nemesis-" + i));
        }
        for (int i = 0; i < DROPPERS; i++) {
            SplittableRandom split = random.split();
            threads.add(new Thread(() -> dropReplies(split), "nemesis-replies-" + i));
        }
        if (kills != null) {
            SplittableRandom split = random.split();
            threads.add(new Thread(() -> killServers(kills, split), "nemesis-kills"));
        }
        threads.forEach(thread -> {
            thread.setDaemon(true);
            thread.start();
        });
        return threads;
    }

    void end() {
        ended = true;
    }

    private void strike(SplittableRandom random) {
        while (!ended) {
            if (random.nextInt(8) == 0) {
                strikeServer(random);
            } else {
                strikeProcess(random);
            }
            Waiting.letPass(Duration.ofMillis(random.nextLong(300, 2_000)));
        }
    }

    private void strikeServer(SplittableRandom random) {
        if (!serverFault.writeLock().tryLock()) {
            return;
        }
        try {
            if (random.nextInt(3) > 0) {
                pauseServer(Workload.part(lease, random.nextDouble(0.2, 1.8)));
            } else {
                killServer(random);
            }
        } finally {
            serverFault.writeLock().unlock();
        }
    }

    private void pauseServer(Duration time) {
        Server server = servers.get();
        long from = System.nanoTime();
        server.pause();
        Waiting.letPass(time);
        server.resume();
        recordServer(InjectedFault.Kind.SERVER_PAUSED, from);
    }

    private void killServer(SplittableRandom random) {
        Server server = servers.get();
        long from = System.nanoTime();
        server.kill();
        server.restart(!losesData || random.nextBoolean());
        recordServer(InjectedFault.Kind.SERVER_KILLED, from);
    }

    private void recordServer(InjectedFault.Kind kind, long from) {
        record(new InjectedFault(kind, InjectedFault.Aim.SERVER, 0, "", from, System.nanoTime()));
    }

    private void killServers(Duration interval, SplittableRandom random) {
        while (!Waiting.until(Workload.part(interval, random.nextDouble(0.5, 1.5)), () -> ended)) {
            serverFault.writeLock().lock();
            try {
                killServer(random);
            } finally {
                serverFault.writeLock().unlock();
            }
        }
    }

    private void strikeProcess(SplittableRandom random) {
        InjectedFault.Aim aim = random.nextInt(4) == 0 ? InjectedFault.Aim.FIRST_WAITER : InjectedFault.Aim.HOLDER;
        List<String> locks = Workload.locks(Workload.STRUCK.get(random.nextInt(Workload.STRUCK.size())));
        String lock = locks.get(random.nextInt(locks.size()));
        for (Team.Member member : team.members()) {
            if (member.number() == target(lock, aim) && struck.add(member.number())) {
                try {
                    strike(member, aim, lock, random);
                } finally {
                    struck.remove(member.number());
                }
                return;
            }
        }
    }

    /** Returns the process that holds the lock or is its first waiter, or 0 if there is none. */
    private long target(String lock, InjectedFault.Aim aim) {
        if (!serverFault.readLock().tryLock()) {
            return 0;
        }
        try {
            LockStatus status = observer.inspector().inspect(lock);
            return (aim == InjectedFault.Aim.HOLDER
                            ? status.holders().stream().findFirst().map(LockStatus.Holder::owner)
                            : status.waiters().stream().findFirst().map(LockStatus.Waiter::owner))
                    .map(LockOwner::client)
                    .map(Worker::processOf)
                    .orElse(0L);
        } catch (LockException e) {
            return 0;
        } finally {
            serverFault.readLock().unlock();
        }
    }

    private void strike(Team.Member member, InjectedFault.Aim aim, String lock, SplittableRandom random) {
        Duration time = Workload.part(lease, random.nextDouble(0.2, 2));
        FaultProxy link = member.link();
        long from = System.nanoTime();
        InjectedFault.Kind kind;
        switch (random.nextInt(9)) {
            case 0, 1 -> {
                kind = InjectedFault.Kind.PROCESS_STOPPED;
                member.process().suspend();
                Waiting.letPass(time);
                member.process().resume();
            }
            case 2 -> {
                kind = InjectedFault.Kind.PROCESS_KILLED;
                team.replace(member);
            }
            case 3 -> {
                kind = InjectedFault.Kind.LINK_SILENT;
                link.silence();
                Waiting.letPass(time);
                link.heal();
            }
            case 4 -> {
                kind = InjectedFault.Kind.REQUESTS_SILENT;
                link.silenceRequests();
                Waiting.letPass(time);
                link.heal();
            }
            case 5 -> {
                kind = InjectedFault.Kind.REPLIES_SILENT;
                link.silenceReplies();
                Waiting.letPass(time);
                link.heal();
            }
            case 6 -> {
                kind = InjectedFault.Kind.REPLIES_LATE;
                link.delayReplies(Workload.part(time, 0.6));
                Waiting.letPass(time);
                link.heal();
            }
            case 7 -> {
                kind = InjectedFault.Kind.CONNECTIONS_CUT;
                link.cut();
            }
            default -> {
                kind = InjectedFault.Kind.CONNECTIONS_RESET;
                link.reset();
            }
        }
        record(new InjectedFault(kind, aim, member.number(), lock, from, System.nanoTime()));
    }

    /**
     * Drops replies to requests for {@code AMBIGUOUS} locks of all kinds, each on the connection of a random process.
     */
    private void dropReplies(SplittableRandom random) {
        while (!ended) {
            List<Team.Member> members = team.members();
            Team.Member member = members.get(random.nextInt(members.size()));
            long from = System.nanoTime();
            Fault lost = member.link().dropNextReply(FaultProxy.containing(Workload.AMBIGUOUS), Then.CUT);
            if (Waiting.until(STRIKE, lost::hasStruck)) {
                record(new InjectedFault(
                        InjectedFault.Kind.REPLY_DROPPED,
                        InjectedFault.Aim.ACQUIRER,
                        member.number(),
                        Workload.AMBIGUOUS,
                        from,
                        System.nanoTime()));
            }
            Waiting.letPass(Workload.part(lostReplies, random.nextDouble(0, 2 * DROPPERS)));
        }
    }

    private void record(InjectedFault fault) {
        fault.writeTo(history);
        (fault.kind() == InjectedFault.Kind.REPLY_DROPPED ? repliesDropped : faults).incrementAndGet();
    }

    boolean hasInjected(int aimedFaults, int droppedReplies) {
        return faults.get() >= aimedFaults && repliesDropped.get() >= droppedReplies;
    }
}

package io.github.distlock.tests.history;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.FaultProxy.Then;
import io.github.distlock.tests.servers.Server;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Hurts processes, links and server, and writes down how. It aims: the store is asked who holds a lock and who waits first for
 * it, and that process is hit; whether it still was holder or waiter at that moment the history tells afterwards.
 *
 * <p>Several threads strike at once, each at another process. The server is hurt by one of them at a time.
 */
final class Nemesis {
    private static final int DROPPERS = 3;
    private static final Duration STRIKE = Duration.ofMillis(700);

    private final Server server;
    private final Team team;
    private final LockClient eye;
    private final Duration lease;
    private final Duration lostReplies;
    private final HistoryWriter injuries;
    private final Set<Long> hurt = ConcurrentHashMap.newKeySet();
    private final ReentrantReadWriteLock serverIsHurt = new ReentrantReadWriteLock();
    private final AtomicInteger faults = new AtomicInteger();
    private final AtomicInteger repliesDropped = new AtomicInteger();
    private volatile boolean ended;

    Nemesis(Server server, Team team, LockClient eye, Duration lease, Duration lostReplies, HistoryWriter injuries) {
        this.server = server;
        this.team = team;
        this.eye = eye;
        this.lease = lease;
        this.lostReplies = lostReplies;
        this.injuries = injuries;
    }

    /** Begins. The threads end when told by {@link #end}. */
    List<Thread> start(int strikers, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < strikers; i++) {
            SplittableRandom own = random.split();
            threads.add(new Thread(() -> strike(own), "nemesis-" + i));
        }
        for (int i = 0; i < DROPPERS; i++) {
            SplittableRandom own = random.split();
            threads.add(new Thread(() -> dropReplies(own), "nemesis-replies-" + i));
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
                hurtServer(random);
            } else {
                hurtProcess(random);
            }
            pause(Duration.ofMillis(random.nextLong(300, 2_000)));
        }
    }

    private void hurtServer(SplittableRandom random) {
        if (!serverIsHurt.writeLock().tryLock()) {
            return;
        }
        try {
            long from = System.nanoTime();
            Injury.Kind kind;
            if (random.nextInt(3) > 0) {
                kind = Injury.Kind.SERVER_PAUSED;
                server.pause();
                pause(Workload.part(lease, random.nextDouble(0.2, 1.8)));
                server.resume();
            } else {
                kind = Injury.Kind.SERVER_KILLED;
                server.kill();
                server.restart(true);
            }
            record(new Injury(kind, Injury.Aim.SERVER, 0, "", from, System.nanoTime()));
        } finally {
            serverIsHurt.writeLock().unlock();
        }
    }

    private void hurtProcess(SplittableRandom random) {
        Injury.Aim aim = random.nextInt(4) == 0 ? Injury.Aim.FIRST_WAITER : Injury.Aim.HOLDER;
        String group = random.nextInt(5) == 0 ? Workload.FAIR : Workload.LONG;
        List<String> locks = Workload.locks(group);
        String lock = locks.get(random.nextInt(locks.size()));
        for (Team.Member member : team.members()) {
            if (member.number() == target(lock, aim) && hurt.add(member.number())) {
                try {
                    hurt(member, aim, lock, random);
                } finally {
                    hurt.remove(member.number());
                }
                return;
            }
        }
    }

    /** Which process holds the lock, or is the first that waits; zero when there is none. */
    private long target(String lock, Injury.Aim aim) {
        if (!serverIsHurt.readLock().tryLock()) {
            return 0;
        }
        try {
            LockStatus status = eye.inspector().inspect(lock);
            return (aim == Injury.Aim.HOLDER
                            ? status.holder().map(LockStatus.Holder::owner)
                            : status.waiters().stream().findFirst())
                    .map(LockOwner::client)
                    .map(Worker::processOf)
                    .orElse(0L);
        } catch (LockException e) {
            return 0;
        } finally {
            serverIsHurt.readLock().unlock();
        }
    }

    private void hurt(Team.Member member, Injury.Aim aim, String lock, SplittableRandom random) {
        Duration time = Workload.part(lease, random.nextDouble(0.2, 2));
        FaultProxy link = member.link();
        long from = System.nanoTime();
        Injury.Kind kind;
        switch (random.nextInt(9)) {
            case 0, 1 -> {
                kind = Injury.Kind.PROCESS_STOPPED;
                member.process().suspend();
                pause(time);
                member.process().resume();
            }
            case 2 -> {
                kind = Injury.Kind.PROCESS_KILLED;
                team.replace(member);
            }
            case 3 -> {
                kind = Injury.Kind.LINK_SILENT;
                link.silence();
                pause(time);
                link.heal();
            }
            case 4 -> {
                kind = Injury.Kind.REQUESTS_SILENT;
                link.silenceRequests();
                pause(time);
                link.heal();
            }
            case 5 -> {
                kind = Injury.Kind.REPLIES_SILENT;
                link.silenceReplies();
                pause(time);
                link.heal();
            }
            case 6 -> {
                kind = Injury.Kind.REPLIES_LATE;
                link.delayReplies(Workload.part(time, 0.6));
                pause(time);
                link.heal();
            }
            case 7 -> {
                kind = Injury.Kind.CONNECTIONS_CUT;
                link.cut();
            }
            default -> {
                kind = Injury.Kind.CONNECTIONS_RESET;
                link.reset();
            }
        }
        record(new Injury(kind, aim, member.number(), lock, from, System.nanoTime()));
    }

    /** Again and again the reply to a request for a lock gets lost on somebody's link. */
    private void dropReplies(SplittableRandom random) {
        while (!ended) {
            List<Team.Member> members = team.members();
            Team.Member member = members.get(random.nextInt(members.size()));
            long from = System.nanoTime();
            Fault lost = member.link().dropNextReply(FaultProxy.containing(Workload.AMBIGUOUS), Then.CUT);
            long end = from + STRIKE.toNanos();
            while (!lost.hasStruck() && end - System.nanoTime() > 0) {
                pause(Duration.ofMillis(1));
            }
            if (lost.hasStruck()) {
                record(new Injury(
                        Injury.Kind.REPLY_DROPPED,
                        Injury.Aim.ACQUIRER,
                        member.number(),
                        Workload.AMBIGUOUS,
                        from,
                        System.nanoTime()));
            }
            pause(Workload.part(lostReplies, random.nextDouble(0, 2 * DROPPERS)));
        }
    }

    private void record(Injury injury) {
        injury.writeTo(injuries);
        (injury.kind() == Injury.Kind.REPLY_DROPPED ? repliesDropped : faults).incrementAndGet();
    }

    boolean hasCaused(int aimedFaults, int droppedReplies) {
        return faults.get() >= aimedFaults && repliesDropped.get() >= droppedReplies;
    }

    private static void pause(Duration time) {
        try {
            TimeUnit.NANOSECONDS.sleep(time.toNanos());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

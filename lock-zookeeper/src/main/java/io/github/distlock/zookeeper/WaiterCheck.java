package io.github.distlock.zookeeper;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Validity;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.data.Stat;

/**
 * Checks that the nodes of waiters and their predecessors exist, in case a watch was lost. It only reads. It lists the
 * directory of many waiters once, and reads the nodes of few waiters one by one, whichever the server answers with less
 * work. It sends all requests back to back. Waiters for permits need the list, and so do waiters that look for a
 * {@link KeptLock}. If the list may be too long for one reply, each of them looks for itself.
 */
final class WaiterCheck {
    /** How many entries of a listing cost as much as one read. */
    private static final int ENTRIES_PER_READ = 4;

    private final Session session;
    private final Map<String, Answer<List<String>>> listings = new HashMap<>();
    private final Map<String, LockQueue> queues = new HashMap<>();
    private final Map<String, Answer<Stat>> reads = new HashMap<>();

    private WaiterCheck(Session session) {
        this.session = session;
    }

    /** Returns the longest time in nanoseconds for which a waiter may rely on one check. */
    static long longest(Session session) {
        return session.timeout().toNanos() / 2;
    }

    /**
     * Sends a heartbeat of waiters, and waits for the answers. It checks those that were not checked for a third of the
     * session timeout. If the last write of the session is long past, it proves the session. So the session's validity
     * is hardly ever stale when a waiter is granted the lock.
     */
    static void heartbeat(
            Session session, Collection<ZooKeeperContender> contenders, LockClock clock, Deadline deadline)
            throws KeeperException, InterruptedException {
        long now = clock.nanoTime();
        Map<String, PredecessorWatch> waiters = new HashMap<>();
        for (ZooKeeperContender contender : contenders) {
            PredecessorWatch watch = contender.watch();
            if (watch != null && watch.isSet(session)) {
                waiters.put(watch.own(), watch);
            }
        }
        Validity validity = session.validity();
        if (now - validity.from().nanoTime() > validity.length().toNanos() / 3) {
            Heartbeat.send(session, waiters.keySet(), deadline, unchecked -> {
                PredecessorWatch missing = waiters.remove(unchecked.path());
                if (missing != null && unchecked.isMissing()) {
                    missing.end();
                }
            });
        }
        long period = session.timeout().toNanos() / 3;
        if (waiters.values().stream().anyMatch(waiter -> waiter.age(now) >= period)) {
            // Waiters that will soon be due come along, so that later heartbeats check all of them together.
            run(
                    session,
                    waiters.values().stream()
                            .filter(waiter -> waiter.age(now) >= period / 2)
                            .toList(),
                    now,
                    deadline);
        }
    }

    /**
     * Checks waiters of a session, and waits for the answers. Confirms each waiter whose nodes exist, and has each
     * other one look at its queue.
     *
     * @param now a time before this call
     */
    static void run(Session session, Collection<PredecessorWatch> waiters, long now, Deadline deadline)
            throws KeeperException, InterruptedException {
        WaiterCheck check = new WaiterCheck(session);
        waiters.stream()
                .collect(Collectors.groupingBy(waiter -> LockPaths.parent(waiter.own())))
                .forEach(check::send);
        Set<String> existing = check.await(deadline);
        for (PredecessorWatch waiter : waiters) {
            if (check.confirms(waiter, existing)) {
                waiter.confirm(now);
            } else {
                waiter.end();
            }
        }
    }

    private boolean confirms(PredecessorWatch waiter, Set<String> existing) {
        if (waiter.needsNames()) {
            LockQueue queue = queues.get(LockPaths.parent(waiter.own()));
            return queue != null && waiter.isBehindIn(queue);
        }
        return existing.contains(waiter.own()) && existing.contains(waiter.predecessor());
    }

    private void send(String directory, List<PredecessorWatch> waiters) {
        boolean needsNames = waiters.stream().anyMatch(PredecessorWatch::needsNames);
        if (QueueLook.maySkipStat(session, directory)
                && (needsNames
                        || session.seenQueues().count(directory).orElse(0) <= ENTRIES_PER_READ * waiters.size())) {
            listings.put(directory, session.children(directory));
            return;
        }
        waiters.stream().filter(waiter -> !waiter.needsNames()).forEach(waiter -> {
            reads.computeIfAbsent(waiter.own(), session::exists);
            reads.computeIfAbsent(waiter.predecessor(), session::exists);
        });
    }

    private Set<String> await(Deadline deadline) throws KeeperException, InterruptedException {
        Set<String> existing = new HashSet<>();
        for (Map.Entry<String, Answer<List<String>>> listing : listings.entrySet()) {
            try {
                List<String> children = listing.getValue().await(deadline);
                session.seenQueues().note(listing.getKey(), children.size());
                queues.put(listing.getKey(), LockQueue.of(children));
                children.forEach(child -> existing.add(listing.getKey() + "/" + child));
            } catch (NoNodeException e) {
                // None of its nodes exists.
            }
        }
        for (Map.Entry<String, Answer<Stat>> read : reads.entrySet()) {
            try {
                var unused = read.getValue().await(deadline);
                existing.add(read.getKey());
            } catch (NoNodeException e) {
                // The node does not exist.
            }
        }
        return existing;
    }
}

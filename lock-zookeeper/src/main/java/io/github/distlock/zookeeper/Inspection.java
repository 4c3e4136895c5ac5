package io.github.distlock.zookeeper;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.LockStatus.Holder;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockMode;
import io.github.distlock.zookeeper.Session.Node;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.NoNodeException;

/**
 * Reads the nodes of one lock for an inspector, and deletes the first one for a forced release.
 *
 * <p>A client cannot know when the ensemble last heard of another session. So the remaining lease of a holder is the
 * longest possible: the owner's session timeout and a tick, as if the ensemble heard of the owner just now.
 */
final class Inspection {
    private final LockDirectory directory;
    private final Session session;
    private final ServerTick tick;
    private final Deadline deadline;

    Inspection(LockDirectory directory, Session session, ServerTick tick, Deadline deadline) {
        this.directory = directory;
        this.session = session;
        this.tick = tick;
        this.deadline = deadline;
    }

    LockStatus status() throws KeeperException, InterruptedException {
        Map<String, Answer<Node>> reads = new LinkedHashMap<>();
        for (String child : queue()) {
            reads.put(child, session.read(directory.child(child)));
        }
        Optional<Holder> holder = Optional.empty();
        Optional<KeptLock> kept = Optional.empty();
        List<LockOwner> waiters = new ArrayList<>();
        for (Map.Entry<String, Answer<Node>> read : reads.entrySet()) {
            try {
                Node node = read.getValue().await(deadline);
                if (LockDirectory.isKept(read.getKey())) {
                    kept = Optional.of(KeptLock.of(directory.child(read.getKey()), node));
                } else if (holder.isEmpty() && kept.isEmpty()) {
                    holder = Optional.of(holder(node));
                } else {
                    waiters.add(node.data().owner());
                }
            } catch (NoNodeException e) {
                // This contender has left since the listing.
            }
        }
        LockStatus status = LockStatus.free(directory.lockName()).withWaiters(waiters);
        return kept.flatMap(found -> found.status(directory.connection().clock().wallMillis()))
                .map(status::withKept)
                .orElse(status.withHolders(holder.stream().toList()));
    }

    /** Deletes the first node, and returns its hold. Returns an empty list if nobody holds the lock. */
    List<Holder> deleteFirst() throws KeeperException, InterruptedException {
        while (true) {
            List<String> queue = queue();
            if (queue.isEmpty()) {
                return List.of();
            }
            String first = directory.child(queue.get(0));
            try {
                Node node = session.read(first).await(deadline);
                var unused = session.delete(first).await(deadline);
                return LockDirectory.isKept(queue.get(0)) ? List.of() : List.of(holder(node));
            } catch (NoNodeException e) {
                // The first contender has left. There may be another one.
            }
        }
    }

    private List<String> queue() throws KeeperException, InterruptedException {
        var synced = session.sync(directory.path());
        Answer<List<String>> listing = session.children(directory.path());
        try {
            var unused = synced.await(deadline);
            return Sequence.inOrder(listing.await(deadline));
        } catch (NoNodeException e) {
            return List.of();
        }
    }

    private Holder holder(Node node) {
        Duration ofOwner = node.data().sessionTimeout();
        Duration timeout = ofOwner.isZero() ? session.timeout() : ofOwner;
        return Holder.of(
                node.data().owner(),
                LockMode.EXCLUSIVE,
                Instant.ofEpochMilli(node.stat().getCtime()),
                node.stat().getCzxid(),
                timeout.plus(tick.within(timeout)));
    }
}

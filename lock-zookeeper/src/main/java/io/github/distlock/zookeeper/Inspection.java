package io.github.distlock.zookeeper;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LockStatus;
import io.github.distlock.LockStatus.Holder;
import io.github.distlock.LockStatus.Waiter;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockMode;
import io.github.distlock.zookeeper.Session.Node;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.NoNodeException;

/**
 * Reads the nodes of one lock for an inspector, and deletes those of its holders for a forced release.
 *
 * <p>A client cannot know when the ensemble last heard of another session. So the remaining lease of a holder is the
 * longest possible: the owner's session timeout and a tick, as if the ensemble heard of the owner just now.
 *
 * <h2>Why a forced release by a base ends no other hold</h2>
 *
 * It reads the bases of the holders' nodes, and deletes the node with the wanted one. The path of a node has the GUID
 * of its contender, so no other contender ever has this path. A node that holds the lock in one listing holds it until
 * it is deleted. So the deletion ends the hold that was read, or finds no node. If it finds none, or if a node that was
 * listed cannot be read, the hold may have ended, or a writer may have become a reader at another path. Another look
 * tells them apart.
 *
 * <p>The holder of a lock may have had several bases. Its node has only the first transaction number and the last one.
 * So all numbers in between name this hold. No other hold has one of them. Each base of an earlier hold is smaller,
 * because a hold gets another base only while the directory has no other node. Later contenders hold nothing yet.
 */
final class Inspection {
    private final LockDirectory directory;
    private final Session session;
    private final Deadline deadline;

    Inspection(LockDirectory directory, Session session, Deadline deadline) {
        this.directory = directory;
        this.session = session;
        this.deadline = deadline;
    }

    LockStatus status() throws KeeperException, InterruptedException {
        LockQueue queue = queue();
        Map<String, Node> nodes = read(queue.names());
        if (!queue.isEmpty()
                && NodeName.isDelayed(queue.names().get(0))
                && !nodes.containsKey(queue.names().get(0))) {
            // Its companion may keep the lock now.
            return status();
        }
        List<String> holders = new LockQueue(List.copyOf(nodes.keySet())).holders();
        List<Waiter> waiters = new ArrayList<>();
        nodes.forEach((name, node) -> {
            if (!holders.contains(name)) {
                waiters.add(waiter(name, node));
            }
        });
        LockStatus status = LockStatus.free(directory.lockName())
                .withHolders(holders.stream()
                        .filter(name -> !NodeName.isKept(name))
                        .map(name -> holder(name, requireNonNull(nodes.get(name))))
                        .toList())
                .withWaiters(waiters);
        return kept(holders, nodes).map(status::withKept).orElse(status);
    }

    private Optional<LockStatus.Kept> kept(List<String> holders, Map<String, Node> nodes) {
        long now = directory.connection().clock().wallMillis();
        return holders.stream()
                .filter(NodeName::isKept)
                .findFirst()
                .map(name -> KeptLock.of(directory.child(name), requireNonNull(nodes.get(name))))
                .flatMap(kept -> kept.status(now));
    }

    /** Reads nodes. Omits those whose contenders have left since the listing. */
    Map<String, Node> read(List<String> names) throws KeeperException, InterruptedException {
        Map<String, Answer<Node>> reads = new LinkedHashMap<>();
        names.forEach(name -> reads.put(name, session.read(directory.child(name))));
        Map<String, Node> nodes = new LinkedHashMap<>();
        for (Map.Entry<String, Answer<Node>> read : reads.entrySet()) {
            try {
                nodes.put(read.getKey(), read.getValue().await(deadline));
            } catch (NoNodeException e) {
                // This contender has left since the listing.
            }
        }
        return nodes;
    }

    /** Deletes the nodes of all holders, and returns their holds. Returns an empty list if nobody holds the lock. */
    List<Holder> deleteHolders() throws KeeperException, InterruptedException {
        while (true) {
            List<String> names = queue().holders();
            List<Holder> deleted = new ArrayList<>();
            boolean isFreed = names.isEmpty();
            for (Map.Entry<String, Node> held : read(names).entrySet()) {
                // If this holder has left, there may be another one.
                if (isDeleted(held.getKey())) {
                    isFreed = true;
                    if (!NodeName.isKept(held.getKey())) {
                        deleted.add(holder(held.getKey(), held.getValue()));
                    }
                }
            }
            if (isFreed) {
                return deleted;
            }
        }
    }

    /** Deletes the node of the hold with a base, and returns this hold. Returns an empty list if there is none. */
    List<Holder> deleteHolder(long base) throws KeeperException, InterruptedException {
        while (true) {
            List<String> names = queue().holders();
            Map<String, Node> nodes = read(names);
            Optional<String> found = nodes.keySet().stream()
                    .filter(name -> !NodeName.isKept(name) && hasBase(name, requireNonNull(nodes.get(name)), base))
                    .findFirst();
            if (found.isPresent() ? isDeleted(found.get()) : nodes.size() == names.size()) {
                return found.map(name -> holder(name, requireNonNull(nodes.get(name)))).stream()
                        .toList();
            }
        }
    }

    /** Deletes the node of a holder, and its {@link Companion}. Returns false if it does not exist any more. */
    private boolean isDeleted(String name) throws KeeperException, InterruptedException {
        String path = directory.child(name);
        return NodeName.isDelayed(name)
                ? Companion.release(session, path, deadline)
                : Companion.isDeleted(session, path, deadline);
    }

    LockQueue queue() throws KeeperException, InterruptedException {
        var synced = session.sync(directory.path());
        QueueLook look = QueueLook.send(directory, session);
        try {
            var unused = synced.await(deadline);
            return look.await(null, deadline);
        } catch (NoNodeException e) {
            return new LockQueue(List.of());
        }
    }

    private Holder holder(String name, Node node) {
        return Holder.of(node.data().owner(), mode(name), since(node), base(node), session.expiry(node.data()));
    }

    private static Waiter waiter(String name, Node node) {
        return Waiter.of(node.data().owner(), mode(name), since(node));
    }

    private static LockMode mode(String name) {
        LockMode mode = NodeName.mode(name);
        return mode == null ? LockMode.EXCLUSIVE : mode;
    }

    private static Instant since(Node node) {
        return Instant.ofEpochMilli(node.stat().getCtime());
    }

    /** Returns whether a holder has a base, or has had it since its grant. */
    private static boolean hasBase(String name, Node node, long base) {
        long first = base(node);
        long last = mode(name).kind() == LockMode.Kind.EXCLUSIVE ? node.stat().getMzxid() : first;
        return first <= base && base <= last;
    }

    static long base(Node node) {
        return node.data().base() == 0 ? node.stat().getCzxid() : node.data().base();
    }
}

package io.github.distlock.simulator.zookeeper;

import static java.util.Objects.requireNonNull;

import io.github.distlock.simulator.zookeeper.Transaction.Change;
import io.github.distlock.simulator.zookeeper.Transaction.Creation;
import io.github.distlock.simulator.zookeeper.Transaction.Deletion;
import io.github.distlock.simulator.zookeeper.Transaction.End;
import io.github.distlock.simulator.zookeeper.Transaction.Opening;
import io.github.distlock.simulator.zookeeper.Transaction.Writing;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.zookeeper.data.Stat;
import org.jspecify.annotations.Nullable;

/** The nodes and sessions after some transaction. */
final class Tree {
    private final Map<String, Node> nodes;
    /** The session timeouts in milliseconds. */
    private final Map<Long, Integer> sessions;

    private long zxid;

    /** Hears of each change, before the reply to its request. */
    interface Watches {
        /** Nobody watches. */
        Watches NONE = new Watches() {
            @Override
            public void created(String path, long zxid) {}

            @Override
            public void deleted(String path, long zxid) {}

            @Override
            public void written(String path, long zxid) {}
        };

        void created(String path, long zxid);

        void deleted(String path, long zxid);

        void written(String path, long zxid);
    }

    Tree() {
        nodes = new HashMap<>();
        sessions = new TreeMap<>();
        for (String path : List.of("/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config")) {
            nodes.put(path, new Node(new byte[0], 0, 0, 0));
            if (!path.equals("/")) {
                known(parent(path)).children.add(element(path));
            }
        }
    }

    private Tree(Tree other) {
        nodes = new HashMap<>();
        other.nodes.forEach((path, node) -> nodes.put(path, node.copy()));
        sessions = new TreeMap<>(other.sessions);
        zxid = other.zxid;
    }

    Tree copy() {
        return new Tree(this);
    }

    static String parent(String path) {
        int slash = path.lastIndexOf('/');
        return slash == 0 ? "/" : path.substring(0, slash);
    }

    static String element(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** Returns the number of the last transaction. */
    long zxid() {
        return zxid;
    }

    @Nullable
    Node get(String path) {
        return nodes.get(path);
    }

    private Node known(String path) {
        return requireNonNull(nodes.get(path), path);
    }

    Map<Long, Integer> sessions() {
        return sessions;
    }

    /** Returns the nodes that belong to a session. */
    List<String> ephemerals(long session) {
        return nodes.entrySet().stream()
                .filter(node -> node.getValue().isEphemeral() && node.getValue().owner == session)
                .map(Map.Entry::getKey)
                .sorted()
                .toList();
    }

    /** Returns container nodes that have had children and have none. */
    List<String> emptyContainers() {
        return nodes.entrySet().stream()
                .filter(node -> node.getValue().owner == Node.CONTAINER
                        && node.getValue().creations > 0
                        && node.getValue().children.isEmpty())
                .map(Map.Entry::getKey)
                .sorted()
                .toList();
    }

    /** Returns all nodes, sorted. */
    List<String> paths() {
        return nodes.keySet().stream().sorted().toList();
    }

    /**
     * Applies the next transaction. Returns what each change shows to its client, or null for those that show nothing.
     */
    List<@Nullable Stat> apply(Transaction transaction, Watches watches) {
        List<@Nullable Stat> results = new ArrayList<>(transaction.changes().size());
        for (Change change : transaction.changes()) {
            results.add(apply(transaction, change, watches));
        }
        zxid = transaction.zxid();
        return results;
    }

    private @Nullable Stat apply(Transaction transaction, Change change, Watches watches) {
        if (change instanceof Creation creation) {
            Node made = new Node(creation.data(), creation.owner(), transaction.zxid(), transaction.time());
            add(creation.path(), made, transaction.zxid());
            Stat stat = made.stat();
            watches.created(creation.path(), transaction.zxid());
            return stat;
        } else if (change instanceof Writing writing) {
            Node node = known(writing.path());
            node.data = writing.data();
            node.version++;
            node.mzxid = transaction.zxid();
            node.mtime = transaction.time();
            Stat stat = node.stat();
            watches.written(writing.path(), transaction.zxid());
            return stat;
        } else if (change instanceof Deletion deletion) {
            remove(deletion.path(), transaction.zxid(), watches);
        } else if (change instanceof Opening opening) {
            sessions.put(transaction.session(), opening.timeout());
        } else if (change instanceof End end) {
            end.nodes().forEach(path -> remove(path, transaction.zxid(), watches));
            sessions.remove(transaction.session());
        }
        return null;
    }

    private void add(String path, Node made, long number) {
        Node parent = known(parent(path));
        parent.children.add(element(path));
        parent.creations++;
        parent.pzxid = number;
        nodes.put(path, made);
    }

    private void remove(String path, long number, Watches watches) {
        nodes.remove(path);
        Node parent = known(parent(path));
        parent.children.remove(element(path));
        parent.pzxid = number;
        watches.deleted(path, number);
    }
}

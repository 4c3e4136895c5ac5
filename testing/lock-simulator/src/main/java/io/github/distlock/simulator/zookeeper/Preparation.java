package io.github.distlock.simulator.zookeeper;

import io.github.distlock.simulator.zookeeper.Transaction.Change;
import io.github.distlock.simulator.zookeeper.Transaction.Check;
import io.github.distlock.simulator.zookeeper.Transaction.Creation;
import io.github.distlock.simulator.zookeeper.Transaction.Deletion;
import io.github.distlock.simulator.zookeeper.Transaction.Refusal;
import io.github.distlock.simulator.zookeeper.Transaction.Writing;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.jute.Record;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.MultiOperationRecord;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.proto.CheckVersionRequest;
import org.apache.zookeeper.proto.CreateRequest;
import org.apache.zookeeper.proto.CreateTTLRequest;
import org.apache.zookeeper.proto.DeleteRequest;
import org.apache.zookeeper.proto.SetDataRequest;
import org.jspecify.annotations.Nullable;

/**
 * The leader's check of one request against all that it has accepted. An operation of a transaction sees those before
 * it, so this class notes their effects beside the tree.
 */
final class Preparation {
    private static final int ANY_VERSION = -1;

    private final Tree tree;
    private final long session;
    private final Map<String, @Nullable Node> changed = new HashMap<>();
    private boolean hasMore;

    /**
     * Prepares a request.
     *
     * @param tree all transactions that the leader has accepted
     */
    Preparation(Tree tree, long session) {
        this.tree = tree;
        this.session = session;
    }

    /** Returns the changes of a request, or only refusals. */
    List<Change> prepare(Record request) {
        if (request instanceof MultiOperationRecord multi) {
            return prepareAll(multi);
        }
        try {
            return List.of(prepareOne(request));
        } catch (KeeperException e) {
            return List.of(new Refusal(e.code()));
        }
    }

    /**
     * If an operation is refused, those before it have OK, and later ones an error that says that they were not tried.
     */
    private List<Change> prepareAll(MultiOperationRecord multi) {
        List<Change> changes = new ArrayList<>();
        Code refused = null;
        hasMore = true;
        for (Op operation : multi) {
            if (refused != null) {
                changes.add(new Refusal(Code.RUNTIMEINCONSISTENCY));
                continue;
            }
            try {
                changes.add(prepareOne(operation.toRequestRecord()));
            } catch (KeeperException e) {
                refused = e.code();
                changes.replaceAll(change -> new Refusal(Code.OK));
                changes.add(new Refusal(refused));
            }
        }
        return changes;
    }

    private Change prepareOne(Record request) throws KeeperException {
        if (request instanceof CreateRequest create) {
            return create(create.getPath(), create.getData(), create.getFlags());
        } else if (request instanceof CreateTTLRequest) {
            throw new KeeperException.UnimplementedException();
        } else if (request instanceof DeleteRequest delete) {
            return delete(delete.getPath(), delete.getVersion());
        } else if (request instanceof SetDataRequest write) {
            return write(write.getPath(), write.getData(), write.getVersion());
        } else if (request instanceof CheckVersionRequest check) {
            requireVersion(require(check.getPath()), check.getVersion(), check.getPath());
            return new Check();
        }
        throw new IllegalArgumentException("not modeled: " + request);
    }

    private Change create(String asked, byte @Nullable [] data, int flags) throws KeeperException {
        CreateMode mode = CreateMode.fromFlag(flags);
        Node parent = require(Tree.parent(asked));
        String path = mode.isSequential() ? asked + String.format(Locale.ROOT, "%010d", parent.creations) : asked;
        if (find(path) != null) {
            throw new KeeperException.NodeExistsException(path);
        }
        if (parent.isEphemeral()) {
            throw new KeeperException.NoChildrenForEphemeralsException(path);
        }
        long owner = mode.isEphemeral() ? session : mode.isContainer() ? Node.CONTAINER : 0;
        byte[] stored = data == null ? new byte[0] : data;
        if (hasMore) {
            Node changedParent = parent.copy();
            changedParent.children.add(Tree.element(path));
            changedParent.creations++;
            changed.put(Tree.parent(path), changedParent);
            changed.put(path, new Node(stored, owner, 0, 0));
        }
        return new Creation(path, stored, owner);
    }

    private Change delete(String path, int version) throws KeeperException {
        Node parent = require(Tree.parent(path));
        Node node = require(path);
        requireVersion(node, version, path);
        if (!node.children.isEmpty()) {
            throw new KeeperException.NotEmptyException(path);
        }
        if (hasMore) {
            Node changedParent = parent.copy();
            changedParent.children.remove(Tree.element(path));
            changed.put(Tree.parent(path), changedParent);
            changed.put(path, null);
        }
        return new Deletion(path);
    }

    private Change write(String path, byte @Nullable [] data, int version) throws KeeperException {
        Node node = require(path);
        requireVersion(node, version, path);
        if (hasMore) {
            Node changedNode = node.copy();
            changedNode.version++;
            changed.put(path, changedNode);
        }
        return new Writing(path, data == null ? new byte[0] : data);
    }

    private @Nullable Node find(String path) {
        return changed.containsKey(path) ? changed.get(path) : tree.get(path);
    }

    private Node require(String path) throws KeeperException {
        Node found = find(path);
        if (found == null) {
            throw new KeeperException.NoNodeException(path);
        }
        return found;
    }

    private static void requireVersion(Node node, int version, String path) throws KeeperException {
        if (version != ANY_VERSION && version != node.version) {
            throw new KeeperException.BadVersionException(path);
        }
    }
}

package io.github.distlock.zookeeper;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.fencing.FencingToken;
import io.github.distlock.fencing.StaleTokenException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.api.transaction.CuratorOp;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.ZooDefs.OpCode;
import org.apache.zookeeper.data.Stat;
import org.jspecify.annotations.Nullable;

/**
 * Commits transactions that ZooKeeper refuses if they come from an earlier holder of a lock.
 *
 * <pre>{@code
 * ZooKeeperFence fence = new ZooKeeperFence(curator);
 * try (LockHandle held = locks.lock("account/7").acquire()) {
 *     CuratorOp write = curator.transactionOp().setData().forPath("/accounts/7", balance);
 *     fence.commit("/fences/account-7", held.fencingToken(), List.of(write));
 * }
 * }</pre>
 *
 * <p><b>What it checks.</b> A persistent node, the fence, has the greatest token that was committed for a resource.
 * Each transaction begins with an operation on this node, which fails if another client has changed the node since this
 * client read it. So no transaction with a smaller token is committed after one with a greater token. Equal tokens
 * pass, so a holder may commit many transactions. The fence checks only what goes through it: every writer of a
 * resource must use the same node.
 *
 * <p><b>Cost.</b> A commit is two requests: a read of the fence, and the transaction. The fence is written only if the
 * token is greater. If another client changes the fence in between, the commit reads it again.
 *
 * <p><b>What the ensemble remembers.</b> The fence stays until an operator or a program deletes it. After that,
 * any token passes until a greater one is committed.
 *
 * <p>Thread-safe, as the client is.
 */
public final class ZooKeeperFence {
    private final CuratorFramework client;

    /**
     * Makes a fence. Sends nothing.
     *
     * @param client the client that sends the transactions; the fence neither changes nor closes it
     */
    public ZooKeeperFence(CuratorFramework client) {
        this.client = requireNonNull(client, "client");
    }

    /**
     * Commits operations, unless a greater token was committed for the same fence.
     *
     * <p>Curator's retry policy applies to the read of the fence and not to the transaction: if the connection is lost
     * after the transaction was sent, the ensemble may or may not have committed it. This method then throws the
     * {@link KeeperException} as it is. Repeating the call with the same token is safe if the operations are safe to
     * repeat. The same applies after an {@link InterruptedException}.
     *
     * @param path the path of the fence, in the client's namespace; all writers of one resource use the same, and no
     *     other program writes this node. The first commit creates it, and the nodes above it
     * @param token the fencing token of the caller's hold
     * @param operations the operations to commit, which may be none; {@link CuratorFramework#transactionOp} makes them
     * @return the results of the operations, in their order
     * @throws StaleTokenException if a greater token was committed; nothing has changed
     * @throws IllegalArgumentException if the token is not positive, or if the path is not valid
     * @throws IllegalStateException if the node has other data than a token; nothing has changed
     * @throws KeeperException if the ensemble refuses an operation, and then nothing has changed; or if the outcome is
     *     unknown, as described above. In {@link KeeperException#getResults}, the operation on the fence comes first
     * @throws Exception as the methods of Curator throw it
     */
    @CanIgnoreReturnValue
    public List<OpResult> commit(String path, long token, List<CuratorOp> operations) throws Exception {
        requireNonNull(path, "path");
        byte[] data = FencingToken.toText(token).getBytes(UTF_8);
        List<CuratorOp> wanted = List.copyOf(operations);
        while (true) {
            Op fencing = fencing(path, token, data);
            List<Op> transaction = new ArrayList<>();
            transaction.add(fencing);
            wanted.forEach(operation -> transaction.add(operation.get()));
            try {
                List<OpResult> results =
                        client.getZookeeperClient().getZooKeeper().multi(transaction);
                return List.copyOf(results.subList(1, results.size()));
            } catch (KeeperException e) {
                if (!isOfChange(fencing, e)) {
                    throw e;
                }
            }
        }
    }

    /** Returns an operation that fails if the fence is not as it is now, and that stores the token if it is greater. */
    private Op fencing(String path, long token, byte[] data) throws Exception {
        Stat stat = new Stat();
        long highest;
        try {
            highest = token(path, client.getData().storingStatIn(stat).forPath(path));
        } catch (NoNodeException e) {
            var unused = client.checkExists().creatingParentsIfNeeded().forPath(path);
            return client.transactionOp().create().forPath(path, data).get();
        }
        if (token < highest) {
            throw new StaleTokenException(path, token, OptionalLong.of(highest));
        }
        return token == highest
                ? client.transactionOp()
                        .check()
                        .withVersion(stat.getVersion())
                        .forPath(path)
                        .get()
                : client.transactionOp()
                        .setData()
                        .withVersion(stat.getVersion())
                        .forPath(path, data)
                        .get();
    }

    private static long token(String path, byte @Nullable [] data) {
        try {
            return FencingToken.parse(data == null ? "" : new String(data, UTF_8));
        } catch (IllegalArgumentException e) {
            throw new IllegalStateException("the node " + path + " of a fence has no fencing token", e);
        }
    }

    /**
     * Returns whether the operation on the fence has failed because another client has changed, created or deleted the
     * node. Operations before the one that has failed have OK as their result, later ones RUNTIMEINCONSISTENCY.
     */
    private static boolean isOfChange(Op fencing, KeeperException e) {
        List<OpResult> results = e.getResults();
        if (results == null || !(results.get(0) instanceof OpResult.ErrorResult failed)) {
            return false;
        }
        return switch (Requests.known(failed.getErr())) {
            case BADVERSION, NODEEXISTS -> true;
            case NONODE -> fencing.getType() != OpCode.create; // Otherwise there is no node above it, nor a chroot.
            default -> false;
        };
    }
}

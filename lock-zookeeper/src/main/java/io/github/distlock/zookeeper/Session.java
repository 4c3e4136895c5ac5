package io.github.distlock.zookeeper;

import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.imps.CuratorFrameworkState;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.ZooKeeper.States;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.common.ZKConfig;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;
import org.apache.zookeeper.proto.CreateRequest;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One session with the ensemble. It sends each request at once, and the server answers in order. Neither this class nor
 * Curator repeats a request. {@link SharedEventThread} states an exception.
 *
 * <p>Thread-safe.
 */
final class Session {
    private static final Logger LOG = LoggerFactory.getLogger(ZooKeeperBackend.class);
    private static final String TRIED_NODE = "_c_rights";
    private static final String TIME_NODE = "_c_time";
    /** The root of the client's chroot. It need not exist. */
    private static final String ROOT = "/";

    private final CuratorFramework client;
    private final ZooKeeper zooKeeper;
    private final long instance;
    private final long id;
    private final Duration timeout;
    private final ServerTick tick;
    private final SessionValidity validity;
    private final LockClock clock;
    private final SessionLife life;
    private final Requests requests;
    private final SeenDirectories usable = new SeenDirectories();
    private final SeenDirectories warned = new SeenDirectories();
    private final BackendContext context;
    private final @Nullable SharedEventThread sharedEventThread;
    private final SeenQueues seenQueues = new SeenQueues();
    private final ServedQueues servedQueues;
    private final HeldNodes heldNodes = new HeldNodes();
    private volatile boolean mayHaveTtl = true;

    /**
     * A node as the server created it.
     *
     * @param path the node's path, with its sequence number
     * @param czxid the number of the transaction that created the node
     * @param createdAt by the clock of the leader, in milliseconds since 1970
     */
    record Created(String path, long czxid, long createdAt) {
        static Created of(String path, Stat stat) {
            return new Created(path, stat.getCzxid(), stat.getCtime());
        }

        String name() {
            return LockPaths.element(path);
        }
    }

    /** A node as the server stored it when it answered. */
    record Node(OwnerData data, Stat stat) {}

    /** Receives the answer to a request for a watch. ZooKeeper's event thread calls it. */
    interface Watched {
        /**
         * Receives the answer.
         *
         * @param code OK, or the reason if there is no watch
         * @param data the data of the node, or null
         * @param stat the node if there is a watch, otherwise null
         */
        void answered(Code code, byte @Nullable [] data, @Nullable Stat stat);
    }

    /**
     * An operation on a node that the server has refused, and with it the transaction.
     *
     * @param code the reason: the node does not exist, or the client lacks the right
     * @param right the right that the operation needs
     */
    record Unchecked(String path, Code code, String right) {
        boolean isMissing() {
            return code == Code.NONODE;
        }

        /** Returns whether this node is missing, and not another one of the transaction. */
        boolean isMissing(String node) {
            return isMissing() && path.equals(node);
        }

        KeeperException failure() {
            return Failures.failure(code, path, right);
        }
    }

    /**
     * Makes the session of a connected handle.
     *
     * @param client the client that made the handle, without a namespace
     * @param instance Curator's number of the handle, which it changes before it closes the handle
     * @param begunAt a time before the client requested this session, or null if it knows none
     * @param isCallerSupplied whether the application uses the client, too
     * @param highest the highest transaction number that this client has seen, over all its sessions
     */
    Session(
            CuratorFramework client,
            ZooKeeper zooKeeper,
            long instance,
            ServerTick tick,
            @Nullable Moment begunAt,
            boolean isCallerSupplied,
            AtomicLong highest,
            LockClock clock,
            BackendContext context) {
        this.client = client;
        this.zooKeeper = zooKeeper;
        this.instance = instance;
        this.id = zooKeeper.getSessionId();
        this.timeout = Duration.ofMillis(zooKeeper.getSessionTimeout());
        this.tick = tick;
        this.validity = new SessionValidity(timeout, tick, begunAt);
        this.life = new SessionLife(zooKeeper);
        this.sharedEventThread = isCallerSupplied ? new SharedEventThread(zooKeeper, life, context) : null;
        this.requests = new Requests(zooKeeper, validity, new TransactionNumbers(highest, context), clock);
        this.servedQueues = new ServedQueues(this);
        this.clock = clock;
        this.context = context;
    }

    boolean isOf(ZooKeeper other) {
        return zooKeeper == other;
    }

    boolean isOver(CuratorFramework other) {
        return client == other;
    }

    /** Returns whether this client can never use the session again. Curator may be about to close its handle. */
    boolean hasEnded() {
        return life.hasEnded() || client.getZookeeperClient().getInstanceIndex() != instance;
    }

    /** Returns whether the session can read and write. A server without a quorum may serve reads only. */
    boolean isConnected() {
        return !hasEnded() && zooKeeper.getState() == States.CONNECTED;
    }

    /** Ends the session if its client is closed, which never opens again. */
    void endIfClientIsClosed() {
        if (client.getState() == CuratorFrameworkState.STOPPED) {
            life.end();
        }
    }

    SessionLife life() {
        return life;
    }

    SeenQueues seenQueues() {
        return seenQueues;
    }

    ServedQueues servedQueues() {
        return servedQueues;
    }

    HeldNodes heldNodes() {
        return heldNodes;
    }

    /** Returns the greatest length of a reply that this client accepts, in bytes. A longer one ends its connection. */
    int longestReply() {
        return zooKeeper
                .getClientConfig()
                .getInt(ZKConfig.JUTE_MAXBUFFER, ZKClientConfig.CLIENT_MAX_PACKET_LENGTH_DEFAULT);
    }

    long id() {
        return id;
    }

    Duration timeout() {
        return timeout;
    }

    /** Returns how long the ensemble keeps a node at most after its owner has crashed, as far as the node tells. */
    Duration expiry(OwnerData owner) {
        return tick.expiry(owner.sessionTimeout().isZero() ? timeout : owner.sessionTimeout());
    }

    /** Returns how long the ensemble certainly keeps this session. */
    Validity validity() {
        // Another server may have a smaller limit, and may have shortened the timeout since.
        Duration stated = Duration.ofMillis(zooKeeper.getSessionTimeout());
        return validity.validity(Math.min(timeout.toNanos(), stated.toNanos()), clock.now());
    }

    /**
     * Returns the ACL that the client's ACL provider gives to a new node. Reads it from an operation that is never
     * sent. The backend's own client has no provider.
     */
    List<ACL> acl(String fullPath) {
        if (sharedEventThread == null) {
            return Ids.OPEN_ACL_UNSAFE;
        }
        try {
            CreateRequest request = (CreateRequest) client.usingNamespace(null)
                    .transactionOp()
                    .create()
                    .forPath(fullPath, new byte[0])
                    .get()
                    .toRequestRecord();
            return request.getAcl();
        } catch (Exception e) {
            throw new IllegalStateException("cannot determine the ACL of " + fullPath + ": " + e.getMessage(), e);
        }
    }

    private <T> Answer<T> send(String path, Request<T> request) {
        SharedEventThread eventThread = sharedEventThread;
        if (eventThread == null) {
            Answer<T> answer = new Answer<>(path, request.right(), () -> {}, life::endIfDead);
            request.send(answer);
            return answer;
        }
        Answer<T> answer = new Answer<>(path, request.right(), eventThread::late, life::endIfDead);
        eventThread.send(request, answer);
        return answer;
    }

    Answer<Created> create(String path, byte[] data, CreateMode mode) {
        return send(path, requests.create(path, data, acl(path), mode));
    }

    Answer<Code> delete(String path) {
        return send(path, requests.delete(path));
    }

    /** Writes the data of a node, whatever it was before. */
    Answer<Stat> write(String path, byte[] data) {
        return send(path, requests.write(path, data));
    }

    /** Writes the data of a node if they have this version. */
    Answer<Stat> write(String path, byte[] data, int version) {
        return send(path, requests.write(path, data, version));
    }

    /**
     * Creates an ephemeral node and deletes an earlier one, in one transaction. So no listing shows neither of them.
     *
     * @return the first refused operation, or empty
     */
    Answer<Optional<Unchecked>> replace(String earlier, String later, byte[] data) {
        return send(earlier, requests.replace(earlier, later, data, acl(later)));
    }

    /** Deletes a node if its data has this version. */
    Answer<Code> delete(String path, int version) {
        return send(path, requests.delete(path, version));
    }

    /** Returns the leader's clock, in milliseconds since 1970. The transaction leaves nothing in the directory. */
    Answer<Long> leaderTime(String directory) {
        String node = directory + "/" + TIME_NODE;
        return send(node, requests.leaderTime(node));
    }

    /**
     * Deletes a holder's node and creates the node of a {@link KeptLock}, in one transaction.
     *
     * @param replaces whether the node takes the place of a {@link Companion}
     * @param ttl how long after its last change the server removes the node by itself, or zero if it does not
     * @return the first refused operation, or empty
     */
    Answer<Optional<Unchecked>> keep(String holder, String kept, boolean replaces, byte[] data, Duration ttl) {
        Op creation = creation(kept, data, ttl);
        return send(holder, replaces ? requests.end(holder, deletion(kept), creation) : requests.end(holder, creation));
    }

    private Op creation(String kept, byte[] data, Duration ttl) {
        List<ACL> acl = acl(kept);
        return ttl.isZero()
                ? Op.create(kept, data, acl, CreateMode.PERSISTENT)
                : Op.create(kept, data, acl, CreateMode.PERSISTENT_WITH_TTL, ttl.toMillis());
    }

    private static Op deletion(String path) {
        return Op.delete(path, Requests.NO_VERSION);
    }

    /** Checks that a holder's node exists and creates its {@link Companion}, in one transaction. */
    Answer<Optional<Unchecked>> accompany(String holder, String companion, byte[] data) {
        return send(
                holder,
                requests.transaction(Op.check(holder, Requests.NO_VERSION), creation(companion, data, Duration.ZERO)));
    }

    /** Deletes a holder's node and its {@link Companion}, in one transaction. */
    Answer<Optional<Unchecked>> release(String holder, String companion) {
        return send(holder, requests.endBoth(holder, companion));
    }

    /** Puts another kept node in the place of one that has not changed since it was read, in one transaction. */
    Answer<Optional<Unchecked>> replaceKept(KeptLock read, byte[] data, Duration ttl) {
        return send(
                read.path(),
                requests.transaction(Op.delete(read.path(), read.version()), creation(read.path(), data, ttl)));
    }

    /** Returns whether the server may remove nodes after a time, because it has not refused that. */
    boolean mayHaveTtl() {
        return mayHaveTtl;
    }

    /** Notes that the server does not remove nodes after a time. */
    void refusesTtl() {
        mayHaveTtl = false;
    }

    Answer<List<String>> children(String path) {
        return send(path, requests.children(path));
    }

    Answer<Stat> exists(String path) {
        return send(path, requests.exists(path));
    }

    Answer<Node> read(String path) {
        return send(path, requests.read(path));
    }

    /**
     * Sends a request that changes nothing through the leader. Does not wait for the answer. A request that fails with
     * its connection counts, too: see {@link SessionValidity}.
     */
    void keepAlive() {
        Moment sentAt = clock.now();
        zooKeeper.sync(
                ROOT,
                (code, asked, context) -> {
                    if (code == Code.OK.intValue()) {
                        validity.answered(sentAt, clock.nanoTime());
                    } else if (code == Code.CONNECTIONLOSS.intValue()) {
                        validity.lostWithConnection(sentAt, clock.nanoTime());
                    }
                },
                null);
    }

    /** Returns whether the handle may connect again. Asks the handle itself, since its events may come late. */
    boolean isAlive() {
        return !hasEnded() && zooKeeper.getState().isAlive();
    }

    ZKClientConfig config() {
        return zooKeeper.getClientConfig();
    }

    /** Makes the server of this client catch up with the leader. */
    Answer<Code> sync(String path) {
        return send(path, requests.sync(path));
    }

    /**
     * Checks in a transaction that a node exists. The ensemble commits it like any write, although it changes nothing
     * and triggers no watch.
     *
     * @return the node if the server could not check it, so that the transaction proves nothing; otherwise empty
     */
    Answer<Optional<Unchecked>> check(String path) {
        return send(path, requests.check(path));
    }

    /**
     * Finds out whether the client may create, read and delete nodes in a directory. The transaction creates a node and
     * deletes it, so no client ever sees the node.
     *
     * @param writes whether the client also writes the data of nodes
     * @return the first refused operation, or empty
     */
    Answer<Optional<Unchecked>> tryRights(String directory, boolean writes) {
        String node = directory + "/" + TRIED_NODE;
        return send(node, requests.tryRights(node, acl(node), writes));
    }

    /** Returns whether only this backend uses the client of the session. */
    boolean hasOwnClient() {
        return zooKeeper instanceof DirectClient;
    }

    /** Returns whether the client has a watch on the data of a node, and has received no event of it. */
    boolean isWatched(String path) {
        return zooKeeper instanceof DirectClient own && own.isWatched(path);
    }

    /** Returns whether the application blocks the thread on which watches fire. */
    boolean isEventThreadBlocked() {
        return sharedEventThread != null && sharedEventThread.isBlocked();
    }

    /** Returns whether the handle is dead, and Curator does not hear of it because its event thread is blocked. */
    boolean isDeadWithBlockedEventThread() {
        return isEventThreadBlocked()
                && client.getZookeeperClient().getInstanceIndex() == instance
                && !zooKeeper.getState().isAlive();
    }

    /** The directories on which the client certainly has all rights. */
    SeenDirectories usable() {
        return usable;
    }

    /** Logs a warning about something, once. */
    void warnOnce(String about, String words) {
        if (warned.add(about)) {
            context.log(() -> LOG.warn("{}", words));
        }
    }

    /**
     * Asks the server for a watch on a node, and does not wait for the answer. The server keeps the watch only if the
     * node exists.
     */
    void watch(String path, Watcher watcher, Watched watched) {
        zooKeeper.getData(
                path,
                watcher,
                (code, asked, context, data, stat) -> {
                    if (code != Code.OK.intValue()) {
                        life.endIfDead();
                    }
                    watched.answered(Requests.known(code), data, stat);
                },
                null);
    }

    /** Asks the server for the children of a node, and for a watch on them. */
    Answer<List<String>> watchedChildren(String path, Watcher watcher) {
        Answer<List<String>> answer = new Answer<>(path, "READ on " + path, () -> {}, life::endIfDead);
        watchChildren(path, watcher, (code, children) -> {
            if (code == Code.OK) {
                answer.complete(children);
            } else {
                answer.fail(code);
            }
        });
        return answer;
    }

    /** Asks the server for a watch on the children of a node, and does not wait for the answer. */
    void watchChildren(String path, Watcher watcher, BiConsumer<Code, List<String>> answered) {
        zooKeeper.getChildren(
                path,
                watcher,
                (int code, String asked, Object context, List<String> children) -> {
                    if (code != Code.OK.intValue()) {
                        life.endIfDead();
                    }
                    answered.accept(Requests.known(code), children == null ? List.of() : children);
                },
                null);
    }

    /**
     * Removes a watch from this client, and does not wait for the answer. The server says only whether it has the
     * watch, and keeps it until the watch fires or the connection ends.
     */
    void removeWatch(String path, Watcher watcher) {
        removeWatch(zooKeeper, path, watcher);
    }

    static void removeWatch(ZooKeeper zooKeeper, String path, Watcher watcher) {
        removeWatch(zooKeeper, path, watcher, Watcher.WatcherType.Data);
    }

    /** Does the same for a watch on the children of a node. */
    void removeChildWatch(String path, Watcher watcher) {
        removeWatch(zooKeeper, path, watcher, Watcher.WatcherType.Children);
    }

    private static void removeWatch(ZooKeeper zooKeeper, String path, Watcher watcher, Watcher.WatcherType type) {
        zooKeeper.removeWatches(path, watcher, type, true, (code, asked, context) -> {}, null);
    }

    /** Ends what this client keeps for the session. The session itself continues. */
    void close() {
        life.stopWatching();
        if (sharedEventThread != null) {
            sharedEventThread.close();
        }
    }
}

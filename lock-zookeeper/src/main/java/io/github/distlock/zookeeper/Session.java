package io.github.distlock.zookeeper;

import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.imps.CuratorFrameworkState;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.ZooKeeper.States;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;
import org.apache.zookeeper.proto.CreateRequest;
import org.jspecify.annotations.Nullable;

/**
 * One session with the ensemble. It sends each request at once, and the server answers in order. Neither this class nor
 * Curator repeats a request. Each acknowledged write extends the {@link SessionValidity}.
 *
 * <p>Thread-safe.
 */
final class Session {
    private static final int NO_VERSION = -1;
    /** The root of the client's chroot. It need not exist. */
    private static final String ROOT = "/";

    private final CuratorFramework client;
    private final ZooKeeper zooKeeper;
    private final long instance;
    private final long id;
    private final Duration timeout;
    private final SessionValidity validity;
    private final LockClock clock;
    private final TransactionNumbers numbers;
    private final SessionLife life;

    /**
     * A node as the server created it.
     *
     * @param path the node's path, with its sequence number
     * @param czxid the number of the transaction that created the node
     * @param sessionId the session to which an ephemeral node belongs
     */
    record Created(String path, long czxid, long sessionId) {
        String name() {
            return LockPaths.element(path);
        }
    }

    /** A node as the server stored it when it answered. */
    record Node(OwnerData data, Stat stat) {}

    /**
     * Makes the session of a connected handle.
     *
     * @param client the client that made the handle, without a namespace
     * @param instance Curator's number of the handle, which it changes before it closes the handle
     * @param begunAt a time before the client requested this session, or null if it knows none
     * @param highest the highest transaction number that this client has seen, over all its sessions
     */
    Session(
            CuratorFramework client,
            ZooKeeper zooKeeper,
            long instance,
            ServerTick tick,
            @Nullable Moment begunAt,
            AtomicLong highest,
            LockClock clock,
            BackendContext context) {
        this.client = client;
        this.zooKeeper = zooKeeper;
        this.instance = instance;
        this.id = zooKeeper.getSessionId();
        this.timeout = Duration.ofMillis(zooKeeper.getSessionTimeout());
        this.validity = new SessionValidity(timeout, tick, begunAt);
        this.numbers = new TransactionNumbers(highest, context);
        this.life = new SessionLife(zooKeeper);
        this.clock = clock;
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

    long id() {
        return id;
    }

    Duration timeout() {
        return timeout;
    }

    /** Returns how long the ensemble certainly keeps this session. */
    Validity validity() {
        // Another server may have a smaller limit, and may have shortened the timeout since.
        Duration stated = Duration.ofMillis(zooKeeper.getSessionTimeout());
        return validity.validity(Math.min(timeout.toNanos(), stated.toNanos()), clock.now());
    }

    /**
     * Returns the ACL that the client's ACL provider gives to a new node. Reads it from an operation that is never
     * sent.
     */
    List<ACL> acl(String fullPath) {
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

    Answer<Created> create(String path, byte[] data, CreateMode mode) {
        Answer<Created> answer = new Answer<>(path);
        List<ACL> acl = acl(path);
        Moment sentAt = clock.now();
        zooKeeper.create(
                path,
                data,
                acl,
                mode,
                (code, asked, context, made, stat) -> {
                    if (code == Code.OK.intValue()) {
                        acknowledged(sentAt);
                        numbers.note(stat.getCzxid());
                        answer.complete(new Created(made, stat.getCzxid(), stat.getEphemeralOwner()));
                    } else {
                        fail(answer, code);
                    }
                },
                null);
        return answer;
    }

    private void fail(Answer<?> answer, int code) {
        life.endIfDead();
        answer.fail(known(code));
    }

    private static Code known(int code) {
        Code known = Code.get(code);
        return known == null ? Code.SYSTEMERROR : known;
    }

    Answer<Code> delete(String path) {
        Answer<Code> answer = new Answer<>(path);
        Moment sentAt = clock.now();
        zooKeeper.delete(
                path,
                NO_VERSION,
                (code, asked, context) -> {
                    if (code == Code.OK.intValue()) {
                        acknowledged(sentAt);
                        answer.complete(Code.OK);
                    } else {
                        fail(answer, code);
                    }
                },
                null);
        return answer;
    }

    Answer<List<String>> children(String path) {
        Answer<List<String>> answer = new Answer<>(path);
        zooKeeper.getChildren(
                path,
                false,
                (code, asked, context, children) -> {
                    if (code == Code.OK.intValue()) {
                        answer.complete(children);
                    } else {
                        fail(answer, code);
                    }
                },
                null);
        return answer;
    }

    Answer<Node> read(String path) {
        Answer<Node> answer = new Answer<>(path);
        zooKeeper.getData(
                path,
                false,
                (code, asked, context, data, stat) -> {
                    if (code == Code.OK.intValue()) {
                        answer.complete(new Node(OwnerData.read(data), stat));
                    } else {
                        fail(answer, code);
                    }
                },
                null);
        return answer;
    }

    /**
     * Asks the server for a watch on a node, and does not wait for the answer. The server keeps the watch only if the
     * node exists.
     *
     * @param refused receives the reason if there is no watch; ZooKeeper's event thread calls it
     */
    void watch(String path, Watcher watcher, Consumer<Code> refused) {
        zooKeeper.getData(
                path,
                watcher,
                (code, asked, context, data, stat) -> {
                    if (code != Code.OK.intValue()) {
                        life.endIfDead();
                        refused.accept(known(code));
                    }
                },
                null);
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
                        validity.lostWithConnection(sentAt);
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
        Answer<Code> answer = new Answer<>(path);
        zooKeeper.sync(
                path,
                (code, asked, context) -> {
                    if (code == Code.OK.intValue()) {
                        answer.complete(Code.OK);
                    } else {
                        fail(answer, code);
                    }
                },
                null);
        return answer;
    }

    /**
     * A node that the server could not check.
     *
     * @param code the reason: the node does not exist, or the client must not read it
     */
    record Unchecked(String path, Code code) {
        boolean isMissing() {
            return code == Code.NONODE;
        }

        KeeperException failure() {
            return KeeperException.create(code, path);
        }
    }

    /**
     * Checks in one transaction that nodes exist. The ensemble commits it like any write, although it changes nothing
     * and triggers no watch.
     *
     * @return the first node that the server could not check, or empty; if there is one, the transaction proves nothing
     */
    Answer<Optional<Unchecked>> check(List<String> paths) {
        Answer<Optional<Unchecked>> answer = new Answer<>(paths.get(0));
        List<Op> checks = new ArrayList<>(paths.size());
        paths.forEach(path -> checks.add(Op.check(path, NO_VERSION)));
        Moment sentAt = clock.now();
        zooKeeper.multi(
                checks,
                (code, asked, context, results) -> {
                    Optional<Unchecked> unchecked = firstUnchecked(paths, results);
                    if (code == Code.OK.intValue()) {
                        acknowledged(sentAt);
                        answer.complete(Optional.empty());
                    } else if (unchecked.isPresent()) {
                        answer.complete(unchecked);
                    } else {
                        fail(answer, code);
                    }
                },
                null);
        return answer;
    }

    /** Returns the first node whose check failed. The checks before it have OK, those after it RUNTIMEINCONSISTENCY. */
    private static Optional<Unchecked> firstUnchecked(List<String> paths, @Nullable List<OpResult> results) {
        if (results == null) {
            return Optional.empty();
        }
        for (int i = 0; i < results.size(); i++) {
            if (results.get(i) instanceof OpResult.ErrorResult error) {
                Code code = Code.get(error.getErr());
                if (code != Code.OK && code != Code.RUNTIMEINCONSISTENCY) {
                    return Optional.of(new Unchecked(paths.get(i), code));
                }
            }
        }
        return Optional.empty();
    }

    /** Asks the server to remove a watch, and does not wait for that. The server drops a watch with its node anyway. */
    void removeWatch(String path, Watcher watcher) {
        removeWatch(zooKeeper, path, watcher);
    }

    static void removeWatch(ZooKeeper zooKeeper, String path, Watcher watcher) {
        zooKeeper.removeWatches(path, watcher, Watcher.WatcherType.Data, true, (code, asked, context) -> {}, null);
    }

    private void acknowledged(Moment sentAt) {
        validity.acknowledged(sentAt, clock.nanoTime());
    }
}

package io.github.distlock.zookeeper;

import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Moment;
import io.github.distlock.zookeeper.Session.Created;
import io.github.distlock.zookeeper.Session.Node;
import io.github.distlock.zookeeper.Session.Unchecked;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.KeeperException.ConnectionLossException;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.OpCode;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one session. Each acknowledged write extends the {@link SessionValidity}, from the time at which this
 * client sent it.
 *
 * <p>Thread-safe.
 */
final class Requests {
    static final int NO_VERSION = -1;
    private static final Map<Integer, Code> CODES =
            Arrays.stream(Code.values()).collect(Collectors.toMap(Code::intValue, code -> code));

    private final ZooKeeper zooKeeper;
    private final SessionValidity validity;
    private final TransactionNumbers numbers;
    private final LockClock clock;

    Requests(ZooKeeper zooKeeper, SessionValidity validity, TransactionNumbers numbers, LockClock clock) {
        this.zooKeeper = zooKeeper;
        this.validity = validity;
        this.numbers = numbers;
        this.clock = clock;
    }

    Request<Created> create(String path, byte[] data, List<ACL> acl, CreateMode mode) {
        return new Creation(path, data, acl, mode);
    }

    Request<Code> delete(String path) {
        return new Deletion(path, NO_VERSION);
    }

    Request<Code> delete(String path, int version) {
        return new Deletion(path, version);
    }

    Request<Long> leaderTime(String node) {
        return new LeaderTime(node);
    }

    Request<Optional<Unchecked>> transaction(Op... operations) {
        return new Transaction(List.of(operations));
    }

    /** Deletes a holder's node and its {@link Companion}. */
    Request<Optional<Unchecked>> endBoth(String holder, String companion) {
        return new Transaction(List.of(Op.delete(holder, NO_VERSION), Op.delete(companion, NO_VERSION))) {
            @Override
            public Optional<Unchecked> callAgain() throws KeeperException, InterruptedException {
                Optional<Unchecked> refused = call();
                // If both nodes are missing, the first request has done it. If the companion exists, the hold was lost.
                boolean holderIsMissing = refused.isPresent() && refused.get().isMissing(holder);
                return holderIsMissing && check(companion).call().isPresent() ? Optional.empty() : refused;
            }
        };
    }

    /** Deletes a holder's node, with further operations. */
    Request<Optional<Unchecked>> end(String holder, Op... further) {
        List<Op> operations = new ArrayList<>();
        operations.add(Op.delete(holder, NO_VERSION));
        operations.addAll(List.of(further));
        return new Transaction(operations) {
            @Override
            public Optional<Unchecked> callAgain() throws KeeperException, InterruptedException {
                // If the holder's node is missing, the first request has done it.
                return call().filter(unchecked -> !unchecked.isMissing(holder));
            }
        };
    }

    Request<Stat> write(String path, byte[] data) {
        return write(path, data, NO_VERSION);
    }

    Request<Stat> write(String path, byte[] data, int version) {
        return new Writing(path, data, version);
    }

    Request<List<String>> children(String path) {
        return new Listing(path);
    }

    Request<Stat> exists(String path) {
        return new Existence(path);
    }

    Request<Node> read(String path) {
        return new Reading(path);
    }

    Request<Code> sync(String path) {
        return new Synchronization(path);
    }

    Request<Optional<Unchecked>> check(String path) {
        return new Transaction(List.of(Op.check(path, NO_VERSION)));
    }

    Request<Optional<Unchecked>> tryRights(String node, List<ACL> acl, boolean writes) {
        List<Op> operations = new ArrayList<>();
        operations.add(Op.check(LockPaths.parent(node), NO_VERSION));
        operations.add(Op.create(node, new byte[0], acl, CreateMode.EPHEMERAL));
        operations.add(Op.check(node, NO_VERSION));
        if (writes) {
            operations.add(Op.setData(node, new byte[0], NO_VERSION));
        }
        operations.add(Op.delete(node, NO_VERSION));
        return new Transaction(operations);
    }

    Request<Optional<Unchecked>> replace(String earlier, String later, byte[] data, List<ACL> acl) {
        return new Transaction(
                List.of(Op.create(later, data, acl, CreateMode.EPHEMERAL), Op.delete(earlier, NO_VERSION)));
    }

    /** Returns the code with a number. {@link Code#get} throws if it is that of a later version. */
    static Code known(int code) {
        return CODES.getOrDefault(code, Code.SYSTEMERROR);
    }

    private static void fail(Request.Receiver<?> receiver, int code) {
        receiver.fail(known(code));
    }

    /** Notes an acknowledged write. An answer that comes too late says nothing about the way to the server. */
    private void acknowledged(Request.Receiver<?> receiver, Moment sentAt) {
        if (!receiver.isDone()) {
            acknowledged(sentAt);
        }
    }

    private void acknowledged(Moment sentAt) {
        validity.acknowledged(sentAt, clock.nanoTime());
    }

    private final class Creation implements Request<Created> {
        private final String path;
        private final byte[] data;
        private final CreateMode mode;
        private final List<ACL> acl;

        Creation(String path, byte[] data, List<ACL> acl, CreateMode mode) {
            this.path = path;
            this.data = data;
            this.mode = mode;
            this.acl = acl;
        }

        @Override
        public String right() {
            return "CREATE on " + LockPaths.parent(path);
        }

        @Override
        public void send(Receiver<Created> receiver) {
            Moment sentAt = clock.now();
            zooKeeper.create(
                    path,
                    data,
                    acl,
                    mode,
                    (code, asked, context, made, stat) -> {
                        if (code == Code.OK.intValue()) {
                            acknowledged(receiver, sentAt);
                            receiver.complete(created(made, stat));
                        } else {
                            fail(receiver, code);
                        }
                    },
                    null);
        }

        @Override
        public Created call() throws KeeperException, InterruptedException {
            Moment sentAt = clock.now();
            Stat stat = new Stat();
            String made = zooKeeper.create(path, data, acl, mode, stat);
            acknowledged(sentAt);
            return created(made, stat);
        }

        private Created created(String made, Stat stat) {
            numbers.note(stat.getCzxid());
            return Created.of(made, stat);
        }

        /** Leaves the outcome unknown, because a second creation could make a second node. */
        @Override
        public Created callAgain() throws KeeperException {
            throw new ConnectionLossException();
        }
    }

    private final class Deletion implements Request<Code> {
        private final String path;
        private final int version;

        Deletion(String path, int version) {
            this.path = path;
            this.version = version;
        }

        @Override
        public String right() {
            return "DELETE on " + LockPaths.parent(path);
        }

        @Override
        public void send(Receiver<Code> receiver) {
            Moment sentAt = clock.now();
            zooKeeper.delete(
                    path,
                    version,
                    (code, asked, context) -> {
                        if (code == Code.OK.intValue()) {
                            acknowledged(receiver, sentAt);
                            receiver.complete(Code.OK);
                        } else {
                            fail(receiver, code);
                        }
                    },
                    null);
        }

        @Override
        public Code call() throws KeeperException, InterruptedException {
            Moment sentAt = clock.now();
            zooKeeper.delete(path, version);
            acknowledged(sentAt);
            return Code.OK;
        }

        @Override
        public Code callAgain() throws KeeperException, InterruptedException {
            try {
                return call();
            } catch (NoNodeException e) {
                // The first request has deleted the node.
                return Code.OK;
            }
        }
    }

    private final class Writing implements Request<Stat> {
        private final String path;
        private final byte[] data;
        private final int version;

        Writing(String path, byte[] data, int version) {
            this.path = path;
            this.data = data;
            this.version = version;
        }

        @Override
        public String right() {
            return "WRITE on " + path;
        }

        @Override
        public void send(Receiver<Stat> receiver) {
            Moment sentAt = clock.now();
            zooKeeper.setData(
                    path,
                    data,
                    version,
                    (code, asked, context, stat) -> {
                        if (code == Code.OK.intValue()) {
                            acknowledged(receiver, sentAt);
                            receiver.complete(written(stat));
                        } else {
                            fail(receiver, code);
                        }
                    },
                    null);
        }

        @Override
        public Stat call() throws KeeperException, InterruptedException {
            Moment sentAt = clock.now();
            Stat stat = zooKeeper.setData(path, data, version);
            acknowledged(sentAt);
            return written(stat);
        }

        private Stat written(Stat stat) {
            numbers.note(stat.getMzxid());
            return stat;
        }

        /** Leaves the outcome unknown, because a second write has another number, and later requests may precede it. */
        @Override
        public Stat callAgain() throws KeeperException {
            throw new ConnectionLossException();
        }
    }

    /** A node exists only within this transaction, so the client needs no rights on it, and no other client sees it. */
    private final class LeaderTime implements Request<Long> {
        private final String node;
        private final List<Op> operations;

        LeaderTime(String node) {
            this.node = node;
            this.operations = List.of(
                    Op.create(node, new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL),
                    Op.setData(node, new byte[0], NO_VERSION),
                    Op.delete(node, NO_VERSION));
        }

        @Override
        public String right() {
            return "CREATE and DELETE on " + LockPaths.parent(node);
        }

        @Override
        public void send(Receiver<Long> receiver) {
            Moment sentAt = clock.now();
            zooKeeper.multi(
                    operations,
                    (code, asked, context, results) -> {
                        if (code == Code.OK.intValue()) {
                            acknowledged(receiver, sentAt);
                            receiver.complete(time(results));
                        } else {
                            fail(receiver, code);
                        }
                    },
                    null);
        }

        @Override
        public Long call() throws KeeperException, InterruptedException {
            Moment sentAt = clock.now();
            List<OpResult> results = zooKeeper.multi(operations);
            acknowledged(sentAt);
            return time(results);
        }

        private static long time(List<OpResult> results) {
            return ((OpResult.SetDataResult) results.get(1)).getStat().getMtime();
        }
    }

    private abstract static class ReadRequest<T> implements Request<T> {
        final String path;

        ReadRequest(String path) {
            this.path = path;
        }

        @Override
        public final String right() {
            return "READ on " + path;
        }
    }

    private final class Listing extends ReadRequest<List<String>> {
        Listing(String path) {
            super(path);
        }

        @Override
        public void send(Receiver<List<String>> receiver) {
            zooKeeper.getChildren(
                    path,
                    false,
                    (code, asked, context, children) -> {
                        if (code == Code.OK.intValue()) {
                            receiver.complete(children);
                        } else {
                            fail(receiver, code);
                        }
                    },
                    null);
        }

        @Override
        public List<String> call() throws KeeperException, InterruptedException {
            return zooKeeper.getChildren(path, false);
        }
    }

    private final class Existence extends ReadRequest<Stat> {
        Existence(String path) {
            super(path);
        }

        @Override
        public void send(Receiver<Stat> receiver) {
            zooKeeper.exists(
                    path,
                    false,
                    (code, asked, context, stat) -> {
                        if (code == Code.OK.intValue()) {
                            receiver.complete(stat);
                        } else {
                            fail(receiver, code);
                        }
                    },
                    null);
        }

        @Override
        public Stat call() throws KeeperException, InterruptedException {
            Stat stat = zooKeeper.exists(path, false);
            if (stat == null) {
                throw new NoNodeException(path);
            }
            return stat;
        }
    }

    private final class Reading extends ReadRequest<Node> {
        Reading(String path) {
            super(path);
        }

        @Override
        public void send(Receiver<Node> receiver) {
            zooKeeper.getData(
                    path,
                    false,
                    (code, asked, context, data, stat) -> {
                        if (code == Code.OK.intValue()) {
                            receiver.complete(new Node(OwnerData.read(data), stat));
                        } else {
                            fail(receiver, code);
                        }
                    },
                    null);
        }

        @Override
        public Node call() throws KeeperException, InterruptedException {
            Stat stat = new Stat();
            byte[] data = zooKeeper.getData(path, false, stat);
            return new Node(OwnerData.read(data), stat);
        }
    }

    private final class Synchronization extends ReadRequest<Code> {
        Synchronization(String path) {
            super(path);
        }

        @Override
        public void send(Receiver<Code> receiver) {
            zooKeeper.sync(
                    path,
                    (code, asked, context) -> {
                        if (code == Code.OK.intValue()) {
                            receiver.complete(Code.OK);
                        } else {
                            fail(receiver, code);
                        }
                    },
                    null);
        }

        /** Sends a check, which the leader orders behind all that it has accepted. Old clients can only send a sync. */
        @Override
        public Code call() throws KeeperException, InterruptedException {
            var unused = check(path).call();
            return Code.OK;
        }
    }

    private class Transaction implements Request<Optional<Unchecked>> {
        private final List<Op> operations;

        Transaction(List<Op> operations) {
            this.operations = operations;
        }

        @Override
        public String right() {
            return right(operations.get(0));
        }

        private static String right(Op operation) {
            return switch (operation.getType()) {
                case OpCode.create -> "CREATE on " + LockPaths.parent(operation.getPath());
                case OpCode.setData -> "WRITE on " + operation.getPath();
                case OpCode.delete -> "DELETE on " + LockPaths.parent(operation.getPath());
                default -> "READ on " + operation.getPath();
            };
        }

        @Override
        public void send(Receiver<Optional<Unchecked>> receiver) {
            Moment sentAt = clock.now();
            zooKeeper.multi(
                    operations,
                    (code, asked, context, results) -> {
                        Optional<Unchecked> unchecked = firstUnchecked(results);
                        if (code == Code.OK.intValue()) {
                            acknowledged(receiver, sentAt);
                            receiver.complete(Optional.empty());
                        } else if (unchecked.isPresent()) {
                            receiver.complete(unchecked);
                        } else {
                            fail(receiver, code);
                        }
                    },
                    null);
        }

        @Override
        public Optional<Unchecked> call() throws KeeperException, InterruptedException {
            Moment sentAt = clock.now();
            try {
                var unused = zooKeeper.multi(operations);
            } catch (KeeperException e) {
                Optional<Unchecked> unchecked = firstUnchecked(e.getResults());
                if (unchecked.isPresent()) {
                    return unchecked;
                }
                throw e;
            }
            acknowledged(sentAt);
            return Optional.empty();
        }

        /** Returns the first operation that failed. Those before it have OK, later ones RUNTIMEINCONSISTENCY. */
        private Optional<Unchecked> firstUnchecked(@Nullable List<OpResult> results) {
            if (results == null) {
                return Optional.empty();
            }
            for (int i = 0; i < results.size(); i++) {
                if (results.get(i) instanceof OpResult.ErrorResult error) {
                    Code code = known(error.getErr());
                    if (code != Code.OK && code != Code.RUNTIMEINCONSISTENCY) {
                        return Optional.of(new Unchecked(operations.get(i).getPath(), code, right(operations.get(i))));
                    }
                }
            }
            return Optional.empty();
        }
    }
}

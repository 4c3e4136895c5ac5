package io.github.distlock.simulator.zookeeper;

import static java.util.Objects.requireNonNull;

import io.github.distlock.simulator.Connection;
import io.github.distlock.simulator.zookeeper.Transaction.Change;
import io.github.distlock.simulator.zookeeper.Transaction.Deletion;
import io.github.distlock.simulator.zookeeper.Transaction.End;
import io.github.distlock.simulator.zookeeper.Transaction.Opening;
import io.github.distlock.simulator.zookeeper.Transaction.Refusal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.MultiOperationRecord;
import org.apache.zookeeper.ZooDefs.OpCode;
import org.jspecify.annotations.Nullable;

/**
 * What a server does as leader: it orders all transactions of an epoch, commits those that most servers have stored,
 * and ends sessions.
 */
final class Leadership {
    private static final long NANOS = 1_000_000;

    private final Server self;
    private final EnsembleSettings settings;
    private final int term;
    private final long epoch;
    /** With all transactions that this leader has accepted. */
    private final Tree accepted;

    private final SessionTimers timers;
    private final Map<Server, Follower> followers = new LinkedHashMap<>();
    private final List<Sync> syncs = new ArrayList<>();
    private int quorum;
    private int stored;
    private int committed;
    private long count;

    private static final class Follower {
        private final Connection link;
        private final int term;
        private long lastHeard;
        private int stored;

        Follower(Connection link, int term, long now, int stored) {
            this.link = link;
            this.term = term;
            this.lastHeard = now;
            this.stored = stored;
        }
    }

    /** A sync that waits until a number of transactions is committed. */
    private record Sync(Request request, Server over, int transactions) {}

    Leadership(Server self) {
        this.self = self;
        this.settings = self.settings();
        this.term = self.term();
        this.epoch = self.epoch();
        this.accepted = self.tree().copy();
        this.timers = new SessionTimers(settings.tick());
        this.stored = self.log().size();
        this.committed = stored;
    }

    Server self() {
        return self;
    }

    long epoch() {
        return epoch;
    }

    int committed() {
        return committed;
    }

    /** Gives each session its whole timeout, since no server knows when it was last heard of. */
    void begin() {
        accepted.sessions().forEach((session, timeout) -> timers.add(session, timeout, null, self.millis()));
        self.every(settings.tick() * NANOS / 2, this::ping);
        self.every(settings.tick() * NANOS, this::checkQuorum);
        self.after((settings.tick() - self.millis() % settings.tick()) * NANOS, this::endSessions);
        self.every(settings.containerInterval() * NANOS, this::deleteContainers);
    }

    void quorum(int servers) {
        quorum = servers / 2 + 1;
    }

    void end() {
        followers.values().forEach(follower -> follower.link.breakOff());
        followers.clear();
    }

    // Followers

    void add(Server follower, Connection link) {
        follower.follow(this, link);
        followers.put(
                follower,
                new Follower(
                        link,
                        follower.term(),
                        self.world().nanoTime(),
                        self.log().size()));
        link.onBrokenForServer(() -> self.deliver(term, () -> {
            Follower known = followers.get(follower);
            if (known != null && known.link == link) {
                followers.remove(follower);
            }
        }));
        commit();
    }

    /** Runs what a message of a follower causes. */
    void deliver(Server from, Runnable task) {
        self.deliver(term, () -> {
            Follower follower = followers.get(from);
            if (follower != null) {
                follower.lastHeard = self.world().nanoTime();
                task.run();
            }
        });
    }

    /** Sends a message to a follower. */
    void send(Server to, Runnable task) {
        Follower follower = followers.get(to);
        if (follower != null) {
            follower.link.toClient(() -> to.deliver(follower.term, () -> {
                to.heardFromLeader();
                task.run();
            }));
        }
    }

    private void ping() {
        new LinkedHashMap<>(followers).forEach((server, follower) -> {
            if (isSilent(follower)) {
                followers.remove(server);
                follower.link.breakOff();
            } else {
                send(server, server::pinged);
            }
        });
    }

    private boolean isSilent(Follower follower) {
        return self.world().nanoTime() - follower.lastHeard > settings.syncNanos();
    }

    private void checkQuorum() {
        long heard = followers.values().stream()
                .filter(follower -> !isSilent(follower))
                .count();
        if (heard + 1 < quorum) {
            self.lookForLeader();
        }
    }

    // Sessions

    void touched(Map<Long, Integer> report) {
        report.forEach(this::touch);
    }

    boolean touch(long session, int timeout) {
        return timers.touch(session, timeout, self.millis());
    }

    boolean reopen(long session, int timeout, Server over) {
        boolean exists = touch(session, timeout);
        if (exists) {
            timers.move(session, over);
        }
        return exists;
    }

    void removed(long session) {
        timers.remove(session);
    }

    private void endSessions() {
        for (long session : timers.ended(self.millis())) {
            self.world().trace(self.name(), () -> "ends the session 0x" + Long.toHexString(session));
            timers.close(session);
            propose(session, List.of(new End(accepted.ephemerals(session))), null);
        }
        self.after((settings.tick() - self.millis() % settings.tick()) * NANOS, this::endSessions);
    }

    /** Deletes empty container nodes. Returns whether there was one. */
    boolean deleteContainers() {
        boolean deletes = false;
        for (String path : self.tree().emptyContainers()) {
            Node node = accepted.get(path);
            if (node != null && node.children.isEmpty()) {
                propose(0, List.of(new Deletion(path)), null);
                deletes = true;
            }
        }
        return deletes;
    }

    // Transactions

    void submit(Request request, Server over) {
        long session = request.connection().session();
        switch (request.header().getType()) {
            case OpCode.sync -> sync(new Sync(request, over, self.log().size()));
            case OpCode.createSession -> {
                int timeout = request.connection().timeout();
                timers.add(session, timeout, over, self.millis());
                propose(session, List.of(new Opening(timeout)), request);
            }
            case OpCode.closeSession -> {
                timers.close(session);
                propose(session, List.of(new End(accepted.ephemerals(session))), request);
            }
            default -> {
                Code code = timers.check(session, over);
                propose(
                        session,
                        code == Code.OK
                                ? new Preparation(accepted, session).prepare(requireNonNull(request.body()))
                                : refused(request, code),
                        request);
            }
        }
    }

    /** Accepts what a program asks for whose session nobody needs. */
    void change(Function<Tree, List<Change>> program) {
        List<Change> changes = program.apply(accepted);
        if (!changes.isEmpty()) {
            propose(0, changes, null);
        }
    }

    private static List<Change> refused(Request request, Code code) {
        List<Change> refusals = new ArrayList<>();
        refusals.add(new Refusal(code));
        if (request.body() instanceof MultiOperationRecord multi) {
            while (refusals.size() < multi.size()) {
                refusals.add(new Refusal(Code.RUNTIMEINCONSISTENCY));
            }
        }
        return refusals;
    }

    private void propose(long session, List<Change> changes, @Nullable Request origin) {
        long zxid = (epoch << 32) + ++count;
        Transaction transaction = new Transaction(zxid, self.wallMillis(), session, changes, origin);
        self.log().add(transaction);
        var unused = accepted.apply(transaction, Tree.Watches.NONE);
        for (Server follower : followers.keySet()) {
            send(follower, () -> follower.proposed(transaction));
        }
        int size = self.log().size();
        self.stored(() -> {
            stored = Math.max(stored, size);
            self.durable(size);
            commit();
        });
    }

    void acknowledged(Server from, int size) {
        Follower follower = requireNonNull(followers.get(from));
        follower.stored = Math.max(follower.stored, size);
        commit();
    }

    private void commit() {
        int before = committed;
        while (isStoredByQuorum(committed + 1)) {
            committed++;
        }
        if (committed == before) {
            return;
        }
        int commits = committed;
        for (Server follower : followers.keySet()) {
            send(follower, () -> follower.committed(commits, () -> {}));
        }
        self.committed(commits, () -> {});
        List<Sync> due =
                syncs.stream().filter(sync -> sync.transactions() <= commits).toList();
        syncs.removeAll(due);
        due.forEach(this::sync);
    }

    private boolean isStoredByQuorum(int size) {
        if (size > self.log().size()) {
            return false;
        }
        int stores = stored >= size ? 1 : 0;
        for (Follower follower : followers.values()) {
            stores += follower.stored >= size ? 1 : 0;
        }
        return stores >= quorum;
    }

    /** Answers a sync, behind the commits of all transactions that this leader had accepted before it. */
    private void sync(Sync sync) {
        if (sync.transactions() > committed) {
            syncs.add(sync);
            return;
        }
        int before = committed;
        Server over = sync.over();
        Runnable answer = () -> sync.request().connection().synced(sync.request());
        if (over == self) {
            over.committed(before, answer);
        } else {
            send(over, () -> over.committed(before, answer));
        }
    }
}

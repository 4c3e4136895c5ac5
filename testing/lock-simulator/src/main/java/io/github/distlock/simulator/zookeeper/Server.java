package io.github.distlock.simulator.zookeeper;

import io.github.distlock.simulator.Connection;
import io.github.distlock.simulator.World;
import io.github.distlock.simulator.zookeeper.Transaction.End;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.apache.zookeeper.MultiOperationRecord;
import org.apache.zookeeper.data.Stat;
import org.jspecify.annotations.Nullable;

/**
 * One server. It answers reads from what it has applied, and passes writes on to its leader. It notes which sessions it
 * has heard of, and reports them only when the leader pings it.
 *
 * <p>Each change of its role is a new <em>term</em>. Timers and messages of an earlier term do nothing. While a server
 * is paused, both wait. When it continues, those that are due run in any order, except that messages keep theirs: a
 * real server has several threads.
 */
final class Server {
    private static final long NANOS = 1_000_000;
    private static final long LONGEST_UPTIME = 1L << 50;
    private static final long EPOCH_MILLIS = 1_800_000_000_000L;

    private final Ensemble ensemble;
    private final World world;
    private final EnsembleSettings settings;
    private final String name;
    private final long origin;
    private final int number;
    private final Deque<Runnable> messages = new ArrayDeque<>();
    private final Deque<Runnable> overdue = new ArrayDeque<>();
    private final Set<ServerConnection> connections = new LinkedHashSet<>();
    private final Map<Long, Integer> touched = new TreeMap<>();
    private final Deque<Runnable> committed = new ArrayDeque<>();
    private final List<Transaction> log = new ArrayList<>();
    private int durable;
    private long epoch;
    private Tree tree = new Tree();
    private int applied;
    private Watches watches = new Watches();
    private boolean up = true;
    private boolean paused;
    private boolean losesAnswer;
    private boolean losesAnswerToTransaction;
    private int term;
    private @Nullable Leadership leadership;
    private @Nullable Membership membership;
    private long heardFromLeader;
    private long diskFreeAt;
    private long lagsUntil;
    private long slowDiskUntil;

    /** The connection of a follower to its leader. */
    private record Membership(Leadership leader, Connection link) {}

    Server(Ensemble ensemble, World world, EnsembleSettings settings, int number) {
        this.ensemble = ensemble;
        this.world = world;
        this.settings = settings;
        this.number = number;
        this.name = "zk" + (number + 1);
        this.origin = world.random().nextLong(LONGEST_UPTIME);
    }

    String name() {
        return name;
    }

    int number() {
        return number;
    }

    /** Returns the monotonic clock in milliseconds. The ticks of a leader do not begin with its pings. */
    long millis() {
        return (origin + world.nanoTime()) / NANOS;
    }

    long wallMillis() {
        return EPOCH_MILLIS + world.nanoTime() / NANOS;
    }

    World world() {
        return world;
    }

    EnsembleSettings settings() {
        return settings;
    }

    Tree tree() {
        return tree;
    }

    Watches watches() {
        return watches;
    }

    List<Transaction> log() {
        return log;
    }

    long epoch() {
        return epoch;
    }

    boolean isUp() {
        return up;
    }

    boolean isPaused() {
        return paused;
    }

    boolean isServing() {
        return leadership != null || membership != null;
    }

    @Nullable
    Leadership leadership() {
        return leadership;
    }

    int term() {
        return term;
    }

    /** Returns the number of the last transaction in the log, whether it is committed or not. */
    long lastLogged() {
        return log.isEmpty() ? 0 : log.get(log.size() - 1).zxid();
    }

    // Running

    /** Runs what a message causes, as soon as this server runs. */
    void deliver(Runnable task) {
        if (paused) {
            messages.add(task);
        } else if (up) {
            task.run();
        }
    }

    /** Runs what a message causes, if the term is still the same. */
    void deliver(int sentIn, Runnable task) {
        deliver(() -> {
            if (term == sentIn) {
                task.run();
            }
        });
    }

    /** Runs a timer of this term. */
    void after(long nanos, Runnable task) {
        int begunIn = term;
        world.at(world.nanoTime() + nanos, () -> {
            Runnable timer = () -> {
                if (term == begunIn) {
                    task.run();
                }
            };
            if (paused) {
                overdue.add(timer);
            } else {
                timer.run();
            }
        });
    }

    /** Runs a task again and again in this term. */
    void every(long nanos, Runnable task) {
        after(nanos, () -> {
            task.run();
            every(nanos, task);
        });
    }

    /** Runs a task when the disk has stored what was written before. */
    void stored(Runnable task) {
        long now = world.nanoTime();
        long longest = slowDiskUntil > now ? 1_000 * NANOS : settings.disk() * NANOS;
        diskFreeAt = Math.max(diskFreeAt, now) + world.random().nextLong(longest + 1);
        after(diskFreeAt - now, task);
    }

    void pause() {
        paused = up;
    }

    void resume() {
        paused = false;
        while (!paused && !(messages.isEmpty() && overdue.isEmpty())) {
            boolean isMessage =
                    overdue.isEmpty() || (!messages.isEmpty() && world.random().nextBoolean());
            (isMessage ? messages : overdue).remove().run();
        }
    }

    /** Ends the process. What the disk has not stored is lost. */
    void crash() {
        leave();
        up = false;
        paused = false;
        messages.clear();
        overdue.clear();
        diskFreeAt = 0;
        log.subList(Math.min(durable, log.size()), log.size()).clear();
        tree = new Tree();
        applied = 0;
    }

    void restart() {
        up = true;
        ensemble.electSoon(this);
    }

    /** Applies commits only after a time. Pings go on. */
    void lag(long until) {
        lagsUntil = Math.max(lagsUntil, until);
    }

    /** Stores what it writes slowly until a time. */
    void slowDisk(long until) {
        slowDiskUntil = Math.max(slowDiskUntil, until);
    }

    // Roles

    /** Becomes the leader of an epoch. All that it has logged is committed. */
    Leadership lead(long newEpoch) {
        epoch = newEpoch;
        durable = log.size();
        apply(log.size());
        heardFromLeader = world.nanoTime();
        term++;
        Leadership made = new Leadership(this);
        leadership = made;
        world.trace(name, () -> "leads epoch " + newEpoch);
        made.begin();
        return made;
    }

    /** Becomes a follower, and takes over the log of the leader. */
    void follow(Leadership leader, Connection link) {
        epoch = leader.epoch();
        List<Transaction> theirs = leader.self().log();
        int common = Math.min(log.size(), theirs.size());
        while (common > 0
                && log.get(common - 1).zxid() != theirs.get(common - 1).zxid()) {
            common--;
        }
        log.subList(common, log.size()).clear();
        log.addAll(theirs.subList(common, theirs.size()));
        durable = log.size();
        if (applied > common) {
            tree = new Tree();
            applied = 0;
        }
        apply(leader.committed());
        heardFromLeader = world.nanoTime();
        term++;
        membership = new Membership(leader, link);
        int joined = term;
        link.onBrokenForClient(() -> deliver(joined, this::lookForLeader));
        world.trace(name, () -> "follows " + leader.self().name());
        every(settings.tick() * NANOS, this::checkLeader);
    }

    private void apply(int until) {
        for (; applied < until; applied++) {
            var unused = tree.apply(log.get(applied), Tree.Watches.NONE);
        }
    }

    private void checkLeader() {
        if (world.nanoTime() - heardFromLeader > settings.syncNanos()) {
            lookForLeader();
        }
    }

    void lookForLeader() {
        if (isServing()) {
            world.trace(name, () -> "stops serving");
            leave();
            ensemble.electSoon(this);
        }
    }

    private void leave() {
        term++;
        List.copyOf(connections).forEach(ServerConnection::crash);
        connections.clear();
        watches = new Watches();
        touched.clear();
        committed.clear();
        lagsUntil = 0;
        Membership left = membership;
        membership = null;
        if (left != null) {
            left.link().breakOff();
        }
        Leadership led = leadership;
        leadership = null;
        if (led != null) {
            led.end();
        }
    }

    // Messages of the leader

    void heardFromLeader() {
        heardFromLeader = world.nanoTime();
    }

    void proposed(Transaction transaction) {
        log.add(transaction);
        int count = log.size();
        stored(() -> {
            durable(count);
            toLeader((leader, self) -> leader.acknowledged(self, count));
        });
    }

    void durable(int count) {
        durable = Math.max(durable, count);
    }

    void pinged() {
        Map<Long, Integer> report = new TreeMap<>(touched);
        touched.clear();
        toLeader((leader, self) -> leader.touched(report));
    }

    /** Applies the next transactions up to a count, and then runs a task. */
    void committed(int count, Runnable after) {
        committed.add(() -> {
            while (applied < count) {
                applyNext();
            }
            after.run();
        });
        if (committed.size() == 1) {
            applyCommitted();
        }
    }

    private void applyCommitted() {
        long now = world.nanoTime();
        if (now < lagsUntil) {
            after(lagsUntil - now, this::applyCommitted);
            return;
        }
        while (!committed.isEmpty()) {
            committed.remove().run();
        }
    }

    private void applyNext() {
        Transaction next = log.get(applied++);
        List<@Nullable Stat> results = tree.apply(next, watches);
        boolean ends = next.changes().get(0) instanceof End;
        if (ends && leadership != null) {
            leadership.removed(next.session());
        }
        Request origin = next.origin();
        if (origin != null && origin.connection().server() == this) {
            origin.connection().committed(next, results);
        }
        if (ends) {
            List.copyOf(connections).stream()
                    .filter(connection -> connection.session() == next.session())
                    .forEach(ServerConnection::closeByServer);
        }
    }

    private void toLeader(BiConsumer<Leadership, Server> message) {
        Membership present = membership;
        if (present != null) {
            Leadership leader = present.leader();
            present.link().toServer(() -> leader.deliver(this, () -> message.accept(leader, this)));
        }
    }

    // Clients

    void accept(ServerConnection connection) {
        connections.add(connection);
    }

    void ended(ServerConnection connection) {
        connections.remove(connection);
        watches.remove(connection);
    }

    /** Loses the connections of all clients, with the messages that are under way. */
    void breakConnections() {
        List.copyOf(connections).forEach(ServerConnection::breakOff);
    }

    /** Loses the next answer to a change, or to a transaction of several ones, which are rare. */
    void loseAnswer(boolean toTransaction) {
        losesAnswer = true;
        losesAnswerToTransaction = toTransaction;
    }

    /** Returns whether this answer to a change is lost, together with the connection. The next one is not. */
    boolean losesAnswer(Request request) {
        boolean loses = losesAnswer && (!losesAnswerToTransaction || request.body() instanceof MultiOperationRecord);
        losesAnswer &= !loses;
        return loses;
    }

    void closeOthers(ServerConnection connection) {
        List.copyOf(connections).stream()
                .filter(other -> other != connection && other.session() == connection.session())
                .forEach(ServerConnection::closeByServer);
    }

    int granted(int timeout) {
        return Math.max(settings.shortest(), Math.min(settings.longest(), timeout));
    }

    long newSession() {
        return ensemble.newSession(number);
    }

    void touch(long session, int timeout) {
        if (leadership != null) {
            var unused = leadership.touch(session, timeout);
        } else {
            touched.put(session, timeout);
        }
    }

    void forward(Request request) {
        if (leadership != null) {
            leadership.submit(request, this);
        } else {
            toLeader((leader, self) -> leader.submit(request, self));
        }
    }

    /** Has the leader restart the timer of a session, and note that it is connected over this server. */
    void reopen(ServerConnection connection) {
        if (leadership != null) {
            connection.reopened(leadership.reopen(connection.session(), connection.timeout(), this));
        } else {
            toLeader((leader, self) -> {
                boolean exists = leader.reopen(connection.session(), connection.timeout(), self);
                leader.send(self, () -> connection.reopened(exists));
            });
        }
    }

    @Override
    public String toString() {
        return name;
    }
}

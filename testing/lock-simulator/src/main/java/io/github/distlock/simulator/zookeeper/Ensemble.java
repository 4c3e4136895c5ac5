package io.github.distlock.simulator.zookeeper;

import static java.util.Objects.requireNonNull;

import io.github.distlock.simulator.Connection;
import io.github.distlock.simulator.Network;
import io.github.distlock.simulator.World;
import io.github.distlock.simulator.zookeeper.Transaction.Change;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The servers of an ensemble, and their elections.
 *
 * <p>An election takes no messages here: of the servers that look for a leader and reach each other, the one with the
 * newest log leads, if they are a quorum. A server joins a leader whose epoch is not older than the newest one that the
 * server has followed. So of two leaders at a time, at most one has a quorum.
 */
final class Ensemble {
    private static final long NANOS = 1_000_000;
    private static final long SHORTEST_ELECTION = 20 * NANOS;
    private static final long LONGEST_ELECTION = 500 * NANOS;

    private final World world;
    private final Network network;
    private final List<Server> servers = new ArrayList<>();
    private long sessions;

    /**
     * Creates the servers. They elect a leader at once.
     *
     * @param count how many servers
     */
    Ensemble(World world, Network network, EnsembleSettings settings, int count) {
        this.world = world;
        this.network = network;
        for (int i = 0; i < count; i++) {
            servers.add(new Server(this, world, settings, i));
        }
        elect(servers.get(0));
    }

    /** {@return how many servers there are} */
    int size() {
        return servers.size();
    }

    /**
     * Opens a connection to a server.
     *
     * @param client the name of the process
     * @param server the number of the server
     * @param listener hears of the connection
     * @return the connection, which is not open yet
     */
    ServerConnection connect(String client, int server, EnsembleClient listener) {
        Server asked = servers.get(server);
        Connection link = network.connect(client, asked.name());
        ServerConnection connection = new ServerConnection(asked, client, link, listener);
        link.toServer(() -> {
            if (asked.isUp()) {
                asked.accept(connection);
                link.toClient(listener::opened);
            } else {
                connection.closeByServer();
            }
        });
        return connection;
    }

    long newSession(int server) {
        return (server + 1L) << 56 | ++sessions;
    }

    // Elections

    void electSoon(Server server) {
        server.after(SHORTEST_ELECTION + world.random().nextLong(LONGEST_ELECTION), () -> {
            elect(server);
            if (!server.isServing()) {
                electSoon(server);
            }
        });
    }

    private void elect(Server server) {
        Optional<Server> leader = servers.stream()
                .filter(other -> other.leadership() != null && other.epoch() >= server.epoch() && reach(server, other))
                .findFirst();
        if (leader.isPresent()) {
            join(server, leader.get());
            return;
        }
        Optional<Server> best =
                looking(server).max(Comparator.comparing(Server::lastLogged).thenComparing(Server::number));
        List<Server> followers = best.stream().flatMap(this::looking).toList();
        if (followers.size() <= servers.size() / 2) {
            return;
        }
        Server elected = best.get();
        long epoch = followers.stream().mapToLong(Server::epoch).max().orElseThrow() + 1;
        elected.lead(epoch).quorum(servers.size());
        followers.stream().filter(follower -> follower != elected).forEach(follower -> join(follower, elected));
    }

    private Stream<Server> looking(Server from) {
        return servers.stream().filter(other -> !other.isServing() && reach(from, other));
    }

    private boolean reach(Server one, Server other) {
        return one == other || (other.isUp() && !other.isPaused() && network.isOpen(one.name(), other.name()));
    }

    private void join(Server follower, Server leader) {
        requireNonNull(leader.leadership()).add(follower, network.connect(follower.name(), leader.name()));
    }

    // Faults

    /** {@return the number of the server that leads the newest epoch, or -1} */
    int leader() {
        return servers.stream()
                .filter(server -> server.leadership() != null)
                .max(Comparator.comparing(Server::epoch))
                .map(Server::number)
                .orElse(-1);
    }

    /** {@return whether a server runs} */
    boolean isUp(int server) {
        return servers.get(server).isUp();
    }

    /** {@return the name of a server on the network} */
    String name(int server) {
        return servers.get(server).name();
    }

    /** Kills a server. */
    void crash(int server) {
        if (isUp(server)) {
            servers.get(server).crash();
        }
    }

    /** Starts a server that was killed. */
    void restart(int server) {
        if (!isUp(server)) {
            servers.get(server).restart();
        }
    }

    /** Stops a process, which keeps its connections. */
    void pause(int server) {
        servers.get(server).pause();
    }

    /** Lets a process continue. */
    void resume(int server) {
        servers.get(server).resume();
    }

    /** Breaks the connections of a server's clients. */
    void breakConnections(int server) {
        servers.get(server).breakConnections();
    }

    /** Has a server break a connection in place of its next answer to a change. */
    void loseAnswer(int server, boolean toTransaction) {
        servers.get(server).loseAnswer(toTransaction);
    }

    /** Has a server apply commits only after a time. Its pings go on. */
    void lag(int server, long until) {
        servers.get(server).lag(until);
    }

    /** Has a server store what it writes slowly until a time. */
    void slowDisk(int server, long until) {
        servers.get(server).slowDisk(until);
    }

    /** Has the leader delete empty container nodes now. Returns whether there was one. */
    boolean deleteContainers() {
        int leader = leader();
        return leader >= 0
                && !servers.get(leader).isPaused()
                && requireNonNull(servers.get(leader).leadership()).deleteContainers();
    }

    /** Has another program change nodes, if a leader runs. It decides by all that the leader has accepted. */
    void change(Function<Tree, List<Change>> program) {
        int leader = leader();
        if (leader >= 0 && !servers.get(leader).isPaused()) {
            requireNonNull(servers.get(leader).leadership()).change(program);
        }
    }

    /** Returns the nodes that the leader has committed, with the numbers of the transactions that created them. */
    List<String> nodesWithNumbers() {
        return nodes().stream().map(path -> path + " " + node(path).czxid).toList();
    }

    /** Returns the session of a node that the leader has committed. */
    long owner(String path) {
        return node(path).owner;
    }

    private Node node(String path) {
        return requireNonNull(servers.get(leader()).tree().get(path));
    }

    /**
     * Returns the nodes that the leader has committed.
     *
     * @return paths, sorted; none if there is no leader
     */
    List<String> nodes() {
        int leader = leader();
        return leader < 0 ? List.of() : servers.get(leader).tree().paths();
    }
}

package io.github.distlock.simulator.zookeeper;

import io.github.distlock.simulator.Network;
import io.github.distlock.simulator.SimulatedProcess;
import io.github.distlock.simulator.SimulatedStore;
import io.github.distlock.simulator.World;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import io.github.distlock.zookeeper.ZooKeeperBackendBuilder;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.SimulatedClientSocket;
import org.apache.zookeeper.client.ZKClientConfig;

/**
 * An ensemble of three servers. The clients are Curator and ZooKeeper's own, of which only the socket is simulated.
 * They are either the backend's own or caller-supplied.
 */
public final class ZooKeeperStore implements SimulatedStore {
    private static final long NANOS = 1_000_000;
    private static final int SERVERS = 3;
    private static final Set<Code> OF_NODES = Set.of(Code.NODEEXISTS, Code.NONODE, Code.BADVERSION, Code.NOTEMPTY);
    private static final int MOST_REPETITIONS = 8;
    private static final long LOOKS_EVERY = 5 * NANOS;
    private static final Pattern CONTENDER = Pattern.compile("/distlock/.*/_c_.*");

    private static final String KEPT = "-kept-lock-";

    private static final String CRASH = "crash of a server";
    private static final String PAUSE = "pause of a server";
    private static final String ELECTION = "crash of the leader";
    private static final String LEADER_PAUSE = "pause of the leader";
    private static final String STALE_LEADER = "pause of the leader, and silence of a follower";
    private static final String LAG = "late commits of a server";
    private static final String DISK = "slow disk of a server";
    private static final String PARTITION = "silence between two servers";

    /** Connections that break, some of them in place of an answer. */
    public static final String RESET = "broken connections of clients";

    /** Deleted nodes of waiters, and nodes whose data is written. */
    public static final String OPERATOR = "nodes that an operator changes";

    /** Container nodes that the leader deletes because they are empty. It usually looks for them less often. */
    public static final String EMPTIED = "deletion of empty directories";

    /** A lock of Curator, which waits and holds as any other. */
    public static final String CURATOR = "lock of another library";

    private static final List<String> ALL =
            List.of(CRASH, PAUSE, ELECTION, LEADER_PAUSE, STALE_LEADER, LAG, DISK, PARTITION, RESET, OPERATOR, CURATOR);

    private final List<String> faults;
    private final World world;
    private final Network network;
    private final Ensemble ensemble;
    private final OtherPrograms programs;
    private final Map<SimulatedProcess, CuratorFramework> supplied = new HashMap<>();
    private final int tick;
    private final int sessionTimeout;
    private final boolean tickIsSet;
    private final boolean hasOwnClients;

    /**
     * Creates an ensemble.
     *
     * @param world the simulation
     * @param network connects the servers with each other and with clients
     */
    public ZooKeeperStore(World world, Network network) {
        this(world, network, ALL, 10);
    }

    /**
     * Creates an ensemble with short sessions, whose leader often learns no touches of a follower after a pause.
     *
     * @param world the simulation
     * @param network connects the servers with each other and with clients
     * @return the store
     */
    public static ZooKeeperStore withStaleLeaders(World world, Network network) {
        return new ZooKeeperStore(world, network, List.of(STALE_LEADER), 5);
    }

    private ZooKeeperStore(World world, Network network, List<String> faults, int mostTicks) {
        this.faults = faults;
        this.world = world;
        this.network = network;
        System.setProperty(ZKClientConfig.ZOOKEEPER_CLIENT_CNXN_SOCKET, SimulatedClientSocket.class.getName());
        // It would look up the names of the servers.
        System.setProperty(ZKClientConfig.ENABLE_CLIENT_SASL_KEY, "false");
        tick = 400 + world.random().nextInt(1600);
        sessionTimeout = tick * world.random().nextInt(2, mostTicks + 1);
        tickIsSet = world.random().nextBoolean();
        hasOwnClients = world.random().nextBoolean();
        ensemble = new Ensemble(world, network, EnsembleSettings.of(tick), SERVERS);
        programs = new OtherPrograms(world, ensemble);
        Addresses.begin(ensemble);
    }

    @Override
    public LockBackend backend(SimulatedProcess process) {
        String connectString = Addresses.connectString(process.name(), SERVERS, world.random());
        if (hasOwnClients) {
            return withTick(ZooKeeperBackend.builder(connectString).sessionTimeout(Duration.ofMillis(sessionTimeout)));
        }
        CuratorFramework curator = started(connectString);
        supplied.put(process, curator);
        return closing(withTick(ZooKeeperBackend.builder(curator)), curator);
    }

    private LockBackend withTick(ZooKeeperBackendBuilder builder) {
        return (tickIsSet ? builder.tick(Duration.ofMillis(tick)) : builder).build();
    }

    /** Closes a caller-supplied client after its backend, as an application does. */
    private static LockBackend closing(LockBackend backend, CuratorFramework curator) {
        return (LockBackend) Proxy.newProxyInstance(
                LockBackend.class.getClassLoader(), new Class<?>[] {LockBackend.class}, (proxy, method, arguments) -> {
                    try {
                        return method.invoke(backend, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    } finally {
                        if (method.getName().equals("close")) {
                            curator.close();
                        }
                    }
                });
    }

    @Override
    public boolean closeClientLibrary(SimulatedProcess process) {
        CuratorFramework curator = supplied.get(process);
        if (curator == null) {
            return false;
        }
        Thread unused = process.start("closing", curator::close);
        return true;
    }

    private CuratorFramework started(String connectString) {
        CuratorFramework curator = CuratorFrameworkFactory.builder()
                .connectString(connectString)
                .sessionTimeoutMs(sessionTimeout)
                .connectionTimeoutMs(sessionTimeout)
                .retryPolicy(new RetryOneTime(100))
                .ensembleTracker(false)
                .build();
        curator.start();
        return curator;
    }

    @Override
    public List<String> servers() {
        return IntStream.range(0, SERVERS).mapToObj(ensemble::name).toList();
    }

    /**
     * A client creates nodes with unique names, and knows what it means if a node is missing or was changed. So no
     * caller has to know.
     */
    @Override
    public boolean mayFailWith(Throwable failure) {
        for (Throwable each = failure; each != null; each = each.getCause()) {
            if (each instanceof KeeperException refused && OF_NODES.contains(refused.code())) {
                return false;
            }
        }
        return true;
    }

    /** An election gives each session its whole timeout again. */
    @Override
    public Duration longestExpiry() {
        return Duration.ofMillis(2L * (sessionTimeout + tick) + 6L * tick);
    }

    @Override
    public boolean wakesWaitersAtOnce() {
        return !programs.haveLocked();
    }

    @Override
    public List<String> faults() {
        return faults;
    }

    @Override
    public List<String> excludedFaults() {
        return List.of();
    }

    @Override
    public long strike(String fault, long choice) {
        int server = (int) (choice % SERVERS);
        int leader = ensemble.leader() < 0 ? server : ensemble.leader();
        long until = world.nanoTime() + choice / SERVERS % (2L * (sessionTimeout + 3L * tick) * NANOS);
        switch (fault) {
            case CRASH -> crash(server, until);
            case ELECTION -> crash(leader, until);
            case PAUSE -> pause(server, until);
            case LEADER_PAUSE -> pause(leader, until);
            case STALE_LEADER -> {
                return staleLeader(leader, choice / SERVERS);
            }
            case LAG -> ensemble.lag(server, until);
            case DISK -> ensemble.slowDisk(server, until);
            case RESET -> repeatedly(choice, until, this::reset);
            case OPERATOR ->
                repeatedly(
                        choice, until, () -> programs.changeNode(world.random().nextLong() >>> 1));
            case EMPTIED -> deleteContainers(until);
            case CURATOR -> programs.acquire(choice, (until - world.nanoTime()) / 4);
            case PARTITION -> partition(server, (server + 1) % SERVERS, choice, until);
            default -> throw new IllegalArgumentException(fault);
        }
        return until;
    }

    private void crash(int server, long until) {
        world.trace(ensemble.name(server), () -> "crashes");
        ensemble.crash(server);
        world.at(until, () -> ensemble.restart(server));
    }

    private void pause(int server, long until) {
        world.trace(ensemble.name(server), () -> "stops");
        ensemble.pause(server);
        world.at(until, () -> ensemble.resume(server));
    }

    /**
     * The leader stops, and one follower loses its way to the leader meanwhile. So after the pause the leader learns no
     * touches of that follower, but answers what the follower has passed on before. Returns when the follower reaches
     * the leader again.
     */
    private long staleLeader(int leader, long choice) {
        int follower = (leader + 1 + (int) (choice % (SERVERS - 1))) % SERVERS;
        // The client must hear of its server within two thirds of the session timeout, and the servers of each other.
        long most = Math.min(sessionTimeout * 2L / 3, 9L * tick / 2);
        long length = (tick + choice / SERVERS % Math.max(1, most - tick)) * NANOS;
        long ends = world.nanoTime() + length;
        long silentUntil = ends + 2L * sessionTimeout * NANOS;
        pause(leader, ends);
        world.at(ends - choice / SERVERS % (length / 3), () -> {
            world.trace(ensemble.name(follower), () -> "does not reach " + ensemble.name(leader));
            network.hold(ensemble.name(follower), ensemble.name(leader), silentUntil);
        });
        return silentUntil;
    }

    /**
     * Connections break again and again, so that some answers are lost and the requests are repeated soon. Half of them
     * break in place of the next answer to a change, which is committed.
     */
    private void reset() {
        int server = world.random().nextInt(SERVERS);
        if (world.random().nextBoolean()) {
            ensemble.loseAnswer(server, world.random().nextBoolean());
            return;
        }
        world.trace(ensemble.name(server), () -> "loses the connections of its clients");
        ensemble.breakConnections(server);
    }

    /** The leader looks for empty directories again and again, until it finds one. */
    private void deleteContainers(long until) {
        if (!ensemble.deleteContainers() && world.nanoTime() < until) {
            world.at(world.nanoTime() + LOOKS_EVERY, () -> deleteContainers(until));
        }
    }

    private void repeatedly(long choice, long until, Runnable action) {
        long interval = (until - world.nanoTime()) / (1 + choice / SERVERS % MOST_REPETITIONS) + NANOS;
        for (long at = world.nanoTime(); at <= until; at += interval) {
            world.at(at, action);
        }
    }

    private void partition(int one, int other, long choice, long until) {
        world.trace(ensemble.name(one), () -> "is silent to " + ensemble.name(other));
        if (choice % 7 != 0) {
            network.hold(ensemble.name(one), ensemble.name(other), until);
        }
        if (choice % 7 != 1) {
            network.hold(ensemble.name(other), ensemble.name(one), until);
        }
    }

    @Override
    public void heal() {
        for (int server = 0; server < SERVERS; server++) {
            ensemble.restart(server);
            ensemble.resume(server);
        }
        programs.end();
    }

    /** Of each name, one node with the time of a minimum hold may stay if its client has ended before that time. */
    @Override
    public List<String> leftovers() {
        Set<String> kept = new HashSet<>();
        if (ensemble.leader() < 0) {
            return List.of("the ensemble has no leader");
        }
        return ensemble.nodes().stream()
                .filter(path -> CONTENDER.matcher(path).matches() && !programs.own(path))
                .filter(path -> !path.contains(KEPT) || !kept.add(path.substring(0, path.lastIndexOf('/'))))
                .map(path -> path + " of session 0x" + Long.toHexString(ensemble.owner(path)))
                .toList();
    }
}

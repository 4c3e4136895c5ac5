package io.github.distlock.tests.servers;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Three ZooKeeper servers that keep one state. A restarted member answers before it has found the others:
 * {@link #awaitQuorum()} waits until clients are served.
 */
public final class ZooKeeperEnsemble implements AutoCloseable {
    private static final int SIZE = 3;
    private static final Duration ELECTION = Duration.ofSeconds(60);

    private final List<ZooKeeperServer> members;

    private ZooKeeperEnsemble(List<ZooKeeperServer> members) {
        this.members = List.copyOf(members);
    }

    /**
     * Starts three servers with the {@linkplain ZooKeeperSettings#defaults() default settings}.
     *
     * @return an ensemble that serves clients
     */
    public static ZooKeeperEnsemble start() {
        return start(ZooKeeperSettings.defaults());
    }

    /**
     * Starts three servers.
     *
     * @param settings how each is set up
     * @return an ensemble that serves clients
     */
    public static ZooKeeperEnsemble start(ZooKeeperSettings settings) {
        List<ZooKeeperServer> members = new ArrayList<>();
        for (Machine machine : ZooKeeperMachines.ensemble(Objects.requireNonNull(settings, "settings"), SIZE)) {
            members.add(new ZooKeeperServer("ZooKeeper member " + (members.size() + 1), false, machine));
        }
        ZooKeeperEnsemble ensemble = new ZooKeeperEnsemble(members);
        try {
            ensemble.launch();
        } catch (RuntimeException e) {
            ensemble.close();
            throw e;
        }
        ZooKeeperMachines.kind().announce(members.get(0));
        return ensemble;
    }

    private void launch() {
        members.parallelStream().forEach(MachineServer::launch);
        members.forEach(MachineServer::awaitReady);
        awaitQuorum();
    }

    /**
     * The servers.
     *
     * @return all three, in a fixed order
     */
    public List<ZooKeeperServer> members() {
        return members;
    }

    /**
     * What a client connects to.
     *
     * @return the addresses of all members, separated by commas
     */
    public String connectString() {
        return members.stream().map(Server::address).collect(Collectors.joining(","));
    }

    /**
     * The member that leads. Waits for an election under way.
     *
     * @return the leader by its own account
     * @throws IllegalStateException when no member becomes leader
     */
    public ZooKeeperServer leader() {
        List<ZooKeeperServer> found = new ArrayList<>();
        boolean elected = Waiting.until(ELECTION, () -> {
            Optional<ZooKeeperServer> leader =
                    members.stream().filter(ZooKeeperServer::isLeader).findFirst();
            leader.ifPresent(found::add);
            return leader.isPresent();
        });
        if (!elected) {
            throw failure("has no leader");
        }
        return found.get(0);
    }

    /**
     * The members that run and do not lead. Waits for an election under way.
     *
     * @return two when all run
     */
    public List<ZooKeeperServer> followers() {
        ZooKeeperServer leader = leader();
        return members.stream()
                .filter(member -> member != leader && member.isRunning())
                .toList();
    }

    /**
     * Waits until every member that runs serves clients, under one leader.
     *
     * @throws IllegalStateException when that does not happen
     */
    public void awaitQuorum() {
        boolean serving = Waiting.until(ELECTION, () -> {
            List<ZooKeeperServer> running =
                    members.stream().filter(Server::isRunning).toList();
            return running.size() > SIZE / 2
                    && running.stream().allMatch(ZooKeeperServer::isServing)
                    && running.stream().filter(ZooKeeperServer::isLeader).count() == 1;
        });
        if (!serving) {
            throw failure("does not serve");
        }
    }

    private IllegalStateException failure(String what) {
        String outputs = members.stream()
                .map(member -> member + (member.isRunning() ? "" : " (ended)") + ":\n" + member.output())
                .collect(Collectors.joining("\n"));
        return new IllegalStateException("the ensemble " + connectString() + " " + what + ". It wrote:\n" + outputs);
    }

    /**
     * Starts all members again, on the same ports; those that run are first stopped in an orderly manner.
     *
     * @param withData whether they find what they have stored; otherwise the ensemble starts empty
     */
    public void restart(boolean withData) {
        members.parallelStream().forEach(member -> member.end(withData));
        launch();
    }

    /** Ends all members and removes their data. Closing twice is nothing. */
    @Override
    public void close() {
        members.parallelStream().forEach(Server::close);
    }
}

package io.github.distlock.tests.servers;

import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * An ensemble of three ZooKeeper servers. A restarted member answers before it belongs to a quorum; {@link
 * #awaitQuorum()} waits until the members serve clients.
 *
 * <p>As a {@link Server}, it has all faults of its members at once: it pauses, kills and restarts all of them.
 */
public final class ZooKeeperEnsemble implements Server {
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
     * @param settings the settings of each server
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
        if (!isRunning()) {
            throw failure("has lost a member at its start");
        }
    }

    /** {@return the three servers, always in the same order} */
    @Override
    public List<ZooKeeperServer> members() {
        return members;
    }

    @Override
    public String host() {
        return members.get(0).host();
    }

    @Override
    public int port() {
        return members.get(0).port();
    }

    @Override
    public String address() {
        return members.stream().map(Server::address).collect(Collectors.joining(","));
    }

    /** {@return the addresses of all members, separated by commas} */
    public String connectString() {
        return address();
    }

    @Override
    public String version() {
        return members.get(0).version();
    }

    /** {@return whether no member's process has ended} */
    @Override
    public boolean isRunning() {
        return members.stream().allMatch(Server::isRunning);
    }

    @Override
    public String output() {
        return members.stream()
                .map(member -> member + (member.isRunning() ? "" : " (ended)") + ":\n" + member.output())
                .collect(Collectors.joining("\n"));
    }

    /**
     * Returns the leader. Waits up to 60 s for an election.
     *
     * @return the member that reports that it leads
     * @throws IllegalStateException if no member becomes leader
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
     * Returns the members that run and do not lead. Waits up to 60 s for an election.
     *
     * @return two members if all run
     * @throws IllegalStateException if no member becomes leader
     */
    public List<ZooKeeperServer> followers() {
        ZooKeeperServer leader = leader();
        return members.stream()
                .filter(member -> member != leader && member.isRunning())
                .toList();
    }

    /**
     * Waits up to 60 s until every running member serves clients under one leader.
     *
     * @throws IllegalStateException if that does not happen
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
        return new IllegalStateException("the ensemble " + address() + " " + what + ". It wrote:\n" + output());
    }

    /** Pauses all members. */
    @Override
    public void pause() {
        members.parallelStream().forEach(Server::pause);
    }

    /** Resumes all members. They may elect a leader again, and this method does not wait for it. */
    @Override
    public void resume() {
        members.parallelStream().forEach(Server::resume);
    }

    /** Kills all members. */
    @Override
    public void kill() {
        members.parallelStream().forEach(Server::kill);
    }

    /**
     * Restarts all members on the same ports. Stops running members in an orderly manner first. Returns when the
     * ensemble serves clients.
     *
     * @param withData true to keep the stored data, false to start empty
     */
    @Override
    public void restart(boolean withData) {
        members.parallelStream().forEach(member -> member.end(withData));
        launch();
    }

    /** Ends all members and deletes their data. A second call does nothing. */
    @Override
    public void close() {
        members.parallelStream().forEach(Server::close);
    }
}

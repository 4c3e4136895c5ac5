package io.github.distlock.tests.servers;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Several Redis servers that know nothing of each other.
 *
 * <p>As a {@link Server}, it has all faults of its members at once: it pauses, kills and restarts all of them.
 */
public final class RedisServers implements Server {
    private final List<RedisServer> members;

    private RedisServers(List<RedisServer> members) {
        this.members = List.copyOf(members);
    }

    /**
     * Starts servers.
     *
     * @param count how many, at least 1
     * @param configLines as for {@link RedisServer#start}
     * @return servers that answer
     * @throws IllegalStateException if one does not answer within 60 s
     */
    public static RedisServers start(int count, String... configLines) {
        List<RedisServer> started = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                started.add(RedisServer.start(configLines));
            }
        } catch (RuntimeException e) {
            started.forEach(Server::close);
            throw e;
        }
        return new RedisServers(started);
    }

    @Override
    public List<RedisServer> members() {
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
                .map(member -> member.address() + ":\n" + member.output())
                .collect(Collectors.joining("\n"));
    }

    /** Pauses all members. */
    @Override
    public void pause() {
        members.forEach(Server::pause);
    }

    /** Resumes all members. */
    @Override
    public void resume() {
        members.forEach(Server::resume);
    }

    /** Kills all members. */
    @Override
    public void kill() {
        members.forEach(Server::kill);
    }

    /**
     * Restarts all members on the same ports. Stops running members in an orderly manner first.
     *
     * @param withData true to keep the stored data, false to start empty
     */
    @Override
    public void restart(boolean withData) {
        members.forEach(member -> member.end(withData));
        members.forEach(MachineServer::launch);
        members.forEach(MachineServer::awaitReady);
    }

    /** Ends all members and deletes their data. A second call does nothing. */
    @Override
    public void close() {
        members.forEach(Server::close);
    }
}

package io.github.distlock.tests.servers;

import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A Redis primary with its replicas, and the sentinels that watch them. All of them are processes of this machine.
 *
 * <p>As a {@link Server}, it has all faults of its members at once: it pauses, kills and restarts all of them. Its
 * members are the Redis servers, and then the sentinels.
 */
public final class RedisSentinels implements Server {
    /** What the sentinels call the primary. */
    public static final String PRIMARY = "locks";

    private static final String WHICH_PRIMARY = "SENTINEL GET-MASTER-ADDR-BY-NAME " + PRIMARY + "\r\n";

    /** A sentinel that was starved for two seconds does nothing for half a minute. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final List<RedisServer> servers = new ArrayList<>();
    private final List<RedisServer> sentinels = new ArrayList<>();

    private RedisSentinels() {}

    /**
     * Starts a primary, replicas and sentinels. A majority of the sentinels fails over if the primary has been silent
     * for some time.
     *
     * @param replicas how many replicas
     * @param sentinelCount how many sentinels
     * @param downAfter after which silence a sentinel counts a server as down
     * @param configLines lines for the end of the configuration of the primary and the replicas; those about TLS are
     *     also for the sentinels, and all of them then connect to each other with TLS
     * @return servers of which all sentinels know all
     * @throws IllegalStateException if that does not happen within two minutes
     */
    public static RedisSentinels start(int replicas, int sentinelCount, Duration downAfter, String... configLines) {
        RedisSentinels all = new RedisSentinels();
        try {
            List<String> lines = List.of(configLines);
            List<String> tls =
                    lines.stream().filter(line -> line.startsWith("tls-")).toList();
            all.startServers(replicas, lines);
            all.startSentinels(sentinelCount, downAfter, tls);
            all.awaitAgreement();
        } catch (RuntimeException e) {
            all.close();
            throw e;
        }
        RedisMachines.kind().announce(all);
        return all;
    }

    private void startServers(int replicas, List<String> configLines) {
        List<String> lines = new ArrayList<>(configLines);
        lines.add("repl-diskless-sync yes");
        lines.add("repl-diskless-sync-delay 0");
        for (int i = 0; i <= replicas; i++) {
            RedisServer server = RedisServer.newProcess(lines);
            servers.add(server);
            server.startOrClose();
            if (i == 0) {
                lines.add("replicaof " + server.host() + " " + server.portForServers());
            }
        }
        awaitReplicas();
    }

    private void startSentinels(int count, Duration downAfter, List<String> tls) {
        RedisServer primary = servers.get(0);
        int quorum = count / 2 + 1;
        List<String> lines = new ArrayList<>(tls);
        lines.add("sentinel monitor " + PRIMARY + " " + primary.host() + " " + primary.portForServers() + " " + quorum);
        lines.add("sentinel down-after-milliseconds " + PRIMARY + " " + downAfter.toMillis());
        lines.add("sentinel failover-timeout " + PRIMARY + " "
                + Duration.ofSeconds(10).toMillis());
        for (int i = 0; i < count; i++) {
            sentinels.add(RedisServer.newProcess(lines, "--sentinel"));
        }
        sentinels.forEach(MachineServer::startOrClose);
    }

    /**
     * Waits up to two minutes until all sentinels name the same primary, and every replica that runs has its data. A
     * failover that begins before that can leave replicas only: a sentinel that does not know of the last one makes the
     * new primary a replica of the former one.
     */
    public void awaitReplicas() {
        long wanted = servers.stream().filter(Server::isRunning).count() - 1;
        Waiting.await(
                "all sentinels name one primary, and the replicas have its data",
                PATIENCE,
                () -> servers.stream().filter(Server::isRunning).anyMatch(server -> isPrimary(server, wanted)));
    }

    private boolean isPrimary(RedisServer server, long replicas) {
        String info = server.ask("INFO replication\r\n");
        return info.contains("role:master")
                && info.lines().filter(line -> line.contains("state=online")).count() >= replicas
                && sentinels.stream().filter(Server::isRunning).allMatch(sentinel -> names(sentinel, server));
    }

    private static boolean names(RedisServer sentinel, RedisServer server) {
        return sentinel.ask(WHICH_PRIMARY, MachineServer.LONG_TIMEOUT_MILLIS).contains(portOf(server));
    }

    private static String portOf(RedisServer server) {
        return "\r\n" + server.portForServers() + "\r\n";
    }

    private void awaitAgreement() {
        int replicas = servers.size() - 1;
        Waiting.await(
                "the sentinels know each other",
                PATIENCE,
                () -> sentinels.stream()
                        .map(sentinel -> sentinel.ask("SENTINEL MASTER " + PRIMARY + "\r\n"))
                        .allMatch(known -> number(known, "num-slaves") == replicas
                                && number(known, "num-other-sentinels") == sentinels.size() - 1));
    }

    /** Returns the number that follows a name in a reply, or -1. */
    private static int number(String reply, String name) {
        List<String> lines = reply.lines().toList();
        int at = lines.indexOf(name);
        return at < 0 ? -1 : Integer.parseInt(lines.get(at + 2));
    }

    /** {@return the Redis servers, the first primary first} */
    public List<RedisServer> servers() {
        return List.copyOf(servers);
    }

    /** {@return the sentinels} */
    public List<RedisServer> sentinels() {
        return List.copyOf(sentinels);
    }

    /** {@return the server that the first running sentinel names as the primary} */
    public RedisServer primary() {
        RedisServer first =
                sentinels.stream().filter(Server::isRunning).findFirst().orElseThrow();
        String named = first.ask(WHICH_PRIMARY, MachineServer.LONG_TIMEOUT_MILLIS);
        return servers.stream()
                .filter(server -> named.contains(portOf(server)))
                .findFirst()
                .orElseThrow(
                        () -> new IllegalStateException("the sentinel names no server of " + servers + ": " + named));
    }

    /**
     * Has the sentinels make a replica the primary. Returns when the first of them names it, which may take two
     * minutes: a sentinel that was starved gives a failover up, and is asked for another one.
     */
    public void failOver() {
        RedisServer former = primary();
        awaitReplicas();
        Waiting.await("another primary", PATIENCE, () -> {
            boolean done = primary() != former;
            if (!done) {
                String unused = sentinels.get(0).ask("SENTINEL FAILOVER " + PRIMARY + "\r\n");
            }
            return done;
        });
    }

    /** {@return the address for clients, as {@code redis-sentinel://host:port,host:port/primary}} */
    public String uri() {
        return "redis-sentinel://" + sentinels.stream().map(Server::address).collect(Collectors.joining(",")) + "/"
                + PRIMARY;
    }

    /**
     * Returns the address for clients with TLS.
     *
     * @return as {@code rediss-sentinel://host:port,host:port/primary}
     * @throws IllegalStateException if the configuration names no certificate
     */
    public String tlsUri() {
        return "rediss-sentinel://"
                + sentinels.stream().map(RedisServer::tlsAddress).collect(Collectors.joining(",")) + "/" + PRIMARY;
    }

    @Override
    public List<RedisServer> members() {
        return Stream.concat(servers.stream(), sentinels.stream()).toList();
    }

    @Override
    public String host() {
        return servers.get(0).host();
    }

    @Override
    public int port() {
        return servers.get(0).port();
    }

    @Override
    public String address() {
        return members().stream().map(Server::address).collect(Collectors.joining(","));
    }

    @Override
    public String version() {
        return servers.get(0).version();
    }

    /** {@return whether no member's process has ended} */
    @Override
    public boolean isRunning() {
        return members().stream().allMatch(Server::isRunning);
    }

    @Override
    public String output() {
        return members().stream()
                .map(member -> member.address() + ":\n" + member.output())
                .collect(Collectors.joining("\n"));
    }

    /** Pauses all members. */
    @Override
    public void pause() {
        members().forEach(Server::pause);
    }

    /** Resumes all members. */
    @Override
    public void resume() {
        members().forEach(Server::resume);
    }

    /** Kills all members. */
    @Override
    public void kill() {
        members().forEach(Server::kill);
    }

    /**
     * Restarts all members on the same ports. Stops running members in an orderly manner first.
     *
     * @param withData true to keep the stored data, false to start empty
     */
    @Override
    public void restart(boolean withData) {
        members().forEach(member -> member.end(withData));
        members().forEach(MachineServer::launch);
        members().forEach(MachineServer::awaitReady);
    }

    /** Ends all members and deletes their data. A second call does nothing. */
    @Override
    public void close() {
        members().forEach(Server::close);
    }
}

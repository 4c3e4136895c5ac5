package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.exceptions.JedisNoScriptException;

/**
 * One server that keeps locks: the backend's own connections to it, and the exchanges over them. Callers do their I/O
 * on their own threads, and no request lasts longer than its deadline. Renewals and heartbeats have connections that no
 * acquire can exhaust. Exceptions are those of Jedis.
 */
final class Node {
    private static final int UPKEEP_CONNECTIONS = 4;

    private final HostAndPort address;
    private final Object server;
    private final Script.Settings settings;
    private final Confirmation confirmation;
    private final OpenConnections connections;
    private final ConnectionStack requests;
    private final ConnectionStack upkeep;

    /**
     * What the nodes of one backend share.
     *
     * @param check what a node must answer before a connection to it is used
     */
    record Shared(
            JedisClientConfig config,
            ServerConnection.Check check,
            int maxConnections,
            Script.Settings settings,
            ReplicaPolicy replicas,
            RedisContext context,
            LateExchanges late) {}

    /**
     * Makes a node without connections.
     *
     * @param server what {@linkplain Redis#server names the server} of the locks that this node keeps
     */
    Node(HostAndPort address, Object server, Shared shared) {
        this.address = address;
        this.server = server;
        this.settings = shared.settings;
        this.confirmation = new Confirmation(shared.replicas);
        this.connections = new OpenConnections(address, shared.config, shared.check, shared.late);
        RedisContext context = shared.context;
        Runnable lost = () -> context.connectionLost(server);
        this.requests = new ConnectionStack(shared.maxConnections, connections, context, lost, null);
        this.upkeep = new ConnectionStack(UPKEEP_CONNECTIONS, connections, context, lost, requests);
    }

    HostAndPort address() {
        return address;
    }

    Object server() {
        return server;
    }

    OpenConnections connections() {
        return connections;
    }

    /**
     * Sends one request.
     *
     * @param asking whether the node imports the slot of the request from another node of its cluster
     */
    List<?> call(ScriptCall call, boolean asking, Deadline deadline) throws InterruptedException {
        return requests.exchange(List.of(call), connection -> call(connection, call, asking, deadline), deadline);
    }

    private List<?> call(Connection connection, ScriptCall call, boolean asking, Deadline deadline) {
        if (!call.script().mayGrant()) {
            return answer(connection, call, asking);
        }
        confirmation.require(connection);
        List<?> answer = answer(connection, call, asking);
        if (call.script().grants(answer)) {
            confirmation.await(connection, deadline);
        }
        return answer;
    }

    private List<?> answer(Connection connection, ScriptCall call, boolean asking) {
        call.noteSent();
        try {
            return JedisCalls.answer(call, send(connection, JedisCalls.byDigest(call, settings), asking));
        } catch (JedisNoScriptException e) {
            return JedisCalls.answer(call, send(connection, JedisCalls.bySource(call, settings), asking));
        }
    }

    private static Object send(Connection connection, CommandArguments command, boolean asking) {
        if (asking) {
            connection.sendCommand(Command.ASKING);
        }
        connection.sendCommand(command);
        if (asking) {
            var unused = connection.getMany(1);
        }
        return connection.getOne();
    }

    /**
     * Sends many requests in one exchange. Repeats what the server has answered with {@code NOSCRIPT}. The first of
     * these requests of each script brings it.
     *
     * @param asking as in {@link #call}
     * @return for each request its answer, or the error reply as Jedis has read it
     */
    List<Object> callAll(List<ScriptCall> calls, boolean asking, Deadline deadline) throws InterruptedException {
        return upkeep.exchange(calls, connection -> callAll(connection, calls, asking), deadline);
    }

    private List<Object> callAll(Connection connection, List<ScriptCall> calls, boolean asking) {
        calls.forEach(ScriptCall::noteSent);
        List<Object> replies = sendAll(
                connection,
                calls.stream().map(call -> JedisCalls.byDigest(call, settings)).toList(),
                asking);
        List<CommandArguments> again = new ArrayList<>();
        Set<Script> brought = new HashSet<>();
        for (int i = 0; i < replies.size(); i++) {
            if (replies.get(i) instanceof JedisNoScriptException) {
                ScriptCall call = calls.get(i);
                again.add(
                        brought.add(call.script())
                                ? JedisCalls.bySource(call, settings)
                                : JedisCalls.byDigest(call, settings));
            }
        }
        Iterator<Object> repeated = sendAll(connection, again, asking).iterator();
        for (int i = 0; i < replies.size(); i++) {
            Object reply = replies.get(i);
            replies.set(
                    i,
                    JedisCalls.answerOrError(
                            calls.get(i), reply instanceof JedisNoScriptException ? repeated.next() : reply));
        }
        return replies;
    }

    /** Returns a reply for each command, which may be an error. */
    private static List<Object> sendAll(Connection connection, List<CommandArguments> commands, boolean asking) {
        for (CommandArguments command : commands) {
            if (asking) {
                connection.sendCommand(Command.ASKING);
            }
            connection.sendCommand(command);
        }
        List<Object> replies = connection.getMany(asking ? 2 * commands.size() : commands.size());
        if (asking) {
            for (int i = 0; i < commands.size(); i++) {
                replies.remove(i);
            }
        }
        return replies;
    }

    /** Sends commands without keys. Returns a reply for each, which may be an error. */
    List<Object> ask(List<CommandArguments> commands, Deadline deadline) throws InterruptedException {
        return requests.exchange(List.of(), connection -> sendAll(connection, commands, false), deadline);
    }

    void publish(List<ScriptCall.Notice> notices, Deadline deadline) throws InterruptedException {
        List<CommandArguments> commands = notices.stream()
                .map(notice -> new CommandArguments(Command.PUBLISH)
                        .add(notice.channel())
                        .add(notice.message()))
                .toList();
        var unused = ask(commands, deadline);
    }

    /** Closes the connections, while no request is under way. The next request opens new ones. */
    void disconnect() {
        requests.dropIdle();
        upkeep.dropIdle();
    }

    /** Closes the connections, so that requests under way fail now. */
    void close(String why) {
        connections.close(why);
        requests.close();
        upkeep.close();
    }

    @Override
    public String toString() {
        return address.toString();
    }
}

package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.redis.connection.Listening;
import io.github.distlock.redis.connection.LockCommand;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.RequestRefusedException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Connections of another client library than Jedis. This class makes commands of requests, sends a script that the
 * server does not know, and translates errors. It must work without Jedis on the class path.
 *
 * <p>The connections execute each command at most once. So releases leave no tombstones, as with the backend's own
 * connections. If a connection breaks, the outcome is unknown, and the engine sends the request again.
 */
final class OtherConnections implements Redis {
    private final Connections connections;
    private final Script.Settings settings;

    OtherConnections(Connections connections, Script.Settings settings) {
        this.connections = connections;
        this.settings = settings;
    }

    @Override
    public List<?> call(ScriptCall call, Deadline deadline) throws InterruptedException {
        Object reply =
                send(List.of(call), Connections.Purpose.REQUEST, deadline).get(0);
        if (reply instanceof RuntimeException error) {
            throw error;
        }
        return Replies.list(reply);
    }

    @Override
    public List<Object> callAll(List<ScriptCall> calls, Deadline deadline) throws InterruptedException {
        return send(calls, Connections.Purpose.UPKEEP, deadline);
    }

    /**
     * Sends requests, and those again whose script was missing. Returns an answer or an exception for each. Throws if
     * no server has answered.
     */
    private List<Object> send(List<ScriptCall> calls, Connections.Purpose purpose, Deadline deadline)
            throws InterruptedException {
        // The connections do not say whether a request was sent that has failed.
        calls.forEach(ScriptCall::noteSent);
        List<Object> replies = new ArrayList<>(
                connections.send(calls.stream().map(this::byDigest).toList(), purpose, deadline));
        Map<Integer, LockCommand> again = again(calls, replies);
        if (!again.isEmpty()) {
            Iterator<Object> repeated = connections
                    .send(List.copyOf(again.values()), purpose, deadline)
                    .iterator();
            again.keySet().forEach(i -> replies.set(i, repeated.next()));
        }
        boolean isAnswered = false;
        for (int i = 0; i < replies.size(); i++) {
            Object reply = replies.get(i);
            isAnswered |= reply instanceof ErrorReply || !(reply instanceof RuntimeException);
            replies.set(i, answerOrError(calls.get(i), reply));
        }
        if (!isAnswered) {
            throw (RuntimeException) replies.get(0);
        }
        return replies;
    }

    /** Returns the commands to send again. The first one of each script brings it to its server. */
    private Map<Integer, LockCommand> again(List<ScriptCall> calls, List<Object> replies) {
        record Brought(Script script, Object server) {}
        Set<Brought> brought = new HashSet<>();
        Map<Integer, LockCommand> again = new LinkedHashMap<>();
        for (int i = 0; i < replies.size(); i++) {
            if (ErrorReply.isOfMissingScript(replies.get(i))) {
                ScriptCall call = calls.get(i);
                boolean isFirst = brought.add(new Brought(call.script(), connections.server(call.lockKey())));
                again.put(i, isFirst ? bySource(call) : byDigest(call));
            }
        }
        return again;
    }

    private LockCommand byDigest(ScriptCall call) {
        return command("EVALSHA", call.script().text(settings).sha, call);
    }

    private LockCommand bySource(ScriptCall call) {
        return command("EVAL", call.script().text(settings).source, call);
    }

    private static LockCommand command(String name, byte[] script, ScriptCall call) {
        List<byte[]> arguments = new ArrayList<>();
        arguments.add(script);
        arguments.add(bytes(Integer.toString(call.keys().size())));
        arguments.addAll(call.keys());
        arguments.addAll(call.arguments());
        return new LockCommand(call.lockKey(), name, arguments);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private Object answerOrError(ScriptCall call, Object reply) {
        if (reply instanceof RuntimeException error) {
            return translated(call.lockName(), error);
        }
        List<?> answer = call.answer(reply);
        if (answer == null) {
            // All later replies of that connection would belong to other requests, too.
            connections.disconnect();
            return new IllegalStateException(
                    "lock \"" + call.lockName() + "\": the server's reply belongs to another request");
        }
        return answer;
    }

    private static RuntimeException translated(String lockName, RuntimeException error) {
        if (error instanceof RequestRefusedException) {
            return error;
        }
        String words = Failures.words(error);
        if (error instanceof ErrorReply) {
            return ErrorReply.isRedirection(words)
                    ? Failures.refusal(lockName, words + "; a cluster needs a client for clusters", error)
                    : Failures.answered(lockName, words, error);
        }
        if (Failures.isRefusedByTls(error)) {
            return Failures.refusal(lockName, words, error);
        }
        return words.equals(error.getMessage()) ? error : new IllegalStateException(words, error);
    }

    @Override
    public Object server(LockKeys keys) {
        return connections.server(keys.lock());
    }

    @Override
    public void publish(ScriptCall call, Deadline deadline) throws InterruptedException {
        List<LockCommand> commands = call.notices().stream()
                .map(notice -> new LockCommand(
                        call.lockKey(), "PUBLISH", List.of(bytes(notice.channel()), bytes(notice.message()))))
                .toList();
        var unused = connections.send(commands, Connections.Purpose.REQUEST, deadline);
    }

    @Override
    public boolean isOneServer() {
        return connections.isOneServer();
    }

    @Override
    public boolean sendsAgain() {
        return false;
    }

    /** The client library does not say when a server has taken the place of another one. */
    @Override
    public boolean followsFailovers() {
        return false;
    }

    @Override
    public boolean canListen() {
        return true;
    }

    @Override
    public Listening listening(String channel, Consumer<String> messages, Runnable subscribed) {
        return connections.listening(channel, messages, subscribed);
    }

    @Override
    public List<Connections.Server> servers(Deadline deadline) throws InterruptedException {
        return connections.servers(deadline);
    }

    @Override
    public void requireMayWait() {
        connections.requireMayWait();
    }

    @Override
    public void disconnect() {
        connections.disconnect();
    }

    @Override
    public void close() {
        connections.close();
    }

    @Override
    public String toString() {
        return connections.toString();
    }
}

package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** One request: a script, the lock that it is about, and its arguments. */
final class ScriptCall {
    private static final int KEYS = 4;
    private static final AtomicLong REQUESTS = new AtomicLong();

    private final byte[] request =
            Long.toString(REQUESTS.incrementAndGet(), Character.MAX_RADIX).getBytes(UTF_8);
    private final Script script;
    private final LockKeys keys;
    private final Object[] arguments;
    private volatile boolean sentAgain;

    /**
     * A call.
     *
     * @param arguments texts and numbers
     */
    ScriptCall(Script script, LockKeys keys, Object... arguments) {
        this.script = script;
        this.keys = keys;
        this.arguments = arguments;
    }

    /** Whether the same request twice does no more than once. */
    boolean isRepeatable() {
        return script != Script.FORCE_RELEASE;
    }

    /** Another copy of it may be under way. */
    void noteSentAgain() {
        sentAgain = true;
    }

    boolean wasSentAgain() {
        return sentAgain;
    }

    String lockName() {
        return keys.name;
    }

    /** By digest: for a server that has seen the script before. */
    CommandArguments byDigest() {
        return withArguments(new CommandArguments(Command.EVALSHA).add(script.sha()));
    }

    /** With the script itself, for one that answers NOSCRIPT. */
    CommandArguments bySource() {
        return withArguments(new CommandArguments(Command.EVAL).add(script.source()));
    }

    private CommandArguments withArguments(CommandArguments call) {
        call.add(KEYS).key(keys.lock).key(keys.fence).key(keys.queue).key(keys.heard);
        for (Object argument : arguments) {
            call.add(String.valueOf(argument).getBytes(UTF_8));
        }
        return call.add(request);
    }

    /**
     * What the script has answered; an error stays what it is.
     *
     * @throws JedisConnectionException when the reply belongs to another request: somebody has sent on this connection
     *     and not read the reply
     */
    Object answer(@Nullable Object reply) {
        if (reply instanceof Throwable error) {
            return error;
        }
        if (reply instanceof List<?> parts
                && parts.size() == 2
                && parts.get(0) instanceof byte[] answered
                && Arrays.equals(answered, request)) {
            return Objects.requireNonNull(parts.get(1));
        }
        throw new JedisConnectionException(
                "lock \"" + lockName() + "\": the server's reply belongs to another request");
    }
}

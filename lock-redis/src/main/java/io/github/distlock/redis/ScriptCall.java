package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Protocol.Command;

/** One request: a script, the lock that it is about, and its arguments. */
final class ScriptCall {
    private static final int KEYS = 4;

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
        return call;
    }
}

package io.github.distlock.redis;

import io.github.distlock.redis.connection.ErrorReply;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisRedirectionException;

/**
 * Translates requests to commands of Jedis, and its replies and exceptions to those of {@link Redis}.
 * {@link ErrorReply} says what the errors of servers mean.
 */
final class JedisCalls {
    private JedisCalls() {}

    /** Returns the command for a server that knows the script. */
    static CommandArguments byDigest(ScriptCall call, Script.Settings settings) {
        return command(Command.EVALSHA, call.script().text(settings).sha, call);
    }

    /** Returns the command for a server that has answered NOSCRIPT. */
    static CommandArguments bySource(ScriptCall call, Script.Settings settings) {
        return command(Command.EVAL, call.script().text(settings).source, call);
    }

    private static CommandArguments command(Command name, byte[] script, ScriptCall call) {
        CommandArguments command =
                new CommandArguments(name).add(script).add(call.keys().size());
        call.keys().forEach(command::key);
        call.addArguments(command::add);
        return command;
    }

    /** Returns a command without keys. */
    static CommandArguments command(List<String> words) {
        return new CommandArguments(Command.valueOf(words.get(0)))
                .addObjects(words.subList(1, words.size()).toArray());
    }

    /** Returns replies as they are, and the errors of a server as {@link ErrorReply}. */
    static List<Object> repliesOrErrors(List<?> replies) {
        List<Object> translated = new ArrayList<>(replies.size());
        for (Object reply : replies) {
            translated.add(
                    reply instanceof JedisDataException error ? new ErrorReply(Failures.words(error), error) : reply);
        }
        return translated;
    }

    /**
     * Returns the answer in a reply.
     *
     * @throws JedisConnectionException if the reply belongs to another request
     */
    static List<?> answer(ScriptCall call, @Nullable Object reply) {
        List<?> answer = call.answer(reply);
        if (answer == null) {
            throw new JedisConnectionException(
                    "lock \"" + call.lockName() + "\": the server's reply belongs to another request");
        }
        return answer;
    }

    /** Returns the answer in a reply, or an error reply as it is. */
    static Object answerOrError(ScriptCall call, Object reply) {
        return reply instanceof JedisException ? reply : answer(call, reply);
    }

    /** Returns what {@link Redis#callAll} returns: answers as they are, and exceptions of Jedis translated. */
    static List<Object> answersOrErrors(List<ScriptCall> calls, List<Object> replies) {
        List<Object> translated = new ArrayList<>(replies.size());
        for (int i = 0; i < replies.size(); i++) {
            Object reply = replies.get(i);
            translated.add(
                    reply instanceof JedisException error
                            ? translated(error, calls.get(i).lockName())
                            : reply);
        }
        return translated;
    }

    /**
     * Returns a refusal if the server has refused the request, an {@link ErrorReply} if it has answered another error,
     * otherwise an error with the words of its causes.
     */
    static RuntimeException translated(JedisException error, String lockName) {
        String words = Failures.words(error);
        if (error instanceof JedisRedirectionException) {
            return Failures.refusal(lockName, words + "; a cluster needs the URI redis-cluster://host:port", error);
        }
        if (error instanceof JedisDataException) {
            return Failures.answered(lockName, words, error);
        }
        if (Failures.isRefusedByTls(error)) {
            return Failures.refusal(lockName, words, error);
        }
        return words.equals(error.getMessage()) ? error : new JedisException(words, error);
    }

    /** Returns whether an open connection has broken. Silence and a failure to connect do not count. */
    static boolean isBrokenConnection(JedisException error) {
        return error instanceof JedisConnectionException
                && !isSilence(error)
                && !String.valueOf(error.getMessage()).startsWith("Failed to ");
    }

    /** Returns whether the server has not answered in time. */
    static boolean isSilence(JedisException error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof SocketTimeoutException) {
                return true;
            }
        }
        return false;
    }

    /** Returns whether the right to send a command is missing. */
    static boolean isMissingRight(JedisDataException error) {
        return ErrorReply.isMissingRight(String.valueOf(error.getMessage()));
    }

    /** Returns whether a server has replied to one of the requests that it cannot keep locks at present. */
    static boolean isAnyOfAnotherServer(List<?> replies) {
        for (int i = 0; i < replies.size(); i++) {
            if (isOfAnotherServer(replies.get(i))) {
                return true;
            }
        }
        return false;
    }

    /** Returns whether a server has replied that it cannot keep locks at present. */
    static boolean isOfAnotherServer(@Nullable Object reply) {
        return reply instanceof JedisDataException error
                && ErrorReply.isOfAnotherServer(String.valueOf(error.getMessage()));
    }
}

package io.github.distlock.redis;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.fencing.FencingToken;
import io.github.distlock.fencing.StaleTokenException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.BuilderFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.commands.ProtocolCommand;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisNoScriptException;

/**
 * Runs Redis commands that the server refuses if they come from an earlier holder of a lock.
 *
 * <pre>{@code
 * RedisFence fence = new RedisFence(client);
 * try (LockHandle held = locks.lock("account/7").acquire()) {
 *     fence.execute(held.fencingToken(), Command.SET, "account:7", "80");
 * }
 * }</pre>
 *
 * <p><b>What it checks.</b> A script compares the token with the greatest one that the server has seen for the first
 * key of the command. If the token is smaller, the command does not run. Otherwise the script stores the token and runs
 * the command, in one step. Equal tokens pass, so a holder may run many commands. The fence checks only what goes
 * through it: every writer of a key must use a fence with the same prefix.
 *
 * <p><b>Errors.</b> If the server refuses the command or the token, neither has an effect. If no reply arrives, the
 * command may or may not have run, as without a fence. Repeating it with the same token is safe if the command is safe
 * to repeat. Some clients of Jedis repeat commands by themselves, such as those of clusters. They repeat these, too.
 *
 * <p><b>What the server remembers.</b> The greatest token is in a key beside the first key, in the same slot of a
 * cluster. It does not expire by default. A server that has lost or evicted this key accepts any token first.
 * The two keys are written in one step, so a replica has both writes or neither.
 *
 * <p><b>Least rights:</b> the commands {@code EVALSHA EVAL GET SET} and those of the application, on both keys.
 *
 * <p>Immutable, and as thread-safe as the client.
 */
@SuppressWarnings("exports") // annotations for tools, which users do not need
public final class RedisFence {
    private static final Script.Text SCRIPT = Script.FENCE.text(new Script.Settings(Publisher.SCRIPT, 0));
    private static final String STALE = "STALETOKEN ";
    /** Lua has room for about 8,000 arguments of a call. */
    private static final int MOST_ARGUMENTS = 4_096;

    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofDays(3_650);

    private final UnifiedJedis client;
    private final String prefix;
    /** In milliseconds; 0 if the server keeps tokens without a limit. */
    private final long keptFor;

    /**
     * Makes a fence that remembers tokens without a limit of time. Sends nothing.
     *
     * @param client the client that sends the commands; the fence neither changes nor closes it. A key processor of the
     *     client does not apply: give the fence the keys as the server has them
     * @throws IllegalStateException if the Jedis on the class path is too old
     */
    public RedisFence(UnifiedJedis client) {
        this(requireNonNull(client, "client"), "distlock:", 0);
        JedisVersion.require();
    }

    private RedisFence(UnifiedJedis client, String prefix, long keptFor) {
        this.client = client;
        this.prefix = prefix;
        this.keptFor = keptFor;
    }

    /**
     * Returns a fence whose keys begin with another prefix than {@code distlock:}. All writers of a key must have the
     * same one.
     *
     * @param newPrefix the prefix, without braces and control characters
     * @return a fence over the same client
     * @throws IllegalArgumentException if the prefix has a brace or a control character
     */
    public RedisFence keyPrefix(String newPrefix) {
        requireNonNull(newPrefix, "newPrefix");
        if (newPrefix.chars().anyMatch(c -> c == '{' || c == '}' || Character.isISOControl(c))) {
            throw new IllegalArgumentException("newPrefix has a brace or a control character: " + newPrefix);
        }
        return new RedisFence(client, newPrefix, keptFor);
    }

    /**
     * Returns a fence whose tokens the server forgets some time after the last accepted command for their key. After
     * that, it accepts a late command of any earlier holder. So the time must be longer than any command can be late.
     *
     * @param time from 1 s to 3,650 days
     * @return a fence over the same client
     * @throws IllegalArgumentException if the time is shorter or longer
     */
    public RedisFence keepFor(Duration time) {
        requireNonNull(time, "time");
        if (time.compareTo(SHORTEST) < 0 || time.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("time must be from 1 s to 3,650 days, but was " + time);
        }
        return new RedisFence(client, prefix, time.toMillis());
    }

    /**
     * Runs a command that has one key, unless a greater token was seen for this key.
     *
     * @param token the fencing token of the caller's hold
     * @param command a command whose first argument is the key, such as {@code SET}, {@code HSET}, {@code INCRBY} or
     *     {@code DEL}, and which scripts may run
     * @param key the key: the resource that the token protects
     * @param arguments what follows the key: texts, numbers and byte arrays; with the key at most 4,096
     * @return the reply: a number, a byte array for a text, a list, or null. Numbers beyond 2<sup>53</sup> lose digits,
     *     because they pass through Lua
     * @throws StaleTokenException if a greater token was seen; the command has not run
     * @throws IllegalArgumentException if the token is not positive, if the key has a closing brace without a hash tag
     *     or is empty, or if there are too many arguments
     * @throws JedisDataException if the server refuses the command or the token, or if the key of the fence has another
     *     value than a token; nothing has changed
     * @throws redis.clients.jedis.exceptions.JedisException if no reply arrives; the command may have run
     */
    @CanIgnoreReturnValue
    public @Nullable Object execute(long token, ProtocolCommand command, String key, Object... arguments) {
        return execute(token, command, List.of(requireNonNull(key, "key")), arguments);
    }

    /**
     * Runs a command that has several keys, unless a greater token was seen for the first one.
     *
     * @param token as for the other method
     * @param command a command that begins with its keys, such as {@code SMOVE}, {@code COPY} or {@code DEL}
     * @param keys its keys, at least one, and all in one slot of a cluster; the first one is the resource that the
     *     token protects
     * @param arguments what follows the keys: texts, numbers and byte arrays; with the keys at most 4,096
     * @return as for the other method
     * @throws StaleTokenException as for the other method
     * @throws IllegalArgumentException as for the other method, and if there are no keys
     * @throws JedisDataException as for the other method
     * @throws redis.clients.jedis.exceptions.JedisException as for the other method
     */
    @CanIgnoreReturnValue
    public @Nullable Object execute(long token, ProtocolCommand command, List<String> keys, Object... arguments) {
        requireNonNull(command, "command");
        if (keys.isEmpty()) {
            throw new IllegalArgumentException("keys must not be empty");
        }
        if (keys.size() + arguments.length > MOST_ARGUMENTS) {
            throw new IllegalArgumentException("arguments must be at most " + MOST_ARGUMENTS
                    + " with the keys, but are " + (keys.size() + arguments.length));
        }
        List<Object> following = new ArrayList<>();
        following.add(FencingToken.toText(token));
        following.add(keptFor);
        following.add(command);
        following.addAll(keys.subList(1, keys.size()));
        Collections.addAll(following, arguments);
        try {
            return send(keys, following);
        } catch (JedisDataException e) {
            String words = String.valueOf(e.getMessage());
            if (words.startsWith(STALE)) {
                long highest = FencingToken.parse(words.substring(STALE.length()));
                throw new StaleTokenException(keys.get(0), token, OptionalLong.of(highest));
            }
            throw e;
        }
    }

    private @Nullable Object send(List<String> keys, List<Object> following) {
        try {
            return send(Command.EVALSHA, SCRIPT.sha, keys, following);
        } catch (JedisNoScriptException e) {
            return send(Command.EVAL, SCRIPT.source, keys, following);
        }
    }

    private @Nullable Object send(ProtocolCommand way, byte[] script, List<String> keys, List<Object> following) {
        CommandArguments request =
                new CommandArguments(way).add(script).add(keys.size() + 1).key(fenceOf(keys.get(0)));
        keys.forEach(request::key);
        return client.executeCommand(new CommandObject<>(request.addObjects(following), BuilderFactory.RAW_OBJECT));
    }

    /** Returns the key of the fence, which is in the slot of a key. {@link LockKeys} makes helper keys alike. */
    private String fenceOf(String key) {
        if (LockKeys.hasHashTag(key)) {
            return prefix + key + "{fence}";
        }
        if (key.isEmpty() || key.indexOf('}') >= 0) {
            throw new IllegalArgumentException(
                    "key must not be empty, nor have a closing brace without a hash tag, but was \"" + key + "\"");
        }
        return prefix + "{" + key + "}:fence";
    }
}

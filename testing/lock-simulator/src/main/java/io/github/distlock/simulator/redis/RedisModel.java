package io.github.distlock.simulator.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One server of Redis 7.0, as far as the Redis backend uses it. It executes one command after the other, and the real
 * scripts of the backend. A test executes the same commands on a real server, and compares all replies and values.
 *
 * <p><b>Faults.</b> A restart forgets scripts and subscriptions. It may lose all data, or the changes since some time:
 * a server that stores its writes once a second loses the last of them, and so does a lagging replica that takes its
 * place. What a script has changed is lost together, because it happens at one time.
 */
public final class RedisModel {
    private static final int MICROS_IN_MILLIS = 1_000;

    private final LongSupplier clock;
    private final LuaInterpreter lua;
    private final Keyspace keys;
    private final Commands commands;
    /** The first lines of the scripts that the server knows, by their digests. */
    private final Map<String, String> scripts = new HashMap<>();

    private final Map<String, Set<Consumer<String>>> subscribers = new HashMap<>();
    private BiConsumer<String, String> bus = (channel, message) -> {};
    private String runId;
    private long micros;

    /**
     * Makes an empty server.
     *
     * @param clock the server's clock, in microseconds since 1970
     * @param trueNanos the time by which {@link #loseChangesSince} counts
     * @param rememberedNanos for how long the server can undo changes; 0 if it never has to
     * @param lua runs the scripts
     * @param runId names the process, in hexadecimal
     */
    public RedisModel(
            LongSupplier clock, LongSupplier trueNanos, long rememberedNanos, LuaInterpreter lua, String runId) {
        this.clock = clock;
        this.lua = lua;
        this.runId = runId;
        this.keys = new Keyspace(this::millis, trueNanos, rememberedNanos);
        this.commands = new Commands(this, keys);
    }

    /**
     * Executes a command.
     *
     * @param command its name in capital letters, and its arguments
     * @return {@code Long}, {@code byte[]}, a list of these, null, or a {@link RedisError}
     */
    public @Nullable Object execute(List<byte[]> command) {
        String[] words =
                command.stream().map(word -> new String(word, ISO_8859_1)).toArray(String[]::new);
        micros = clock.getAsLong();
        try {
            return encoded(
                    switch (words[0]) {
                        case "EVAL" -> eval(words);
                        case "EVALSHA" -> evalDigest(words);
                        default -> commands.execute(words);
                    });
        } catch (RedisError e) {
            return e;
        }
    }

    private static @Nullable Object encoded(@Nullable Object reply) {
        if (reply instanceof String text) {
            return text.getBytes(ISO_8859_1);
        }
        if (reply instanceof Commands.Status status) {
            return status.words().getBytes(ISO_8859_1);
        }
        if (reply instanceof List<?> list) {
            List<@Nullable Object> encoded = new ArrayList<>(list.size());
            list.forEach(each -> encoded.add(encoded(each)));
            return encoded;
        }
        return reply;
    }

    private @Nullable Object eval(String[] words) {
        requireArguments(words);
        String digest = LuaInterpreter.digest(words[1]);
        lua.compile(digest, words[1]);
        scripts.put(digest, firstLine(words[1]));
        return run(digest, words);
    }

    private @Nullable Object evalDigest(String[] words) {
        requireArguments(words);
        if (!scripts.containsKey(words[1])) {
            throw new RedisError("NOSCRIPT No matching script. Please use EVAL.");
        }
        return run(words[1], words);
    }

    private static void requireArguments(String[] words) {
        if (words.length < 3) {
            throw new UnsupportedOperationException("a script needs the number of its keys");
        }
        long number = Numbers.integer(words[2]);
        if (number > words.length - 3) {
            throw new RedisError("ERR Number of keys can't be greater than number of args");
        }
        if (number < 0) {
            throw new RedisError("ERR Number of keys can't be negative");
        }
    }

    private @Nullable Object run(String digest, String[] words) {
        List<String> arguments = Arrays.asList(words).subList(3, words.length);
        int number = Integer.parseInt(words[2]);
        return lua.run(digest, arguments.subList(0, number), arguments.subList(number, arguments.size()), commands);
    }

    private static String firstLine(String script) {
        return script.lines().findFirst().orElse("").replaceFirst("^-- ([^.:]*).*", "$1");
    }

    /**
     * Describes a command for a trace.
     *
     * @param command a command that was executed
     * @return one line
     */
    public String describe(List<byte[]> command) {
        List<String> words =
                command.stream().map(word -> new String(word, ISO_8859_1)).toList();
        if (!words.get(0).startsWith("EVAL")) {
            return String.join(" ", words);
        }
        String script = words.get(0).equals("EVAL")
                ? firstLine(words.get(1))
                : scripts.getOrDefault(words.get(1), "unknown script");
        List<String> arguments = words.subList(3 + Integer.parseInt(words.get(2)), words.size());
        return script + " " + words.get(3) + " " + arguments;
    }

    /**
     * Describes a reply for a trace.
     *
     * @param reply a reply
     * @return one line
     */
    public static String describe(@Nullable Object reply) {
        if (reply instanceof byte[] text) {
            return new String(text, ISO_8859_1);
        }
        if (reply instanceof List<?> list) {
            return list.stream().map(RedisModel::describe).toList().toString();
        }
        return reply instanceof RedisError error ? error.words() : String.valueOf(reply);
    }

    /**
     * Adds a subscriber to a channel.
     *
     * @param channel the channel
     * @param subscriber takes each message, while the server executes a command
     */
    public void subscribe(String channel, Consumer<String> subscriber) {
        subscribers.computeIfAbsent(channel, any -> new LinkedHashSet<>()).add(subscriber);
    }

    /**
     * Removes a subscriber, because it asks for that or because its connection is broken.
     *
     * @param channel the channel
     * @param subscriber the same object as before
     */
    public void unsubscribe(String channel, Consumer<String> subscriber) {
        Set<Consumer<String>> all = subscribers.get(channel);
        if (all != null && all.remove(subscriber) && all.isEmpty()) {
            subscribers.remove(channel);
        }
    }

    /**
     * Sets the receiver of each message that this server publishes.
     *
     * @param others the other nodes of a cluster
     */
    void publishesTo(BiConsumer<String, String> others) {
        bus = others;
    }

    /**
     * Starts another process with the same data. The caller breaks the connections.
     *
     * @param newRunId names the process, in hexadecimal
     */
    public void restart(String newRunId) {
        runId = newRunId;
        scripts.clear();
        subscribers.clear();
    }

    /** Loses all data. */
    public void loseAll() {
        keys.clear();
    }

    /**
     * Loses the changes since some time, as far as the server remembers them.
     *
     * @param trueNanos the true time of the first change to lose
     */
    public void loseChangesSince(long trueNanos) {
        keys.goBack(trueNanos);
    }

    /**
     * Returns all keys that have not expired, with the times that they have left.
     *
     * @return one line for each key
     */
    public List<String> keys() {
        micros = clock.getAsLong();
        return keys.keys().stream()
                .map(key -> key + " for " + keys.left(key) + " ms")
                .toList();
    }

    /** Returns the keys that have not expired, sorted. */
    List<String> keyNames() {
        micros = clock.getAsLong();
        return keys.keys();
    }

    /** Returns whether a key exists that has not expired. */
    boolean has(String key) {
        micros = clock.getAsLong();
        return keys.value(key) != null;
    }

    /** Moves a key to another server, if it exists. */
    void moveKey(String key, RedisModel to) {
        micros = clock.getAsLong();
        to.micros = to.clock.getAsLong();
        keys.move(key, to.keys);
    }

    /**
     * Returns whether all keys with some ending still exist that have ever been written.
     *
     * @param ending how the keys end
     * @return true if so, and if there are none
     */
    public boolean keepsAll(String ending) {
        micros = clock.getAsLong();
        return keys.keepsAll(ending);
    }

    // For the commands

    long micros() {
        return micros;
    }

    long millis() {
        return Math.floorDiv(micros, MICROS_IN_MILLIS);
    }

    String runId() {
        return runId;
    }

    long publish(String channel, String message) {
        bus.accept(channel, message);
        return deliver(channel, message);
    }

    /** Sends a message to the subscribers of this server. */
    long deliver(String channel, String message) {
        Set<Consumer<String>> all = subscribers.getOrDefault(channel, Set.of());
        all.forEach(subscriber -> subscriber.accept(message));
        return all.size();
    }
}

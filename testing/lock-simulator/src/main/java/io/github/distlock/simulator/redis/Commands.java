package io.github.distlock.simulator.redis;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The commands that scripts may call: those of Redis 7.0 that the scripts of the Redis backend use, with the options
 * that they use. Another option is an {@code UnsupportedOperationException}.
 *
 * <p>Replies are {@code Long}, {@code String}, {@link Status}, a list of these, or null.
 */
final class Commands {
    private static final Map<String, Command> COMMANDS = Map.ofEntries(
            Map.entry("TIME", new Command(1, Commands::time)),
            Map.entry("GET", new Command(2, Commands::get)),
            Map.entry("SET", new Command(-3, Commands::set)),
            Map.entry("APPEND", new Command(3, Commands::append)),
            Map.entry("DEL", new Command(-2, Commands::delete)),
            Map.entry("PTTL", new Command(2, Commands::timeLeft)),
            Map.entry("PEXPIRE", new Command(3, Commands::expire)),
            Map.entry("ZADD", new Command(-4, Commands::addToSet)),
            Map.entry("ZREM", new Command(-3, Commands::removeFromSet)),
            Map.entry("ZREMRANGEBYSCORE", new Command(4, Commands::removeByScore)),
            Map.entry("ZREMRANGEBYRANK", new Command(4, Commands::removeByRank)),
            Map.entry("ZRANGE", new Command(-4, Commands::rangeByRank)),
            Map.entry("ZRANGEBYSCORE", new Command(-4, Commands::rangeByScore)),
            Map.entry("ZSCORE", new Command(3, Commands::score)),
            Map.entry("ZCOUNT", new Command(4, Commands::count)),
            Map.entry("ZCARD", new Command(2, Commands::size)),
            Map.entry("PUBLISH", new Command(3, Commands::publish)),
            Map.entry("PING", new Command(-1, (commands, words) -> Status.PONG)),
            Map.entry("INFO", new Command(-1, Commands::info)));

    private static final String SYNTAX = "ERR syntax error";
    private static final int MICROS = 1_000_000;

    private final RedisModel server;
    private final Keyspace keys;

    /** A reply that is neither text nor number. */
    record Status(String words) {
        static final Status OK = new Status("OK");
        static final Status PONG = new Status("PONG");
    }

    /**
     * One command.
     *
     * @param arity the number of its words; a negative one means at least as many
     */
    private record Command(int arity, Operation operation) {}

    private interface Operation {
        @Nullable
        Object apply(Commands commands, String[] words);
    }

    Commands(RedisModel server, Keyspace keys) {
        this.server = server;
        this.keys = keys;
    }

    /**
     * Executes a command.
     *
     * @param words its name in capital letters, and its arguments
     * @throws RedisError if the server answers an error
     */
    @Nullable
    Object execute(String[] words) {
        Command command = COMMANDS.get(words[0]);
        if (command == null) {
            throw new UnsupportedOperationException("the model does not know " + words[0]);
        }
        if (command.arity >= 0 ? words.length != command.arity : words.length < -command.arity) {
            throw new RedisError("ERR wrong number of arguments for '" + lower(words[0]) + "' command");
        }
        return command.operation.apply(this, words);
    }

    private static String lower(String name) {
        return name.toLowerCase(Locale.ROOT);
    }

    private Object time(String[] words) {
        long micros = server.micros();
        return List.of(Long.toString(micros / MICROS), Long.toString(micros % MICROS));
    }

    private @Nullable Object get(String[] words) {
        return keys.string(words[1]);
    }

    private @Nullable Object set(String[] words) {
        boolean ifAbsent = false;
        boolean ifPresent = false;
        boolean keepsExpiry = false;
        boolean gets = false;
        String lasts = null;
        for (int i = 3; i < words.length; i++) {
            switch (words[i]) {
                case "NX" -> ifAbsent = true;
                case "XX" -> ifPresent = true;
                case "KEEPTTL" -> keepsExpiry = true;
                case "GET" -> gets = true;
                case "PX" -> {
                    i++;
                    lasts = i < words.length ? words[i] : "";
                }
                default -> throw new RedisError(SYNTAX);
            }
        }
        if ((ifAbsent && ifPresent) || (keepsExpiry && lasts != null) || "".equals(lasts)) {
            throw new RedisError(SYNTAX);
        }
        long expiresAt = lasts == null ? 0 : expiry(lasts);
        String key = words[1];
        String before = gets ? keys.string(key) : null;
        boolean exists = keys.value(key) != null;
        if (exists ? ifAbsent : ifPresent) {
            return before;
        }
        if (keepsExpiry) {
            keys.change(key, words[2]);
        } else {
            keys.write(key, words[2]);
        }
        if (lasts != null) {
            keys.expire(key, expiresAt);
        }
        return gets ? before : Status.OK;
    }

    private long expiry(String lasts) {
        long millis = Numbers.integer(lasts);
        if (millis <= 0 || millis > Long.MAX_VALUE - server.millis()) {
            throw invalidExpiry("set");
        }
        return server.millis() + millis;
    }

    private static RedisError invalidExpiry(String command) {
        return new RedisError("ERR invalid expire time in '" + command + "' command");
    }

    private Object append(String[] words) {
        String before = keys.string(words[1]);
        String after = before == null ? words[2] : before + words[2];
        keys.change(words[1], after);
        return (long) after.length();
    }

    private Object delete(String[] words) {
        return Arrays.stream(words).skip(1).filter(keys::delete).count();
    }

    private Object timeLeft(String[] words) {
        return keys.left(words[1]);
    }

    private Object expire(String[] words) {
        long millis = Numbers.integer(words[2]);
        long now = server.millis();
        if (millis > Long.MAX_VALUE - now) {
            throw invalidExpiry("pexpire");
        }
        boolean exists = keys.value(words[1]) != null;
        keys.expire(words[1], now + millis);
        return exists ? 1L : 0L;
    }

    private Object addToSet(String[] words) {
        boolean onlyNew = false;
        boolean onlyKnown = false;
        boolean onlyGreater = false;
        int from = 2;
        for (boolean isOption = true; isOption && from < words.length; ) {
            switch (words[from]) {
                case "NX" -> onlyNew = true;
                case "XX" -> onlyKnown = true;
                case "GT" -> onlyGreater = true;
                default -> isOption = false;
            }
            from += isOption ? 1 : 0;
        }
        if (from == words.length || (words.length - from) % 2 != 0) {
            throw new RedisError(SYNTAX);
        }
        if (onlyNew && onlyKnown) {
            throw new RedisError("ERR XX and NX options at the same time are not compatible");
        }
        if (onlyNew && onlyGreater) {
            throw new RedisError("ERR GT, LT, and/or NX options at the same time are not compatible");
        }
        double[] scores = new double[(words.length - from) / 2];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = Numbers.score(words[from + 2 * i]);
        }
        SortedSet before = keys.set(words[1]);
        SortedSet after = before;
        long added = 0;
        for (int i = 0; i < scores.length; i++) {
            String member = words[from + 2 * i + 1];
            int index = after.indexOf(member);
            if (index < 0 ? !onlyKnown : !onlyNew && (!onlyGreater || scores[i] > after.score(index))) {
                added += index < 0 ? 1 : 0;
                after = after.with(member, scores[i]);
            }
        }
        replace(words[1], before, after);
        return added;
    }

    private void replace(String key, SortedSet before, SortedSet after) {
        if (after.size() == 0) {
            keys.delete(key);
        } else if (before != after) {
            keys.change(key, after);
        }
    }

    private Object removeFromSet(String[] words) {
        SortedSet before = keys.set(words[1]);
        SortedSet after = before;
        for (int i = 2; i < words.length; i++) {
            int index = after.indexOf(words[i]);
            if (index >= 0) {
                after = after.without(new SortedSet.Range(index, index + 1));
            }
        }
        replace(words[1], before, after);
        return (long) (before.size() - after.size());
    }

    private Object removeByScore(String[] words) {
        SortedSet.Scores bounds = Numbers.bounds(words[2], words[3]);
        SortedSet set = keys.set(words[1]);
        return remove(words[1], set, set.within(bounds));
    }

    private Object removeByRank(String[] words) {
        long from = Numbers.integer(words[2]);
        long to = Numbers.integer(words[3]);
        SortedSet set = keys.set(words[1]);
        return remove(words[1], set, ranks(set, from, to));
    }

    private Object remove(String key, SortedSet before, SortedSet.Range range) {
        if (range.size() > 0) {
            replace(key, before, before.without(range));
        }
        return (long) range.size();
    }

    /** Returns the members between two ranks, both included. Negative ones count from the end. */
    private static SortedSet.Range ranks(SortedSet set, long from, long to) {
        int size = set.size();
        long first = Math.max(0, from < 0 ? size + from : from);
        long last = Math.min(size - 1, to < 0 ? size + to : to);
        return first > last ? new SortedSet.Range(0, 0) : new SortedSet.Range((int) first, (int) last + 1);
    }

    private Object rangeByRank(String[] words) {
        boolean withScores = words.length == 5 && words[4].equals("WITHSCORES");
        if (words.length > 4 && !withScores) {
            throw new UnsupportedOperationException("the model does not know " + String.join(" ", words));
        }
        long from = Numbers.integer(words[2]);
        long to = Numbers.integer(words[3]);
        SortedSet set = keys.set(words[1]);
        return members(set, ranks(set, from, to), withScores);
    }

    private Object rangeByScore(String[] words) {
        boolean withScores = false;
        long skipped = 0;
        long most = Integer.MAX_VALUE;
        for (int i = 4; i < words.length; i++) {
            if (words[i].equals("WITHSCORES")) {
                withScores = true;
            } else if (words[i].equals("LIMIT") && i + 2 < words.length) {
                skipped = Numbers.integer(words[i + 1]);
                most = Numbers.integer(words[i + 2]);
                i += 2;
            } else {
                throw new RedisError(SYNTAX);
            }
        }
        SortedSet.Scores bounds = Numbers.bounds(words[2], words[3]);
        SortedSet set = keys.set(words[1]);
        SortedSet.Range all = set.within(bounds);
        if (skipped < 0 || most < 0) {
            throw new UnsupportedOperationException("the model does not know negative limits");
        }
        int from = (int) Math.min(all.to(), all.from() + skipped);
        return members(set, new SortedSet.Range(from, (int) Math.min(all.to(), from + most)), withScores);
    }

    private static List<Object> members(SortedSet set, SortedSet.Range range, boolean withScores) {
        List<Object> found = new ArrayList<>();
        for (int i = range.from(); i < range.to(); i++) {
            found.add(set.member(i));
            if (withScores) {
                found.add(Numbers.text(set.score(i)));
            }
        }
        return found;
    }

    private @Nullable Object score(String[] words) {
        SortedSet set = keys.set(words[1]);
        int index = set.indexOf(words[2]);
        return index < 0 ? null : Numbers.text(set.score(index));
    }

    private Object count(String[] words) {
        SortedSet.Scores bounds = Numbers.bounds(words[2], words[3]);
        return (long) keys.set(words[1]).within(bounds).size();
    }

    private Object size(String[] words) {
        return (long) keys.set(words[1]).size();
    }

    private Object publish(String[] words) {
        return server.publish(words[1], words[2]);
    }

    private Object info(String[] words) {
        if (words.length != 2 || !words[1].equals("server")) {
            throw new UnsupportedOperationException("the model does not know this INFO");
        }
        return "# Server\r\nrun_id:" + server.runId() + "\r\n";
    }
}

package io.github.distlock.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import java.util.Locale;
import redis.clients.jedis.BuilderFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.RedisClient;

/** The slow log of a server, which has the scripts that took long. */
record SlowScripts(RedisClient admin) {
    private static final String LEAST_MICROS = "100";

    /** Lets the server log slow scripts from now on. */
    void reset() {
        var unused = command(Command.CONFIG, "SET", "slowlog-log-slower-than", LEAST_MICROS);
        var unusedToo = command(Command.SLOWLOG, "RESET");
    }

    /** Returns the longest time of a script, in microseconds, or that it is less than what the server has logged. */
    String longest() {
        List<?> entries = (List<?>) command(Command.SLOWLOG, "GET", "-1");
        return entries.stream()
                .map(entry -> (List<?>) entry)
                .filter(entry -> isScript((List<?>) entry.get(3)))
                .map(entry -> (Long) entry.get(2))
                .max(Long::compare)
                .map(String::valueOf)
                .orElse("< " + LEAST_MICROS);
    }

    private static boolean isScript(List<?> words) {
        return new String((byte[]) words.get(0), UTF_8).toLowerCase(Locale.ROOT).startsWith("eval");
    }

    private Object command(Command command, String... words) {
        CommandArguments call = new CommandArguments(command).addObjects((Object[]) words);
        return admin.executeCommand(new CommandObject<>(call, BuilderFactory.RAW_OBJECT));
    }
}

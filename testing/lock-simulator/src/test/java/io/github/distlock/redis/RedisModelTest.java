package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.github.distlock.simulator.redis.LuaInterpreter;
import io.github.distlock.simulator.redis.RedisError;
import io.github.distlock.simulator.redis.RedisModel;
import io.github.distlock.tests.servers.RedisServer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * Compares the model with a real server. The model's clock follows the machine's clock, which the server reads, too. A
 * key's time left differs by at most the longest exchange with the server.
 */
class RedisModelTest {
    private static final int SEEDS = 4;
    private static final int STEPS = 1000;
    private static final long FIRST_MICROS = 1_700_000_000_000_000L;
    /** Numbers from here on are times that depend on the server's clock. */
    private static final long LEAST_TIME = 50_000_000;

    /** How Redis 6.2 begins the error of a script, and how Redis 7 ends it. */
    private static final Pattern SCRIPT = Pattern.compile(
            "^ERR Error running script \\(call to \\w+\\): (@user_script:\\s?\\d+: )?(@user_script:\\s?\\d+: )?-?"
                    + "| script: \\w+, on @.*$",
            Pattern.DOTALL);

    private final LuaInterpreter lua = new LuaInterpreter();
    private long micros;
    private long longestExchange;

    static String sha1(String text) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(text.getBytes(ISO_8859_1)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void the_model_answers_publishes_and_stores_what_a_real_server_does() {
        try (RedisServer server = RedisServer.start();
                Connection connection = connect(server);
                Connection subscribed = connect(server);
                LuaInterpreter interpreter = lua) {
            subscribed.sendCommand(Command.SUBSCRIBE, RandomCommands.CHANNELS.toArray(String[]::new));
            RandomCommands.CHANNELS.forEach(channel -> subscribed.getOne());
            for (long seed = 1; seed <= SEEDS; seed++) {
                connection.sendCommand(Command.FLUSHALL);
                connection.sendCommand(Command.SCRIPT, "FLUSH");
                connection.getMany(2);
                compare(seed, connection, subscribed);
            }
        }
    }

    private static Connection connect(RedisServer server) {
        return new Connection(new HostAndPort(server.host(), server.port()));
    }

    private void compare(long seed, Connection connection, Connection subscribed) {
        SplittableRandom random = new SplittableRandom(seed);
        RedisModel model = new RedisModel(() -> micros, () -> 0, 0, lua, runId(connection));
        List<String> published = new ArrayList<>();
        RandomCommands.CHANNELS.forEach(
                channel -> model.subscribe(channel, message -> published.add(channel + " " + message)));
        RandomCommands commands = new RandomCommands(
                random,
                key -> model(model, List.of("GET", key)) instanceof byte[] text ? text(text) : "",
                key -> model(model, List.of("ZRANGE", key, "0", "-1")) instanceof List<?> all && !all.isEmpty()
                        ? text((byte[]) all.get(random.nextInt(all.size())))
                        : "");
        long now = FIRST_MICROS;
        for (int step = 0; step < STEPS; step++) {
            now += pause(random);
            List<List<String>> all = new ArrayList<>();
            all.add(List.of("SET", RandomCommands.SECONDS, Long.toString(now / 1_000_000)));
            all.add(List.of("SET", RandomCommands.MICROS, Long.toString(now % 1_000_000)));
            all.add(commands.next());
            for (String key : RandomCommands.keys()) {
                all.add(List.of("GET", key));
                all.add(List.of("ZRANGE", key, "0", "-1", "WITHSCORES"));
                all.add(List.of("PTTL", key));
            }
            compare("seed " + seed + ", step " + step, model, connection, all);
            for (String message : published) {
                List<?> push = (List<?>) subscribed.getOne();
                assertThat(text((byte[]) push.get(1)) + " " + text((byte[]) push.get(2)))
                        .as("seed %s, step %s", seed, step)
                        .isEqualTo(message);
            }
            published.clear();
        }
        // The server has published nothing else.
        subscribed.sendCommand(Command.PING);
        assertThat(text((byte[]) ((List<?>) subscribed.getOne()).get(0))).isEqualTo("pong");
    }

    private static long pause(SplittableRandom random) {
        return switch (random.nextInt(40)) {
            case 0 -> -random.nextLong(10_000_000);
            case 1 -> 110_000_000_000L;
            default -> random.nextLong(2_000_000);
        };
    }

    /** Executes commands on both servers, and compares all replies. */
    private void compare(String when, RedisModel model, Connection connection, List<List<String>> commands) {
        long before = System.currentTimeMillis();
        commands.forEach(command -> send(connection, command));
        List<Object> replies = connection.getMany(commands.size());
        longestExchange = Math.max(longestExchange, System.currentTimeMillis() - before + 1);
        micros = before * 1_000;
        StringBuilder trace = new StringBuilder(when);
        for (int i = 0; i < replies.size(); i++) {
            Object found = model(model, commands.get(i));
            trace.append('\n').append(String.join(" ", commands.get(i)));
            trace.append("\n    server: ").append(show(replies.get(i)));
            trace.append("\n    model:  ").append(show(found));
            if (!isEqual(replies.get(i), found)) {
                fail(trace.toString());
            }
        }
    }

    private static Object model(RedisModel model, List<String> command) {
        return model.execute(
                command.stream().map(word -> word.getBytes(ISO_8859_1)).toList());
    }

    private static void send(Connection connection, List<String> command) {
        CommandArguments words = new CommandArguments(Command.valueOf(command.get(0)));
        command.stream().skip(1).forEach(word -> words.add(word.getBytes(ISO_8859_1)));
        connection.sendCommand(words);
    }

    private static String runId(Connection connection) {
        connection.sendCommand(Command.INFO, "server");
        String info = text((byte[]) connection.getOne());
        Matcher found = Pattern.compile("run_id:(\\w+)").matcher(info);
        assertThat(found.find()).isTrue();
        return found.group(1);
    }

    private boolean isEqual(Object expected, Object found) {
        if (expected instanceof Long one && found instanceof Long other) {
            return one < LEAST_TIME ? one.equals(other) : Math.abs(one - other) <= longestExchange;
        }
        if (expected instanceof List<?> some && found instanceof List<?> others) {
            boolean same = some.size() == others.size();
            for (int i = 0; same && i < some.size(); i++) {
                same = isEqual(some.get(i), others.get(i));
            }
            return same;
        }
        return show(expected).equals(show(found));
    }

    private static String show(Object reply) {
        if (reply instanceof byte[] text) {
            return '"' + text(text) + '"';
        }
        if (reply instanceof List<?> list) {
            return list.stream().map(RedisModelTest::show).toList().toString();
        }
        if (reply instanceof JedisDataException error) {
            return words(error.getMessage());
        }
        return reply instanceof RedisError error ? words(error.words()) : String.valueOf(reply);
    }

    /** Returns the words of an error without what differs between versions of Redis. */
    private static String words(String message) {
        return SCRIPT.matcher(message)
                .replaceAll("")
                .replaceFirst("^ERR ", "")
                .replace("redis() command", "redis lib command")
                .replaceAll(" in '?(\\w+)'?( command)?$", " in $1");
    }

    private static String text(byte[] bytes) {
        return new String(bytes, ISO_8859_1);
    }
}

package io.github.distlock.bench;

import io.github.distlock.tests.servers.RedisServer;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import redis.clients.jedis.RedisClient;

/** Reads the counters of Redis servers, by {@code INFO}. */
final class RedisLoad implements AutoCloseable {
    private static final Pattern COMMANDS = Pattern.compile("cmdstat_\\S+:calls=(\\d+)");
    private static final Pattern SCRIPTS = Pattern.compile("cmdstat_eval\\w*:calls=(\\d+)");
    private static final Pattern SCRIPT_MICROS = Pattern.compile("cmdstat_eval\\w*:calls=\\d+,usec=(\\d+)");
    private static final Pattern CPU_SECONDS = Pattern.compile("used_cpu_(?:user|sys):([\\d.]+)");

    private final List<RedisClient> servers;

    /**
     * The counters of all servers together, or what they have spent between two readings.
     *
     * @param commands includes those in scripts
     */
    record Reading(double commands, double scripts, double scriptMicros, double cpuSeconds) {
        Reading since(Reading before) {
            return new Reading(
                    commands - before.commands,
                    scripts - before.scripts,
                    scriptMicros - before.scriptMicros,
                    cpuSeconds - before.cpuSeconds);
        }
    }

    RedisLoad(List<RedisServer> servers) {
        this.servers =
                servers.stream().map(server -> RedisClient.create(server.uri())).toList();
    }

    Reading read() {
        String commands = info("commandstats");
        return new Reading(
                sum(COMMANDS, commands),
                sum(SCRIPTS, commands),
                sum(SCRIPT_MICROS, commands),
                sum(CPU_SECONDS, info("cpu")));
    }

    private String info(String section) {
        StringBuilder text = new StringBuilder();
        servers.forEach(server -> text.append(server.info(section)));
        return text.toString();
    }

    private static double sum(Pattern pattern, String text) {
        Matcher numbers = pattern.matcher(text);
        double sum = 0;
        while (numbers.find()) {
            sum += Double.parseDouble(numbers.group(1));
        }
        return sum;
    }

    @Override
    public void close() {
        servers.forEach(RedisClient::close);
    }
}

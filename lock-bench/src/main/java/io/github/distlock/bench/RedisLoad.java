package io.github.distlock.bench;

import io.github.distlock.tests.servers.RedisServer;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import redis.clients.jedis.RedisClient;

/** Reads the counters of Redis servers, by {@code INFO}. */
final class RedisLoad implements AutoCloseable {
    private static final Pattern REQUESTS = Pattern.compile("total_reads_processed:(\\d+)");
    private static final Pattern COMMANDS = Pattern.compile("cmdstat_\\S+:calls=(\\d+)");
    private static final Pattern SCRIPTS = Pattern.compile("cmdstat_eval\\w*:calls=(\\d+)");
    private static final Pattern SCRIPT_MICROS = Pattern.compile("cmdstat_eval\\w*:calls=\\d+,usec=(\\d+)");
    private static final Pattern CPU_SECONDS = Pattern.compile("used_cpu_(?:user|sys):([\\d.]+)");

    /** Since when a server of a quorum has had its data. Without it, the server gives no votes for a minute. */
    private static final String SINCE = "distlock:{quorum}:since";

    private final List<RedisClient> servers;

    /**
     * The counters of all servers together, or what they have spent between two readings.
     *
     * @param requests reads from connections: requests in one write count once
     * @param commands includes those in scripts
     */
    record Reading(double requests, double commands, double scripts, double scriptMicros, double cpuSeconds) {
        Reading since(Reading before) {
            return new Reading(
                    requests - before.requests,
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
        StringBuilder all = new StringBuilder();
        servers.forEach(server -> all.append(server.info("all")));
        return new Reading(
                sum(REQUESTS, all),
                sum(COMMANDS, all),
                sum(SCRIPTS, all),
                sum(SCRIPT_MICROS, all),
                sum(CPU_SECONDS, all));
    }

    /** Removes what contenders have left. Replicas follow. */
    void clear() {
        servers.stream()
                .filter(server -> server.info("replication").contains("role:master"))
                .forEach(RedisLoad::clear);
    }

    private static void clear(RedisClient server) {
        boolean isOfCluster = server.info("cluster").contains("cluster_enabled:1");
        String since = isOfCluster ? null : server.get(SINCE);
        server.flushAll();
        if (since != null) {
            server.set(SINCE, since);
        }
    }

    private static double sum(Pattern pattern, CharSequence text) {
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

package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.redis.connection.Connections;
import io.github.distlock.spi.Deadline;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.BuilderFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.Connection;
import redis.clients.jedis.ConnectionPool;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * The servers that a caller-supplied client uses. Of a cluster, each primary is asked over a connection of its pool.
 * Any other client decides itself which server it asks. All calls last as long as the client lets them.
 */
final class SuppliedServers {
    private static final Pattern LOCAL_ADDRESS = Pattern.compile("\\bladdr=(\\S+)");

    private SuppliedServers() {}

    /** Asks the client for its servers. */
    static List<Connections.Server> of(UnifiedJedis client) {
        return client instanceof RedisClusterClient cluster ? primaries(cluster) : List.of(only(client));
    }

    private static Connections.Server only(UnifiedJedis client) {
        String address = "the server of the caller-supplied client";
        try {
            if (send(client, List.of("CLIENT", "INFO")) instanceof byte[] info) {
                Matcher local = LOCAL_ADDRESS.matcher(new String(info, UTF_8));
                address = local.find() ? local.group(1) : address;
            }
        } catch (JedisException e) {
            // A missing right, or a proxy that does not know the command. The check reports other failures.
        }
        return new OnlyServer(client, address, client instanceof RedisSentinelClient);
    }

    private static @Nullable Object send(UnifiedJedis client, List<String> words) {
        CommandArguments command = JedisCalls.command(words);
        return client.executeCommand(new CommandObject<>(command, BuilderFactory.RAW_OBJECT));
    }

    private static List<Connections.Server> primaries(RedisClusterClient cluster) {
        Map<String, ConnectionPool> pools = cluster.getClusterNodes();
        JedisException failure = new JedisConnectionException("the client knows no node");
        for (Map.Entry<String, ConnectionPool> each : pools.entrySet()) {
            try (Connection connection = each.getValue().getResource()) {
                Map<HostAndPort, List<ClusterNodes.Range>> ranges = new LinkedHashMap<>();
                ClusterNodes.ask(connection, HostAndPort.from(each.getKey()))
                        .content()
                        .forEach(range -> ranges.computeIfAbsent(range.primary(), any -> new ArrayList<>())
                                .add(range));
                List<Connections.Server> primaries = new ArrayList<>();
                ranges.forEach((address, some) ->
                        primaries.add(new Primary(address.toString(), pools.get(address.toString()), some)));
                return primaries;
            } catch (JedisException e) {
                failure = e;
            }
        }
        throw failure;
    }

    /** The server that the client chooses. */
    private record OnlyServer(UnifiedJedis client, String address, boolean failsOver) implements Connections.Server {
        @Override
        public boolean keeps(byte[] lockKey) {
            return true;
        }

        @Override
        public List<Object> ask(List<List<String>> commands, Deadline deadline) {
            List<@Nullable Object> replies = new ArrayList<>();
            for (List<String> command : commands) {
                try {
                    replies.add(send(client, command));
                } catch (JedisDataException e) {
                    replies.add(e);
                }
            }
            return JedisCalls.repliesOrErrors(replies);
        }
    }

    /** A primary of a cluster. */
    private record Primary(String address, @Nullable ConnectionPool pool, List<ClusterNodes.Range> ranges)
            implements Connections.Server {
        @Override
        public boolean failsOver() {
            return true;
        }

        @Override
        public boolean keeps(byte[] lockKey) {
            return ranges.stream().anyMatch(range -> range.contains(lockKey));
        }

        @Override
        public List<Object> ask(List<List<String>> commands, Deadline deadline) {
            if (pool == null) {
                throw new JedisConnectionException("the client does not know the node " + address);
            }
            try (Connection connection = pool.getResource()) {
                commands.forEach(command -> connection.sendCommand(JedisCalls.command(command)));
                return JedisCalls.repliesOrErrors(connection.getMany(commands.size()));
            }
        }
    }
}

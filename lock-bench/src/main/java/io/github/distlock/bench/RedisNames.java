package io.github.distlock.bench;

import io.github.distlock.LockClient;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.tests.servers.RedisServer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import redis.clients.jedis.RedisClient;

/**
 * Locks very many names once each, and prints what stays: keys and bytes on the server, keys without an expiry, and the
 * heap of this process, after a full garbage collection. Arguments: names (1000000).
 */
public final class RedisNames {
    private static final String FIRST = "order-0";

    private RedisNames() {}

    /**
     * Runs the program and prints its figures.
     *
     * @param args see the class comment
     * @throws InterruptedException if the program is interrupted
     */
    public static void main(String[] args) throws InterruptedException {
        int names = args.length > 0 ? Integer.parseInt(args[0]) : 1_000_000;
        try (RedisServer server = RedisServer.start();
                RedisClient admin = RedisClient.create(server.uri());
                LockClient locks = LockClient.create(RedisBackend.connect(server.uri()))) {
            locks.lock("warm-up").acquire().close();
            double keysBefore = found(admin, "keyspace", "keys=(\\d+)");
            double serverBefore = found(admin, "memory", "used_memory:(\\d+)");
            long heapBefore = heap();
            for (int i = 0; i < names; i++) {
                locks.lock("order-" + i).acquire().close();
            }
            double keys = found(admin, "keyspace", "keys=(\\d+)");
            System.out.printf(
                    "Redis %s, %,d names: %,.0f keys, %,.0f of them without an expiry%n",
                    server.version(), names, keys - keysBefore, keys - found(admin, "keyspace", "expires=(\\d+)"));
            System.out.printf(
                    "%.1f bytes per name on the server, MEMORY USAGE of one key %,d, heap %+,d bytes%n",
                    (found(admin, "memory", "used_memory:(\\d+)") - serverBefore) / names,
                    admin.memoryUsage("distlock:{distlock:" + FIRST + "}:token"),
                    heap() - heapBefore);
        }
    }

    private static double found(RedisClient admin, String section, String pattern) {
        Matcher number = Pattern.compile(pattern).matcher(admin.info(section));
        return number.find() ? Double.parseDouble(number.group(1)) : 0;
    }

    private static long heap() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}

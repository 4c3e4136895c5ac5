package io.github.distlock.examples;

import io.github.distlock.LockClient;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.ExponentialBackoffRetry;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.UnifiedJedis;

/** Shows locks over caller-supplied clients. Closing a lock client leaves them open. */
public final class SharedClients {
    private SharedClients() {}

    static void useBoth(UnifiedJedis jedis, CuratorFramework curator) throws InterruptedException {
        try (LockClient inRedis = LockClient.create(RedisBackend.of(jedis));
                LockClient inZooKeeper = LockClient.create(ZooKeeperBackend.of(curator))) {
            inRedis.lock("stock").runLocked(held -> jedis.incr("items"));
            inZooKeeper.lock("stock").runLocked(held -> System.out.println("under token " + held.fencingToken()));
        }
    }

    /**
     * Uses each client for locks and for other requests.
     *
     * @param arguments the addresses of a Redis and of a ZooKeeper server
     * @throws InterruptedException if the thread is interrupted while it waits for a lock
     */
    public static void main(String[] arguments) throws InterruptedException {
        try (RedisClient jedis = RedisClient.create(arguments[0]);
                CuratorFramework curator =
                        CuratorFrameworkFactory.newClient(arguments[1], new ExponentialBackoffRetry(100, 5))) {
            curator.start();
            useBoth(jedis, curator);
            System.out.println("items: " + jedis.get("items") + ", Curator is " + curator.getState());
        }
    }
}

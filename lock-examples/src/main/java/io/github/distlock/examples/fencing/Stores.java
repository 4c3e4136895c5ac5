package io.github.distlock.examples.fencing;

import io.github.distlock.LockClient;
import io.github.distlock.redis.RedisBackend;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import redis.clients.jedis.RedisClient;

/** The connections of a process: to the store of the lock, and to the stores of the accounts. */
final class Stores implements AutoCloseable {
    final LockClient locks;
    private final RedisClient redis;
    private final CuratorFramework zooKeeper;
    private final Connection database;

    private Stores(String redis, String zooKeeper, String database) throws SQLException {
        this.database = DriverManager.getConnection(database);
        this.redis = RedisClient.create(redis);
        this.zooKeeper = CuratorFrameworkFactory.newClient(zooKeeper, new RetryOneTime(100));
        this.zooKeeper.start();
        this.locks = LockClient.create(RedisBackend.connect(redis));
    }

    /**
     * Connects to all stores.
     *
     * @param addresses the addresses of Redis, of ZooKeeper and of the database
     */
    static Stores connect(String... addresses) throws SQLException {
        return new Stores(addresses[0], addresses[1], addresses[2]);
    }

    void createAccounts() throws Exception {
        new SqlAccount(database).create();
        new RedisAccount(redis).create();
        new ZooKeeperAccount(zooKeeper).create();
    }

    /** Returns the accounts by their stores: that of a service, which has it in memory, and those of the servers. */
    Map<String, Account> accounts(Account inMemory) {
        Map<String, Account> accounts = new LinkedHashMap<>();
        accounts.put("memory", inMemory);
        accounts.put("SQL", new SqlAccount(database));
        accounts.put("Redis", new RedisAccount(redis));
        accounts.put("ZooKeeper", new ZooKeeperAccount(zooKeeper));
        return accounts;
    }

    @Override
    public void close() throws SQLException {
        locks.close();
        zooKeeper.close();
        redis.close();
        database.close();
    }
}

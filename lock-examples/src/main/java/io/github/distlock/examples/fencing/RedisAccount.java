package io.github.distlock.examples.fencing;

import io.github.distlock.redis.RedisFence;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.UnifiedJedis;

/** Balances in keys of Redis. */
final class RedisAccount implements Account {
    private final UnifiedJedis client;
    private final RedisFence fence;

    RedisAccount(UnifiedJedis client) {
        this.client = client;
        this.fence = new RedisFence(client);
    }

    void create() {
        client.set("account:7", "100");
        client.set("account:8", "100");
    }

    @Override
    public void write(String balance, long token) {
        fence.execute(token, Command.SET, "account:7", balance);
    }

    @Override
    public void writeUnfenced(String balance) {
        client.set("account:8", balance);
    }

    @Override
    public String balance() {
        return client.get("account:7");
    }

    @Override
    public String unfencedBalance() {
        return client.get("account:8");
    }
}

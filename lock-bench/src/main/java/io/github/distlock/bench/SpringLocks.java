package io.github.distlock.bench;

import org.apache.curator.framework.CuratorFramework;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.integration.redis.util.RedisLockRegistry;
import org.springframework.integration.redis.util.RedisLockRegistry.RedisLockType;
import org.springframework.integration.support.locks.LockRegistry;
import org.springframework.integration.zookeeper.lock.ZookeeperLockRegistry;
import redis.clients.jedis.HostAndPort;

/** The lock registries of Spring Integration. */
record SpringLocks(LockRegistry<?> registry, Runnable then) implements Peer.Client {
    static SpringLocks redis(HostAndPort server, RedisLockType type) {
        LettuceConnectionFactory factory = connect(server);
        RedisLockRegistry registry = new RedisLockRegistry(factory, "spring");
        registry.setRedisLockType(type);
        return new SpringLocks(registry, () -> {
            registry.destroy();
            factory.destroy();
        });
    }

    static LettuceConnectionFactory connect(HostAndPort server) {
        LettuceConnectionFactory factory =
                new LettuceConnectionFactory(new RedisStandaloneConfiguration(server.getHost(), server.getPort()));
        factory.afterPropertiesSet();
        factory.start();
        return factory;
    }

    static SpringLocks zooKeeper(String server) {
        CuratorFramework curator = CuratorLocks.framework(server);
        curator.start();
        ZookeeperLockRegistry registry = new ZookeeperLockRegistry(curator, "/spring");
        return new SpringLocks(registry, () -> {
            registry.destroy();
            curator.close();
        });
    }

    @Override
    public Acquire lock(String name) {
        return Peer.locking(registry.obtain(name));
    }

    @Override
    public void close() {
        then.run();
    }
}

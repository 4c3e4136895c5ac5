package io.github.distlock.bench;

import static io.github.distlock.bench.Peer.Deployment.CLUSTER;
import static io.github.distlock.bench.Peer.Deployment.FIVE;
import static io.github.distlock.bench.Peer.Deployment.SENTINEL;
import static io.github.distlock.bench.Peer.Deployment.STANDALONE;
import static io.github.distlock.bench.Peer.Deployment.THREE;
import static io.github.distlock.bench.Peer.Deployment.ZOOKEEPER;

import io.github.distlock.LockClient;
import io.github.distlock.LockOptions;
import io.github.distlock.bench.SharedLibrary.Acquire;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.redis.RedisQuorum;
import io.github.distlock.redis.lettuce.LettuceRedis;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Lock;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessLock;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreMutex;
import org.apache.curator.retry.RetryOneTime;
import org.redisson.Redisson;
import org.redisson.RedissonRedLock;
import org.redisson.api.RLock;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.integration.redis.util.RedisLockRegistry;
import org.springframework.integration.redis.util.RedisLockRegistry.RedisLockType;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.RedisSentinelClient;

/**
 * What {@link Peers} compares: distlock over each kind of connection and deployment, the libraries that its users
 * could pick instead, and floors. All have their default settings, but for the size of pools, which suffices for all
 * threads.
 */
enum Peer {
    /** The floor of everything that sends one request to acquire and one to release. */
    SOCKET("raw socket", STANDALONE, servers -> new SocketLocks(address(servers.single()))),
    /** The floor of locks that the server passes from waiter to waiter. */
    BATON("baton passed by the server", STANDALONE, servers -> new Baton(jedis(servers))),
    PLAIN("plain pattern on Jedis", STANDALONE, servers -> new PlainLocks(jedis(servers))),
    DISTLOCK("distlock", STANDALONE, servers -> new Distlock(RedisBackend.connect(servers.single()))),
    DISTLOCK_FAIR("distlock, fair", STANDALONE, servers -> {
        LockOptions fair = LockOptions.defaults().fair();
        return new Distlock(RedisBackend.connect(servers.single()), fair);
    }),
    DISTLOCK_SUPPLIED("distlock, supplied RedisClient", STANDALONE, servers -> {
        RedisClient jedis = jedis(servers);
        LockClient locks = LockClient.create(RedisBackend.of(jedis));
        return new Distlock(locks, LockOptions.defaults(), jedis::close);
    }),
    DISTLOCK_LETTUCE("distlock, supplied Lettuce client", STANDALONE, servers -> {
        io.lettuce.core.RedisClient lettuce = io.lettuce.core.RedisClient.create(servers.single());
        LockClient locks = LockClient.create(LettuceRedis.create(lettuce));
        return new Distlock(locks, LockOptions.defaults(), lettuce::shutdown);
    }),
    REDISSON(
            "Redisson RLock",
            STANDALONE,
            servers -> new RedissonLocks(singleServer(servers.single()), RedissonClient::getLock)),
    REDISSON_FAIR(
            "Redisson fair lock",
            STANDALONE,
            servers -> new RedissonLocks(singleServer(servers.single()), RedissonClient::getFairLock)),
    SPRING(
            "Spring Integration, pub-sub",
            STANDALONE,
            servers -> SpringLocks.connect(servers.single(), RedisLockType.PUB_SUB_LOCK)),
    SPRING_SPINNING(
            "Spring Integration, spinning",
            STANDALONE,
            servers -> SpringLocks.connect(servers.single(), RedisLockType.SPIN_LOCK)),

    SENTINEL_PLAIN("plain pattern on Jedis", SENTINEL, servers -> {
        return new PlainLocks(RedisSentinelClient.builder()
                .masterName(servers.primary())
                .sentinels(addresses(servers.sentinel()))
                .poolConfig(pool())
                .build());
    }),
    SENTINEL_DISTLOCK("distlock", SENTINEL, servers -> new Distlock(RedisBackend.connect(servers.sentinel()))),
    SENTINEL_REDISSON("Redisson RLock", SENTINEL, servers -> {
        Config config = new Config();
        config.useSentinelServers()
                .setMasterName(servers.primary())
                .setSentinelAddresses(addresses(servers.sentinel()).stream()
                        .map(each -> "redis://" + each)
                        .toList());
        return new RedissonLocks(config, RedissonClient::getLock);
    }),

    CLUSTER_PLAIN("plain pattern on Jedis", CLUSTER, servers -> {
        return new PlainLocks(RedisClusterClient.builder()
                .nodes(addresses(servers.cluster()))
                .poolConfig(pool())
                .build());
    }),
    CLUSTER_DISTLOCK("distlock", CLUSTER, servers -> new Distlock(RedisBackend.connect(servers.cluster()))),
    CLUSTER_REDISSON("Redisson RLock", CLUSTER, servers -> {
        Config config = new Config();
        config.useClusterServers()
                .setNodeAddresses(addresses(servers.cluster()).stream()
                        .map(each -> "redis://" + each)
                        .toList());
        return new RedissonLocks(config, RedissonClient::getLock);
    }),

    QUORUM_OF_THREE("distlock", THREE, servers -> Distlock.quorum(servers.firstThree())),
    RED_LOCK_OF_THREE("Redisson RedLock", THREE, servers -> RedissonLocks.redLock(servers.firstThree())),
    QUORUM_OF_FIVE("distlock", FIVE, servers -> Distlock.quorum(servers.independent())),
    RED_LOCK_OF_FIVE("Redisson RedLock", FIVE, servers -> RedissonLocks.redLock(servers.independent())),

    /** The floor of everything that creates a node to acquire and deletes it to release. */
    NODE("create and delete a node", ZOOKEEPER, servers -> NumberedNodes.connect(servers.zooKeeper(), false)),
    /** The floor of locks whose waiters wait for each other's nodes. */
    CHAIN("chain of nodes", ZOOKEEPER, servers -> NumberedNodes.connect(servers.zooKeeper(), true)),
    ZOOKEEPER_DISTLOCK("distlock", ZOOKEEPER, servers -> new Distlock(ZooKeeperBackend.connect(servers.zooKeeper()))),
    ZOOKEEPER_DISTLOCK_FAIR("distlock, fair", ZOOKEEPER, servers -> {
        LockOptions fair = LockOptions.defaults().fair();
        return new Distlock(ZooKeeperBackend.connect(servers.zooKeeper()), fair);
    }),
    CURATOR_SHARED("Curator InterProcessMutex, shared", ZOOKEEPER, servers -> {
        return new CuratorLocks(servers.zooKeeper(), shared(InterProcessMutex::new));
    }),
    CURATOR_OWN("Curator InterProcessMutex, one each", ZOOKEEPER, servers -> {
        return new CuratorLocks(servers.zooKeeper(), InterProcessMutex::new);
    }),
    CURATOR_NOT_REENTRANT("Curator InterProcessSemaphoreMutex", ZOOKEEPER, servers -> {
        return new CuratorLocks(servers.zooKeeper(), InterProcessSemaphoreMutex::new);
    });

    private static final int CONNECTIONS = 64;

    private final String title;
    private final Deployment deployment;

    @SuppressWarnings("ImmutableEnumChecker") // The functions have no state.
    private final Function<Servers, Client> connector;

    Peer(String title, Deployment deployment, Function<Servers, Client> connector) {
        this.title = title;
        this.deployment = deployment;
        this.connector = connector;
    }

    /** The servers that keep the locks of a peer. */
    enum Deployment {
        STANDALONE("one Redis server"),
        SENTINEL("a Redis primary with a replica and three sentinels"),
        CLUSTER("a Redis cluster of three primaries"),
        THREE("three independent Redis servers"),
        FIVE("five independent Redis servers"),
        ZOOKEEPER("one ZooKeeper server");

        private final String title;

        Deployment(String title) {
            this.title = title;
        }

        String title() {
            return title;
        }

        /** Returns the peer that the others of this deployment are compared with: a floor if there is one. */
        Peer floor(boolean contended) {
            return switch (this) {
                case STANDALONE -> contended ? BATON : PLAIN;
                case SENTINEL -> SENTINEL_PLAIN;
                case CLUSTER -> CLUSTER_PLAIN;
                case THREE -> RED_LOCK_OF_THREE;
                case FIVE -> RED_LOCK_OF_FIVE;
                case ZOOKEEPER -> contended ? CHAIN : NODE;
            };
        }
    }

    /** The addresses of all servers, as the main program passes them to its child programs. */
    record Servers(String single, String sentinel, String cluster, List<String> independent, String zooKeeper) {
        static Servers parse(List<String> args) {
            return new Servers(
                    args.get(0), args.get(1), args.get(2), List.of(args.get(3).split(",", -1)), args.get(4));
        }

        private String primary() {
            return URI.create(sentinel).getPath().substring(1);
        }

        private List<String> firstThree() {
            return independent.subList(0, 3);
        }

        /** Returns the arguments from which {@link #parse} makes this. */
        List<String> arguments() {
            return List.of(single, sentinel, cluster, String.join(",", independent), zooKeeper);
        }
    }

    /** A connected library, which all threads of a JVM share. */
    interface Client extends AutoCloseable {
        /** Returns how one thread acquires the lock, and releases it then. */
        Acquire lock(String name);

        @Override
        void close();
    }

    String title() {
        return title;
    }

    Deployment deployment() {
        return deployment;
    }

    Client connect(Servers servers) {
        return connector.apply(servers);
    }

    private static HostAndPort address(String uri) {
        return HostAndPort.from(URI.create(uri).getAuthority());
    }

    private static Set<HostAndPort> addresses(String uri) {
        return Stream.of(URI.create(uri).getAuthority().split(",", -1))
                .map(HostAndPort::from)
                .collect(Collectors.toSet());
    }

    private static RedisClient jedis(Servers servers) {
        return RedisClient.builder()
                .hostAndPort(address(servers.single()))
                .poolConfig(pool())
                .build();
    }

    private static Config singleServer(String uri) {
        Config config = new Config();
        config.useSingleServer().setAddress(uri);
        return config;
    }

    private static ConnectionPoolConfig pool() {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(CONNECTIONS);
        pool.setMaxIdle(CONNECTIONS);
        return pool;
    }

    private record Distlock(LockClient client, LockOptions options, Runnable then) implements Client {
        private Distlock(LockBackend backend) {
            this(backend, LockOptions.defaults());
        }

        /** Waits until the servers vote: new ones do so a minute after the first request. */
        private static Distlock quorum(List<String> servers) {
            LockClient client = LockClient.builder(RedisQuorum.connect(servers))
                    .outageTimeout(Duration.ofMinutes(2))
                    .build();
            return new Distlock(client, LockOptions.defaults(), () -> {});
        }

        private Distlock(LockBackend backend, LockOptions options) {
            this(LockClient.create(backend), options, () -> {});
        }

        @Override
        public Acquire lock(String name) {
            return client.lock(name, options)::acquire;
        }

        @Override
        public void close() {
            client.close();
            then.run();
        }
    }

    /** Locks over one client for each server. */
    private record RedissonLocks(List<RedissonClient> clients, BiFunction<List<RedissonClient>, String, Lock> locks)
            implements Client {
        private RedissonLocks(Config config, BiFunction<RedissonClient, String, Lock> locks) {
            this(List.of(Redisson.create(config)), (clients, name) -> locks.apply(clients.get(0), name));
        }

        @SuppressWarnings("deprecation") // Redisson has no other locks on a majority.
        private static RedissonLocks redLock(List<String> servers) {
            return new RedissonLocks(
                    servers.stream()
                            .map(Peer::singleServer)
                            .map(Redisson::create)
                            .toList(),
                    (clients, name) -> new RedissonRedLock(
                            clients.stream().map(each -> each.getLock(name)).toArray(RLock[]::new)));
        }

        @Override
        public Acquire lock(String name) {
            return locking(locks.apply(clients, name));
        }

        @Override
        public void close() {
            clients.forEach(RedissonClient::shutdown);
        }
    }

    private record SpringLocks(LettuceConnectionFactory factory, RedisLockRegistry registry) implements Client {
        private static SpringLocks connect(String server, RedisLockType type) {
            HostAndPort address = address(server);
            LettuceConnectionFactory factory = new LettuceConnectionFactory(
                    new RedisStandaloneConfiguration(address.getHost(), address.getPort()));
            factory.afterPropertiesSet();
            factory.start();
            RedisLockRegistry registry = new RedisLockRegistry(factory, "spring");
            registry.setRedisLockType(type);
            return new SpringLocks(factory, registry);
        }

        @Override
        public Acquire lock(String name) {
            return locking(registry.obtain(name));
        }

        @Override
        public void close() {
            registry.destroy();
            factory.destroy();
        }
    }

    /** Locks by path. */
    private interface CuratorMutexes extends BiFunction<CuratorFramework, String, InterProcessLock> {}

    private static CuratorMutexes shared(CuratorMutexes made) {
        Map<String, InterProcessLock> byPath = new ConcurrentHashMap<>();
        return (curator, path) -> byPath.computeIfAbsent(path, any -> made.apply(curator, path));
    }

    private record CuratorLocks(CuratorFramework curator, CuratorMutexes mutexes) implements Client {
        private CuratorLocks(String server, CuratorMutexes mutexes) {
            this(CuratorFrameworkFactory.newClient(server, 30_000, 15_000, new RetryOneTime(1)), mutexes);
            curator.start();
        }

        @Override
        public Acquire lock(String name) {
            InterProcessLock mutex = mutexes.apply(curator, "/curator/" + name);
            return () -> {
                mutex.acquire();
                return mutex::release;
            };
        }

        @Override
        public void close() {
            curator.close();
        }
    }

    private static Acquire locking(Lock lock) {
        return () -> {
            lock.lock();
            return lock::unlock;
        };
    }
}

package io.github.distlock.bench;

import static io.github.distlock.bench.Peer.Deployment.CLUSTER;
import static io.github.distlock.bench.Peer.Deployment.FIVE;
import static io.github.distlock.bench.Peer.Deployment.SENTINEL;
import static io.github.distlock.bench.Peer.Deployment.STANDALONE;
import static io.github.distlock.bench.Peer.Deployment.THREE;
import static io.github.distlock.bench.Peer.Deployment.ZOOKEEPER;

import io.github.distlock.LockClient;
import io.github.distlock.LockOptions;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.redis.lettuce.LettuceRedis;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Lock;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreMutex;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;
import org.springframework.integration.redis.util.RedisLockRegistry.RedisLockType;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.RedisSentinelClient;

/**
 * What {@link Benchmark} compares: this library over each kind of connection and deployment, the libraries that its
 * users could choose instead, and floors. All have their default settings, except for the size of pools, which suffices
 * for all threads.
 */
enum Peer {
    /** The floor of everything that sends one request to acquire and one to release. */
    SOCKET("raw socket", STANDALONE, servers -> new SocketLocks(address(servers.single()))),
    /** The floor of locks that the server passes from waiter to waiter. */
    BATON("baton passed by the server", STANDALONE, servers -> new Baton(jedis(servers))),
    PLAIN("plain pattern, polls every 100 ms", STANDALONE, servers -> new PlainLocks(jedis(servers))),
    DISTLOCK("distlock", STANDALONE, servers -> distlock(servers)),
    DISTLOCK_FAIR("distlock, fair", STANDALONE, servers -> {
        return new DistlockLocks(
                RedisBackend.connect(servers.single()), servers.options().fair());
    }),
    DISTLOCK_ASYNC(
            "distlock, release not awaited",
            STANDALONE,
            servers -> distlock(servers).releasingAsync()),
    DISTLOCK_STICKY("distlock, sticky", STANDALONE, servers -> {
        return new DistlockLocks(
                RedisBackend.connect(servers.single()), servers.options().sticky());
    }),
    DISTLOCK_SUPPLIED("distlock, supplied RedisClient", STANDALONE, servers -> {
        RedisClient jedis = jedis(servers);
        LockClient locks = LockClient.create(RedisBackend.of(jedis));
        return new DistlockLocks(locks, servers.options(), jedis::close);
    }),
    DISTLOCK_LETTUCE("distlock, supplied Lettuce client", STANDALONE, servers -> {
        io.lettuce.core.RedisClient lettuce = io.lettuce.core.RedisClient.create(servers.single());
        LockClient locks = LockClient.create(LettuceRedis.create(lettuce));
        return new DistlockLocks(locks, servers.options(), lettuce::shutdown);
    }),
    REDISSON("Redisson RLock", STANDALONE, servers -> RedissonLocks.single(servers.single(), RedissonClient::getLock)),
    REDISSON_FAIR(
            "Redisson fair lock",
            STANDALONE,
            servers -> RedissonLocks.single(servers.single(), RedissonClient::getFairLock)),
    REDISSON_SPIN(
            "Redisson RSpinLock",
            STANDALONE,
            servers -> RedissonLocks.single(servers.single(), RedissonClient::getSpinLock)),
    REDISSON_FENCED(
            "Redisson RFencedLock",
            STANDALONE,
            servers -> RedissonLocks.single(servers.single(), RedissonClient::getFencedLock)),
    REDISSON_LEASED("Redisson, permits with leases", STANDALONE, servers -> {
        return RedissonLocks.withLeasedPermits(servers.single());
    }),
    SPRING(
            "Spring Integration, pub-sub",
            STANDALONE,
            servers -> SpringLocks.redis(address(servers.single()), RedisLockType.PUB_SUB_LOCK)),
    SPRING_SPINNING(
            "Spring Integration, spinning",
            STANDALONE,
            servers -> SpringLocks.redis(address(servers.single()), RedisLockType.SPIN_LOCK)),
    SHEDLOCK("ShedLock, polls every 100 ms", STANDALONE, servers -> ShedLocks.connect(address(servers.single()))),
    LOCK4J("Lock4j on Redisson", STANDALONE, servers -> Lock4jLocks.connect(servers.single())),

    SENTINEL_PLAIN("plain pattern on Jedis", SENTINEL, servers -> {
        return new PlainLocks(RedisSentinelClient.builder()
                .masterName(servers.primary())
                .sentinels(addresses(servers.sentinel()))
                .poolConfig(pool())
                .build());
    }),
    SENTINEL_DISTLOCK("distlock", SENTINEL, servers -> {
        return new DistlockLocks(RedisBackend.connect(servers.sentinel()), servers.options());
    }),
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
    CLUSTER_DISTLOCK("distlock", CLUSTER, servers -> {
        return new DistlockLocks(RedisBackend.connect(servers.cluster()), servers.options());
    }),
    CLUSTER_REDISSON("Redisson RLock", CLUSTER, servers -> {
        Config config = new Config();
        config.useClusterServers()
                .setNodeAddresses(addresses(servers.cluster()).stream()
                        .map(each -> "redis://" + each)
                        .toList());
        return new RedissonLocks(config, RedissonClient::getLock);
    }),

    QUORUM_OF_THREE("distlock", THREE, servers -> DistlockLocks.quorum(servers.firstThree(), servers.options())),
    RED_LOCK_OF_THREE("Redisson RedLock", THREE, servers -> RedissonLocks.redLock(servers.firstThree())),
    QUORUM_OF_FIVE("distlock", FIVE, servers -> DistlockLocks.quorum(servers.independent(), servers.options())),
    RED_LOCK_OF_FIVE("Redisson RedLock", FIVE, servers -> RedissonLocks.redLock(servers.independent())),

    /** The floor of everything that creates a node to acquire and deletes it to release. */
    NODE("create and delete a node", ZOOKEEPER, servers -> NumberedNodes.connect(servers.zooKeeper(), false)),
    /** The floor of locks whose waiters wait for each other's nodes. */
    CHAIN("chain of nodes", ZOOKEEPER, servers -> NumberedNodes.connect(servers.zooKeeper(), true)),
    ZOOKEEPER_DISTLOCK("distlock", ZOOKEEPER, servers -> {
        return new DistlockLocks(servers.zooKeeperBackend(), servers.options());
    }),
    ZOOKEEPER_DISTLOCK_FAIR("distlock, fair", ZOOKEEPER, servers -> {
        return new DistlockLocks(servers.zooKeeperBackend(), servers.options().fair());
    }),
    CURATOR_SHARED("Curator InterProcessMutex, shared", ZOOKEEPER, servers -> {
        CuratorLocks.Mutexes made = InterProcessMutex::new;
        return new CuratorLocks(servers.zooKeeper(), made.shared());
    }),
    CURATOR_OWN("Curator InterProcessMutex, one each", ZOOKEEPER, servers -> {
        return new CuratorLocks(servers.zooKeeper(), InterProcessMutex::new);
    }),
    CURATOR_NOT_REENTRANT("Curator InterProcessSemaphoreMutex", ZOOKEEPER, servers -> {
        return new CuratorLocks(servers.zooKeeper(), InterProcessSemaphoreMutex::new);
    }),
    SPRING_ZOOKEEPER("Spring Integration", ZOOKEEPER, servers -> SpringLocks.zooKeeper(servers.zooKeeper()));

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
    }

    /** The addresses of all servers, as the main program passes them to its child programs, and the lease. */
    record Servers(
            String single,
            String sentinel,
            String cluster,
            List<String> independent,
            String zooKeeper,
            Duration lease) {
        /** The lease of all libraries by default. */
        static final Duration LEASE = Duration.ofSeconds(30);

        static Servers parse(List<String> args) {
            return new Servers(
                    args.get(0),
                    args.get(1),
                    args.get(2),
                    List.of(args.get(3).split(",", -1)),
                    args.get(4),
                    Duration.parse(args.get(5)));
        }

        Servers withLease(Duration other) {
            return new Servers(single, sentinel, cluster, independent, zooKeeper, other);
        }

        private LockOptions options() {
            return LockOptions.defaults().renewedLease(lease);
        }

        private ZooKeeperBackend zooKeeperBackend() {
            return ZooKeeperBackend.builder(zooKeeper).sessionTimeout(lease).build();
        }

        private String primary() {
            return URI.create(sentinel).getPath().substring(1);
        }

        private List<String> firstThree() {
            return independent.subList(0, 3);
        }

        /** Returns the arguments from which {@link #parse} makes this. */
        List<String> arguments() {
            return List.of(single, sentinel, cluster, String.join(",", independent), zooKeeper, lease.toString());
        }
    }

    /** A connected library, which all threads of a JVM share. */
    interface Client extends AutoCloseable {
        /** The name of a thread that only waits for a lock. */
        String WAITER = "waiter";

        /** Returns how one thread acquires the lock, and releases it then. */
        Acquire lock(String name);

        /** Waits for the lock in the background: in a thread of its own, unless the library can do without. */
        default CompletableFuture<?> waiting(String name) {
            CompletableFuture<AutoCloseable> result = new CompletableFuture<>();
            Thread thread = new Thread(
                    () -> {
                        try {
                            result.complete(lock(name).run());
                        } catch (Throwable e) {
                            result.completeExceptionally(e);
                        }
                    },
                    WAITER);
            thread.setDaemon(true);
            thread.start();
            return result;
        }

        default Acquire reader(String name) {
            throw new UnsupportedOperationException();
        }

        default Acquire writer(String name) {
            throw new UnsupportedOperationException();
        }

        default Acquire permits(String name, int limit, int count) {
            throw new UnsupportedOperationException();
        }

        @Override
        void close();
    }

    String title() {
        return title;
    }

    Deployment deployment() {
        return deployment;
    }

    /** Returns whether this is not a lock, but shows the least that a lock can cost. */
    boolean isFloor() {
        return Set.of(SOCKET, BATON, NODE, CHAIN).contains(this);
    }

    boolean isDistlock() {
        return title.startsWith("distlock");
    }

    Client connect(Servers servers) {
        return connector.apply(servers);
    }

    static Acquire locking(Lock lock) {
        return () -> {
            lock.lock();
            return lock::unlock;
        };
    }

    private static DistlockLocks distlock(Servers servers) {
        return new DistlockLocks(RedisBackend.connect(servers.single()), servers.options());
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

    private static ConnectionPoolConfig pool() {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(CONNECTIONS);
        pool.setMaxIdle(CONNECTIONS);
        return pool;
    }
}

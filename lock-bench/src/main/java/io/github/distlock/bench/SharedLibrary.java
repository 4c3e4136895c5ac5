package io.github.distlock.bench;

import io.github.distlock.LockClient;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.retry.RetryOneTime;
import org.redisson.Redisson;
import org.redisson.api.RPermitExpirableSemaphore;
import org.redisson.api.RReadWriteLock;
import org.redisson.api.RSemaphore;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;

/** The libraries that {@link SharedLocks} compares, each with its default settings. */
enum SharedLibrary {
    DISTLOCK_ON_REDIS("distlock, Redis", true) {
        @Override
        Client connect(String redis, String zooKeeper) {
            return new Distlock(LockClient.create(RedisBackend.connect(redis)));
        }
    },
    REDISSON("Redisson", true) {
        @Override
        Client connect(String redis, String zooKeeper) {
            return new RedissonLocks(redisson(redis)) {
                @Override
                public Acquire permits(String name, int limit, int count) {
                    RSemaphore semaphore = redisson().getSemaphore(name);
                    var unused = semaphore.trySetPermits(limit);
                    return () -> {
                        semaphore.acquire(count);
                        return () -> semaphore.release(count);
                    };
                }
            };
        }
    },
    /** Unlike permits of {@link #REDISSON}, these have a lease, so a crash frees them. */
    REDISSON_WITH_LEASES("Redisson, permits with leases", true) {
        @Override
        Client connect(String redis, String zooKeeper) {
            return new RedissonLocks(redisson(redis)) {
                @Override
                public Acquire permits(String name, int limit, int count) {
                    RPermitExpirableSemaphore semaphore = redisson().getPermitExpirableSemaphore(name + "-leased");
                    var unused = semaphore.trySetPermits(limit);
                    return () -> {
                        List<String> held = semaphore.acquire(count, LEASE.toMillis(), TimeUnit.MILLISECONDS);
                        return () -> semaphore.release(held);
                    };
                }
            };
        }
    },
    DISTLOCK_ON_ZOOKEEPER("distlock, ZooKeeper", false) {
        @Override
        Client connect(String redis, String zooKeeper) {
            return new Distlock(LockClient.create(ZooKeeperBackend.connect(zooKeeper)));
        }
    },
    CURATOR("Curator", false) {
        @Override
        Client connect(String redis, String zooKeeper) {
            CuratorFramework curator =
                    CuratorFrameworkFactory.newClient(zooKeeper, 30_000, 15_000, new RetryOneTime(1));
            curator.start();
            return new CuratorLocks(curator);
        }
    };

    private static final Duration LEASE = Duration.ofSeconds(30);

    private final String title;
    private final boolean onRedis;

    SharedLibrary(String title, boolean onRedis) {
        this.title = title;
        this.onRedis = onRedis;
    }

    /** Acquires something, and returns how to release it. */
    interface Acquire {
        AutoCloseable run() throws Exception;
    }

    /** The connected library. All threads of a JVM share it, and what its methods return. */
    interface Client extends AutoCloseable {
        Acquire reader(String name);

        Acquire writer(String name);

        Acquire permits(String name, int limit, int count);

        @Override
        void close();
    }

    String title() {
        return title;
    }

    boolean isOnRedis() {
        return onRedis;
    }

    /** Returns the entry of distlock on the same store. */
    SharedLibrary distlock() {
        return onRedis ? DISTLOCK_ON_REDIS : DISTLOCK_ON_ZOOKEEPER;
    }

    abstract Client connect(String redis, String zooKeeper);

    private static RedissonClient redisson(String uri) {
        Config config = new Config();
        config.useSingleServer().setAddress(uri);
        return Redisson.create(config);
    }

    private record Distlock(LockClient client) implements Client {
        @Override
        public Acquire reader(String name) {
            return client.readWriteLock(name).readLock()::acquire;
        }

        @Override
        public Acquire writer(String name) {
            return client.readWriteLock(name).writeLock()::acquire;
        }

        @Override
        public Acquire permits(String name, int limit, int count) {
            return client.semaphore(name, limit).permits(count)::acquire;
        }

        @Override
        public void close() {
            client.close();
        }
    }

    private abstract static class RedissonLocks implements Client {
        private final RedissonClient redisson;

        private RedissonLocks(RedissonClient redisson) {
            this.redisson = redisson;
        }

        RedissonClient redisson() {
            return redisson;
        }

        @Override
        public Acquire reader(String name) {
            RReadWriteLock lock = redisson.getReadWriteLock(name);
            return locking(lock.readLock());
        }

        @Override
        public Acquire writer(String name) {
            RReadWriteLock lock = redisson.getReadWriteLock(name);
            return locking(lock.writeLock());
        }

        private static Acquire locking(Lock lock) {
            return () -> {
                lock.lock();
                return lock::unlock;
            };
        }

        @Override
        public void close() {
            redisson.shutdown();
        }
    }

    private record CuratorLocks(CuratorFramework curator) implements Client {
        @Override
        public Acquire reader(String name) {
            return locking(new InterProcessReadWriteLock(curator, path(name)).readLock());
        }

        @Override
        public Acquire writer(String name) {
            return locking(new InterProcessReadWriteLock(curator, path(name)).writeLock());
        }

        private static Acquire locking(InterProcessMutex mutex) {
            return () -> {
                mutex.acquire();
                return mutex::release;
            };
        }

        @Override
        public Acquire permits(String name, int limit, int count) {
            InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(curator, path(name), limit);
            return () -> {
                Collection<Lease> held = semaphore.acquire(count);
                return () -> semaphore.returnAll(held);
            };
        }

        private static String path(String name) {
            return "/curator/" + name;
        }

        @Override
        public void close() {
            curator.close();
        }
    }
}

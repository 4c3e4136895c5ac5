package io.github.distlock.bench;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.function.BiFunction;
import org.redisson.Redisson;
import org.redisson.RedissonRedLock;
import org.redisson.api.RLock;
import org.redisson.api.RPermitExpirableSemaphore;
import org.redisson.api.RSemaphore;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;

/** Locks of Redisson over one client for each server. */
record RedissonLocks(
        List<RedissonClient> clients, BiFunction<List<RedissonClient>, String, Lock> locks, boolean leasedPermits)
        implements Peer.Client {
    private static final long LEASE_MILLIS = 30_000;

    RedissonLocks(Config config, BiFunction<RedissonClient, String, Lock> locks) {
        this(config, locks, false);
    }

    private RedissonLocks(Config config, BiFunction<RedissonClient, String, Lock> locks, boolean leasedPermits) {
        this(List.of(Redisson.create(config)), (clients, name) -> locks.apply(clients.get(0), name), leasedPermits);
    }

    static RedissonLocks single(String uri, BiFunction<RedissonClient, String, Lock> locks) {
        return new RedissonLocks(config(uri), locks);
    }

    /** Returns permits with a lease, which end after a crash. Permits without a lease stay taken. */
    static RedissonLocks withLeasedPermits(String uri) {
        return new RedissonLocks(config(uri), RedissonClient::getLock, true);
    }

    @SuppressWarnings("deprecation") // Redisson has no other locks on a majority.
    static RedissonLocks redLock(List<String> servers) {
        return new RedissonLocks(
                servers.stream()
                        .map(RedissonLocks::config)
                        .map(Redisson::create)
                        .toList(),
                (clients, name) -> new RedissonRedLock(
                        clients.stream().map(each -> each.getLock(name)).toArray(RLock[]::new)),
                false);
    }

    private static Config config(String uri) {
        Config config = new Config();
        config.useSingleServer().setAddress(uri);
        return config;
    }

    @Override
    public Acquire lock(String name) {
        return Peer.locking(locks.apply(clients, name));
    }

    @Override
    public Acquire reader(String name) {
        return Peer.locking(clients.get(0).getReadWriteLock(name).readLock());
    }

    @Override
    public Acquire writer(String name) {
        return Peer.locking(clients.get(0).getReadWriteLock(name).writeLock());
    }

    @Override
    public Acquire permits(String name, int limit, int count) {
        if (leasedPermits) {
            RPermitExpirableSemaphore semaphore = clients.get(0).getPermitExpirableSemaphore(name + "-leased");
            var unused = semaphore.trySetPermits(limit);
            return () -> {
                List<String> held = semaphore.acquire(count, LEASE_MILLIS, TimeUnit.MILLISECONDS);
                return () -> semaphore.release(held);
            };
        }
        RSemaphore semaphore = clients.get(0).getSemaphore(name);
        var unused = semaphore.trySetPermits(limit);
        return () -> {
            semaphore.acquire(count);
            return () -> semaphore.release(count);
        };
    }

    @Override
    public void close() {
        clients.forEach(RedissonClient::shutdown);
    }
}

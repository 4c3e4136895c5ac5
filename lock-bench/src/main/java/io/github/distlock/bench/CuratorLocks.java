package io.github.distlock.bench;

import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessLock;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.retry.RetryOneTime;

/** The recipes of Curator. */
record CuratorLocks(CuratorFramework curator, Mutexes mutexes) implements Peer.Client {
    /** Mutexes by path. */
    interface Mutexes extends BiFunction<CuratorFramework, String, InterProcessLock> {
        /** Returns one mutex for each path, which all threads share. */
        default Mutexes shared() {
            Map<String, InterProcessLock> byPath = new ConcurrentHashMap<>();
            return (curator, path) -> byPath.computeIfAbsent(path, any -> apply(curator, path));
        }
    }

    CuratorLocks(String server, Mutexes mutexes) {
        this(framework(server), mutexes);
        curator.start();
    }

    static CuratorFramework framework(String server) {
        return CuratorFrameworkFactory.newClient(server, 30_000, 15_000, new RetryOneTime(1));
    }

    @Override
    public Acquire lock(String name) {
        return locking(mutexes.apply(curator, path(name)));
    }

    @Override
    public Acquire reader(String name) {
        return locking(new InterProcessReadWriteLock(curator, path(name)).readLock());
    }

    @Override
    public Acquire writer(String name) {
        return locking(new InterProcessReadWriteLock(curator, path(name)).writeLock());
    }

    @Override
    public Acquire permits(String name, int limit, int count) {
        InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(curator, path(name), limit);
        return () -> {
            Collection<Lease> held = semaphore.acquire(count);
            return () -> semaphore.returnAll(held);
        };
    }

    private static Acquire locking(InterProcessLock mutex) {
        return () -> {
            mutex.acquire();
            return mutex::release;
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

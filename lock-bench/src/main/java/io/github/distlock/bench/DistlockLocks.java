package io.github.distlock.bench;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.redis.RedisQuorum;
import io.github.distlock.spi.LockBackend;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** This library, over any backend. */
record DistlockLocks(LockClient client, LockOptions options, Runnable then) implements Peer.Client {
    DistlockLocks(LockBackend backend, LockOptions options) {
        this(LockClient.create(backend), options, () -> {});
    }

    /** Waits until the servers vote: new servers vote a minute after the first request. */
    static DistlockLocks quorum(List<String> servers, LockOptions options) {
        LockClient client = LockClient.builder(RedisQuorum.connect(servers))
                .outageTimeout(Duration.ofMinutes(2))
                .build();
        return new DistlockLocks(client, options, () -> {});
    }

    /** Returns this client, but its releases do not wait for the server. */
    Peer.Client releasingAsync() {
        return new Peer.Client() {
            @Override
            public Acquire lock(String name) {
                Acquire acquire = DistlockLocks.this.lock(name);
                return () -> ((LockHandle) acquire.run())::releaseAsync;
            }

            @Override
            public void close() {
                DistlockLocks.this.close();
            }
        };
    }

    @Override
    public Acquire lock(String name) {
        return client.lock(name, options)::acquire;
    }

    @Override
    public CompletableFuture<?> waiting(String name) {
        return client.lock(name, options).acquireAsync();
    }

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
        then.run();
    }
}

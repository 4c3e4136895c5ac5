package io.github.distlock.tests.redis;

import io.github.distlock.redis.RedisBackend;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.params.ScanParams;
import redis.clients.jedis.resps.ScanResult;
import redis.clients.jedis.resps.Tuple;

/** Keys of its own on a server that all tests of this JVM share; each client has a network of its own. */
class RedisFixture implements BackendFixture {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    /** The server, from the first use to the end of the JVM. */
    private static final class Shared {
        static final RedisServer SERVER = RedisServer.start();
        static final RedisClient ADMIN = RedisClient.create(SERVER.uri());
    }

    final String prefix = "test" + NUMBER.incrementAndGet() + ":";
    private final Map<LockBackend, FaultProxy> networks = new ConcurrentHashMap<>();

    static RedisClient admin() {
        return Shared.ADMIN;
    }

    @Override
    public LockBackend newBackend() {
        FaultProxy network = FaultProxy.to(Shared.SERVER);
        LockBackend backend = newBackend("redis://" + network.address());
        networks.put(backend, network);
        return backend;
    }

    LockBackend newBackend(String uri) {
        return RedisBackend.builder(uri).keyPrefix(prefix).build();
    }

    @Override
    public void lose(String name) {
        admin().del(prefix + name);
    }

    @Override
    public void silence(LockBackend backend) {
        networks.get(backend).silence();
    }

    @Override
    public void restore(LockBackend backend) {
        networks.get(backend).heal();
    }

    @Override
    public void letPass(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (end - System.nanoTime() > 0) {
            LockSupport.parkNanos(end - System.nanoTime());
        }
    }

    /** All keys but the last fencing tokens, and without tombstones. */
    @Override
    public List<String> leftovers() {
        List<String> leftovers = new ArrayList<>();
        String cursor = ScanParams.SCAN_POINTER_START;
        do {
            ScanResult<String> page = admin().scan(
                            cursor, new ScanParams().match("*" + prefix + "*").count(1_000));
            for (String key : page.getResult()) {
                if (key.endsWith(":queue")) {
                    admin().zrangeWithScores(key, 0, -1).stream()
                            .map(Tuple::getElement)
                            .filter(element -> !element.startsWith("void\t"))
                            .forEach(element -> leftovers.add(key + ": " + element));
                } else if (!key.endsWith(":fence")) {
                    leftovers.add(key);
                }
            }
            cursor = page.getCursor();
        } while (!cursor.equals(ScanParams.SCAN_POINTER_START));
        return leftovers;
    }

    @Override
    public void close() {
        networks.values().forEach(FaultProxy::close);
    }
}

package io.github.distlock.bench;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.RetryOneTime;

/**
 * Measures what locks cost a ZooKeeper server, beside Curator's {@code InterProcessMutex}: requests, transactions,
 * bytes in the log of transactions, and CPU time of the server.
 *
 * <p>The server counts the requests ({@code zk_packets_received}, with the pings of the sessions) and the transactions
 * ({@code zxid}). Its log grows in steps of 1 KiB. It removes no directories meanwhile. The server must be a process:
 * {@code -Dlock.servers=processes}. Arguments: seconds per figure (5), idle holds and waiters (1000), polling clients
 * (16).
 */
public final class ZooKeeperCost {
    private static final Duration TICK = Duration.ofSeconds(2);
    private static final Duration SETTLED = Duration.ofSeconds(4);
    private static final String DIRECTORY = "/distlock/";

    private final ZooKeeperLoad server;
    private final long seconds;
    private final int many;
    private final int pollers;
    private final AtomicInteger names = new AtomicInteger();

    private ZooKeeperCost(ZooKeeperLoad server, String... args) {
        this.server = server;
        this.seconds = args.length > 0 ? Long.parseLong(args[0]) : 5;
        this.many = args.length > 1 ? Integer.parseInt(args[1]) : 1_000;
        this.pollers = args.length > 2 ? Integer.parseInt(args[2]) : 16;
    }

    /** A client with its own session. */
    private interface Client extends AutoCloseable {
        /** Returns a lock that waits in the server's queue. */
        Lock lock(String name);

        @Override
        void close();
    }

    /** A lock of one thread. */
    private interface Lock {
        void acquire() throws Exception;

        boolean tryAcquire() throws Exception;

        void release() throws Exception;
    }

    private interface ClientFactory {
        Client connect();
    }

    private record Distlock(LockClient client) implements Client {
        @Override
        public Lock lock(String name) {
            return new DistlockLock(client.lock(name, LockOptions.defaults().fair()));
        }

        @Override
        public void close() {
            client.close();
        }
    }

    private static final class DistlockLock implements Lock {
        private final DistributedLock lock;
        private Optional<LockHandle> held = Optional.empty();

        private DistlockLock(DistributedLock lock) {
            this.lock = lock;
        }

        @Override
        public void acquire() throws InterruptedException {
            held = Optional.of(lock.acquire());
        }

        @Override
        public boolean tryAcquire() throws InterruptedException {
            held = lock.tryAcquire();
            return held.isPresent();
        }

        @Override
        public void release() {
            held.orElseThrow().close();
        }
    }

    private record Curator(CuratorFramework client) implements Client {
        @Override
        public Lock lock(String name) {
            return new CuratorLock(new InterProcessMutex(client, DIRECTORY + name));
        }

        @Override
        public void close() {
            client.close();
        }
    }

    private record CuratorLock(InterProcessMutex mutex) implements Lock {
        @Override
        public void acquire() throws Exception {
            mutex.acquire();
        }

        @Override
        public boolean tryAcquire() throws Exception {
            return mutex.acquire(0, TimeUnit.MILLISECONDS);
        }

        @Override
        public void release() throws Exception {
            mutex.release();
        }
    }

    /**
     * Runs the benchmark and prints its figures.
     *
     * @param args see the class comment
     * @throws Exception if the benchmark fails
     */
    public static void main(String[] args) throws Exception {
        ZooKeeperSettings settings = ZooKeeperSettings.defaults()
                .tickTime(TICK)
                .with("preAllocSize", "1")
                .withSystemProperty("znode.container.checkIntervalMs", "3600000");
        try (ZooKeeperServer server = ZooKeeperServer.start(settings)) {
            ZooKeeperCost cost = new ZooKeeperCost(new ZooKeeperLoad(server), args);
            System.out.println("ZooKeeper " + server.version() + ", " + cost.seconds + " s per figure");
            cost.run(
                    "distlock",
                    () -> new Distlock(LockClient.create(ZooKeeperBackend.builder(server.connectString())
                            .tick(TICK)
                            .build())));
            cost.run("Curator", () -> {
                CuratorFramework curator =
                        CuratorFrameworkFactory.newClient(server.connectString(), 30_000, 15_000, new RetryOneTime(1));
                curator.start();
                return new Curator(curator);
            });
        }
    }

    private void run(String library, ClientFactory factory) throws Exception {
        System.out.printf(
                "%-10s %-44s %10s %12s %12s %10s%n", library, "", "requests", "transactions", "log, bytes", "CPU, us");
        loop("per uncontended grant", factory, 1, false);
        loop("per grant, two clients contend", factory, 2, false);
        loop("per grant, " + pollers + " clients poll", factory, pollers, true);
        idleHolds(factory);
        idleWaiters("per idle waiter and second, one client", factory, 1, many);
        idleWaiters("per idle waiter and second, 50 clients", factory, 50, 1);
    }

    /** Has some clients acquire one lock, each in one thread, as fast as they can. */
    private void loop(String what, ClientFactory factory, int clients, boolean polls) throws Exception {
        String name = freshName();
        AtomicLong grants = new AtomicLong();
        AtomicLong warm = new AtomicLong();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch over = new CountDownLatch(1);
        List<Client> open = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            Client client = factory.connect();
            open.add(client);
            Lock lock = client.lock(name);
            threads.add(started(() -> {
                while (over.getCount() > 0) {
                    if (!polls) {
                        lock.acquire();
                    } else if (!lock.tryAcquire()) {
                        continue;
                    }
                    lock.release();
                    (begun.getCount() > 0 ? warm : grants).incrementAndGet();
                }
            }));
        }
        pause(SETTLED);
        ZooKeeperLoad.Reading before = server.read();
        begun.countDown();
        pause(Duration.ofSeconds(seconds));
        double made = grants.get();
        ZooKeeperLoad.Reading after = server.read();
        over.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
        open.forEach(Client::close);
        print(what, after.since(before), made, made / seconds);
    }

    private void idleHolds(ClientFactory factory) throws Exception {
        try (Client client = factory.connect()) {
            List<Lock> held = new ArrayList<>();
            for (int i = 0; i < many; i++) {
                Lock lock = client.lock(freshName());
                lock.acquire();
                held.add(lock);
            }
            measureIdleness("per idle hold and second", many);
            for (Lock lock : held) {
                lock.release();
            }
        }
    }

    private void idleWaiters(String what, ClientFactory factory, int clients, int each) throws Exception {
        String name = freshName();
        try (Client holder = factory.connect()) {
            Lock held = holder.lock(name);
            held.acquire();
            List<Client> open = new ArrayList<>();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                Client client = factory.connect();
                open.add(client);
                for (int j = 0; j < each; j++) {
                    threads.add(started(() -> {
                        Lock lock = client.lock(name);
                        lock.acquire();
                        lock.release();
                    }));
                }
            }
            measureIdleness(what, clients * each);
            held.release();
            for (Thread thread : threads) {
                thread.join();
            }
            open.forEach(Client::close);
        }
    }

    private void measureIdleness(String what, int count) throws InterruptedException {
        pause(SETTLED.multipliedBy(3));
        ZooKeeperLoad.Reading before = server.read();
        pause(Duration.ofSeconds(seconds).multipliedBy(4));
        ZooKeeperLoad.Reading after = server.read();
        print(what, after.since(before), count * 4.0 * seconds, count);
    }

    private static void print(String what, ZooKeeperLoad.Reading spent, double units, double count) {
        System.out.printf(
                "%10s %-44s %10.3f %12.3f %12.1f %10.1f%n",
                "",
                String.format("%,.0f %s", count, what),
                spent.requests() / units,
                spent.transactions() / units,
                spent.bytes() / units,
                spent.cpuNanos() / 1e3 / units);
    }

    private String freshName() {
        return "cost" + names.incrementAndGet();
    }

    private interface Task {
        void run() throws Exception;
    }

    private static Thread started(Task task) {
        Thread thread = new Thread(() -> {
            try {
                task.run();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static void pause(Duration time) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(time.toNanos());
    }
}

package io.github.distlock.bench;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.KeeperException.NoNodeException;

/**
 * Acquires locks on ZooKeeper while connections break at random, also between a request and its reply.
 *
 * <p>The program fails if two holds of one lock overlap, if a token does not increase, if a lock has more nodes than
 * contenders, or if a node is left at the end. Arguments: acquires (10000), seed (random).
 */
public final class ZooKeeperLossy {
    private static final Duration TICK = Duration.ofMillis(500);
    private static final int NAMES = 10;
    private static final int CLIENTS = 4;
    private static final int THREADS_PER_CLIENT = 5;
    private static final int LONGEST_PAUSE_MILLIS = 1_000;

    private final ZooKeeperServer server;
    private final long acquires;
    private final AtomicLong begun = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private final AtomicLong breaks = new AtomicLong();
    private final AtomicLongArray tokens = new AtomicLongArray(NAMES);
    private final List<AtomicInteger> inside = new ArrayList<>();

    private ZooKeeperLossy(ZooKeeperServer server, long acquires) {
        this.server = server;
        this.acquires = acquires;
        for (int i = 0; i < NAMES; i++) {
            inside.add(new AtomicInteger());
        }
    }

    /**
     * Runs the program and prints its figures.
     *
     * @param args see the class comment
     * @throws Exception if a check fails
     */
    public static void main(String[] args) throws Exception {
        long acquires = args.length > 0 ? Long.parseLong(args[0]) : 10_000;
        long seed = args.length > 1 ? Long.parseLong(args[1]) : new Random().nextLong();
        try (ZooKeeperServer server =
                ZooKeeperServer.start(ZooKeeperSettings.defaults().tickTime(TICK))) {
            System.out.println("seed " + seed);
            new ZooKeeperLossy(server, acquires).run(new Random(seed));
        }
    }

    private void run(Random random) throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        List<FaultProxy> links = new ArrayList<>();
        List<LockClient> clients = new ArrayList<>();
        List<Future<?>> workers = new ArrayList<>();
        long begin = System.nanoTime();
        try (CuratorFramework operator =
                CuratorFrameworkFactory.newClient(server.connectString(), new RetryOneTime(1_000))) {
            operator.start();
            for (int i = 0; i < CLIENTS; i++) {
                FaultProxy link = FaultProxy.to(server);
                LockClient client = LockClient.builder(ZooKeeperBackend.builder(link.address())
                                .tick(TICK)
                                .build())
                        .outageTimeout(Duration.ofMinutes(5))
                        .build();
                links.add(link);
                clients.add(client);
                for (int j = 0; j < THREADS_PER_CLIENT; j++) {
                    long seed = random.nextLong();
                    workers.add(threads.submit(() -> work(client, new Random(seed))));
                }
            }
            CountDownLatch over = new CountDownLatch(1);
            Future<?> breaking = threads.submit(() -> breakLinks(links, random, over));
            while (!workers.stream().allMatch(Future::isDone)) {
                expectAtMost(operator, CLIENTS * THREADS_PER_CLIENT);
                var unused = over.await(100, TimeUnit.MILLISECONDS);
            }
            over.countDown();
            workers.add(breaking);
            for (Future<?> worker : workers) {
                var unused = worker.get();
            }
            links.forEach(FaultProxy::heal);
            clients.forEach(LockClient::close);
            expectAtMost(operator, 0);
            System.out.printf(
                    "%,d acquires, %,d of them failed, %,d broken connections, %.0f s: no overlap, tokens increased, "
                            + "no node left%n",
                    acquires, failed.get(), breaks.get(), (System.nanoTime() - begin) / 1e9);
        } finally {
            threads.shutdownNow();
            clients.forEach(LockClient::close);
            links.forEach(FaultProxy::close);
        }
    }

    /** Uses random locks. Every second acquire is fair, and every fourth is a single try. */
    private Void work(LockClient client, Random random) throws InterruptedException {
        while (true) {
            long number = begun.getAndIncrement();
            if (number >= acquires) {
                return null;
            }
            int name = random.nextInt(NAMES);
            LockOptions options = number % 2 == 0
                    ? LockOptions.defaults()
                    : LockOptions.defaults().fair();
            DistributedLock lock = client.lock("lossy" + name, options);
            try (LockHandle held = number % 4 == 0 ? lock.tryAcquire().orElse(null) : lock.acquire()) {
                if (held != null) {
                    use(name, held);
                }
            } catch (LockException e) {
                failed.incrementAndGet();
            }
        }
    }

    private void use(int name, LockHandle held) {
        int others = inside.get(name).getAndIncrement();
        long before = tokens.getAndSet(name, held.fencingToken());
        boolean overlaps = others > 0 && held.isHeld();
        inside.get(name).decrementAndGet();
        if (overlaps || before >= held.fencingToken()) {
            throw new IllegalStateException(
                    "lock " + name + ": " + others + " other holds, token " + held.fencingToken() + " after " + before);
        }
    }

    private Void breakLinks(List<FaultProxy> links, Random random, CountDownLatch over) throws InterruptedException {
        while (!over.await(random.nextInt(LONGEST_PAUSE_MILLIS), TimeUnit.MILLISECONDS)) {
            FaultProxy link = links.get(random.nextInt(links.size()));
            switch (random.nextInt(3)) {
                case 0 -> link.cut();
                case 1 -> {
                    var unused = link.dropNextReply(FaultProxy.containing("-lock-"), FaultProxy.Then.CUT);
                }
                default -> {
                    var unused = link.dropNextRequest(FaultProxy.containing("-lock-"), FaultProxy.Then.CUT);
                }
            }
            breaks.incrementAndGet();
        }
        return null;
    }

    private static void expectAtMost(CuratorFramework operator, int most) throws Exception {
        for (int i = 0; i < NAMES; i++) {
            int nodes = nodes(operator, "/distlock/lossy" + i);
            if (nodes > most) {
                throw new IllegalStateException("lock " + i + " has " + nodes + " nodes");
            }
        }
    }

    private static int nodes(CuratorFramework operator, String directory) throws Exception {
        try {
            return operator.getChildren().forPath(directory).size();
        } catch (NoNodeException e) {
            return 0;
        }
    }
}

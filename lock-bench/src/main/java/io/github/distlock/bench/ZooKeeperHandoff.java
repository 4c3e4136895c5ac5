package io.github.distlock.bench;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;

/**
 * Measures handoffs between two clients on ZooKeeper: the time from the call of the release in one client until the
 * acquire of the other has returned. When the release begins, the other client has waited for some milliseconds.
 *
 * <p>Three programs take turns, so that they meet the same machine: this library, Curator's {@code InterProcessMutex},
 * and a <em>chain</em> over ZooKeeper's own client. The chain is the least that a handoff takes: the holder deletes its
 * node, and the waiter's watch on this node ends its wait. Arguments: handoffs per
 * program and round (100), rounds (10).
 */
public final class ZooKeeperHandoff {
    private static final String DIRECTORY = "/distlock/handoff";
    /** ZooKeeper's client searches it for null, which {@code List.of} refuses. */
    private static final List<ACL> ANYONE = Collections.singletonList(new ACL(Perms.ALL, new Id("world", "anyone")));

    private static final int WARM_UP = 3_000;
    private static final long WAITS_MILLIS = 50;

    /** A client of a lock, used by one thread. */
    private interface Contender {
        void acquire() throws Exception;

        void release() throws Exception;

        void close() throws Exception;
    }

    private interface Connector {
        Contender connect(String address) throws Exception;
    }

    private static final class Distlock implements Contender {
        private final LockClient client;
        private LockHandle held;

        Distlock(String address) throws InterruptedException {
            client = LockClient.create(ZooKeeperBackend.connect(address));
            held = client.lock("another").acquire();
            held.close();
        }

        @Override
        public void acquire() throws InterruptedException {
            held = client.lock("handoff").acquire();
        }

        @Override
        public void release() {
            held.close();
        }

        @Override
        public void close() {
            client.close();
        }
    }

    private static final class Curator implements Contender {
        private final CuratorFramework client;
        private final InterProcessMutex mutex;

        Curator(String address) {
            client = CuratorFrameworkFactory.newClient(address, 30_000, 15_000, new RetryOneTime(1));
            client.start();
            mutex = new InterProcessMutex(client, DIRECTORY);
        }

        @Override
        public void acquire() throws Exception {
            mutex.acquire();
        }

        @Override
        public void release() throws Exception {
            mutex.release();
        }

        @Override
        public void close() {
            client.close();
        }
    }

    private static final class Chain implements Contender {
        private final ZooKeeper client;
        private String node = "";

        Chain(String address) throws Exception {
            client = new ZooKeeper(address, 30_000, event -> {});
            if (client.exists("/distlock", false) == null) {
                var unused = client.create("/distlock", new byte[0], ANYONE, CreateMode.PERSISTENT);
            }
            if (client.exists(DIRECTORY, false) == null) {
                var unused = client.create(DIRECTORY, new byte[0], ANYONE, CreateMode.PERSISTENT);
            }
        }

        @Override
        public void acquire() throws Exception {
            String prefix = DIRECTORY + "/_c_" + UUID.randomUUID() + "-lock-";
            node = client.create(prefix, new byte[0], ANYONE, CreateMode.EPHEMERAL_SEQUENTIAL);
            List<String> queue = new ArrayList<>(client.getChildren(DIRECTORY, false));
            queue.sort(Comparator.comparing(name -> name.substring(name.length() - 10)));
            int position = queue.indexOf(node.substring(DIRECTORY.length() + 1));
            if (position > 0) {
                CountDownLatch deleted = new CountDownLatch(1);
                if (client.exists(DIRECTORY + "/" + queue.get(position - 1), event -> deleted.countDown()) != null) {
                    deleted.await();
                }
            }
        }

        @Override
        public void release() throws Exception {
            client.delete(node, -1);
        }

        @Override
        public void close() throws InterruptedException {
            client.close();
        }
    }

    /** One of the measured programs, and how long its handoffs took. */
    private static final class Program {
        private final String title;
        private final Connector connector;
        private long[] times = new long[0];

        private Program(String title, Connector connector) {
            this.title = title;
            this.connector = connector;
        }
    }

    private ZooKeeperHandoff() {}

    /**
     * Runs the benchmark and prints its figures.
     *
     * @param args see the class comment
     * @throws Exception if the benchmark fails
     */
    public static void main(String[] args) throws Exception {
        int handoffs = args.length > 0 ? Integer.parseInt(args[0]) : 100;
        int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 10;
        try (ZooKeeperServer server = ZooKeeperServer.start(ZooKeeperSettings.defaults())) {
            Program chain = new Program("chain", Chain::new);
            List<Program> programs =
                    List.of(chain, new Program("distlock", Distlock::new), new Program("Curator", Curator::new));
            for (Program program : programs) {
                var unused = measure(program, server.connectString(), WARM_UP, 2);
            }
            for (int round = 0; round < rounds; round++) {
                for (Program program : programs) {
                    long[] measured = measure(program, server.connectString(), handoffs, WAITS_MILLIS);
                    program.times = joined(program.times, measured);
                }
            }
            System.out.printf("%-10s %10s %10s %10s%n", "", "median, us", "90 %, us", "to chain");
            for (Program program : programs) {
                double median = quantile(program.times, 50);
                System.out.printf(
                        "%-10s %10.0f %10.0f %10.2f%n",
                        program.title, median, quantile(program.times, 90), median / quantile(chain.times, 50));
            }
        }
    }

    /** Hands the lock back and forth, and returns how long each handoff took. */
    private static long[] measure(Program program, String address, int handoffs, long waitsMillis) throws Exception {
        long[] times = new long[handoffs];
        try (Client one = new Client(program.connector.connect(address));
                Client other = new Client(program.connector.connect(address))) {
            Client holder = one;
            Client waiter = other;
            holder.acquire().get();
            for (int i = 0; i < handoffs; i++) {
                Future<Long> acquired = waiter.acquire();
                TimeUnit.MILLISECONDS.sleep(waitsMillis);
                Future<Long> released = holder.release();
                times[i] = acquired.get() - released.get();
                Client former = holder;
                holder = waiter;
                waiter = former;
            }
            var unused = holder.release().get();
        }
        return times;
    }

    /** A contender and its thread, which owns what it acquires. */
    private record Client(Contender contender, ExecutorService thread) implements AutoCloseable {
        Client(Contender contender) {
            this(contender, Executors.newSingleThreadExecutor());
        }

        /** Returns when the acquire has returned. */
        Future<Long> acquire() {
            return thread.submit(() -> {
                contender.acquire();
                return System.nanoTime();
            });
        }

        /** Returns when the release was called. */
        Future<Long> release() {
            return thread.submit(() -> {
                long called = System.nanoTime();
                contender.release();
                return called;
            });
        }

        @Override
        public void close() throws Exception {
            thread.shutdown();
            contender.close();
        }
    }

    private static long[] joined(long[] some, long[] others) {
        long[] all = Arrays.copyOf(some, some.length + others.length);
        System.arraycopy(others, 0, all, some.length, others.length);
        return all;
    }

    private static double quantile(long[] nanos, int percent) {
        long[] sorted = nanos.clone();
        Arrays.sort(sorted);
        return sorted[Math.min(sorted.length - 1, sorted.length * percent / 100)] / 1e3;
    }
}

package io.github.distlock.bench;

import io.github.distlock.bench.SimulatedStore.Request;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * A model of clients and servers, in virtual time. It knows what the engine and the backends send, and not what they
 * are made of.
 *
 * <ul>
 *   <li>A request takes time of a core of the client, of the network, of a thread and a core of the server, and again
 *       of the client. On an ensemble, a write waits until most servers have it on their disks.
 *   <li>Threads of one client have one queue entry, and hand the lock to each other. Fair ones have an entry each.
 *   <li>An entry of Redis has a heartbeat each second near the head of the queue, and fewer behind it. A client sends
 *       those that are due within a second together.
 *   <li>A client renews each hold each 10 s, and those together that are due within an eighth of that time.
 *   <li>A session of ZooKeeper sends a {@code sync} each 3 s. It reads each hold once per session timeout. With
 *       waiters, it writes once per 10 s, and checks them.
 * </ul>
 *
 * <p>Nothing fails in this model. Critical sections are empty. Choices are those of a seed. Not thread-safe.
 */
final class Simulation {
    private static final long SEED = 1;
    private static final int LOCAL_HANDOFFS = 64;
    private static final double LOCAL_MICROS = 20_000;
    private static final double RENEWAL = 10 * VirtualTime.SECOND;
    private static final int RENEWAL_GROUPS = 8;
    private static final int NEAR_HEAD = 16;
    private static final double LONGEST_INTERVAL = 27;
    /** A share of the CPU time of S2 is that of no process: interrupts, and other work of the machine. */
    private static final double SHARED_SLOWNESS = 1.156;
    /** Names of a listing that cost as much as a read. */
    private static final int LISTED_PER_READ = 4;

    private static final double SYNC = 3 * VirtualTime.SECOND;
    private static final double SESSION = 30 * VirtualTime.SECOND;

    private final VirtualTime time = new VirtualTime();
    private final Random random = new Random(SEED);
    private final SimulatedStore store;
    private final double oneWay;
    private final List<SimulatedServer> servers = new ArrayList<>();
    private final Cores shared;
    private final boolean loopback;

    private Waits waits = new Waits();
    private long requests;
    private long upkeep;

    /**
     * What was simulated.
     *
     * @param requests for each acquire with its release
     * @param upkeep requests per second that keep holds and queue entries
     * @param serverCpu the CPU time of the busiest server, as a share of one core
     */
    record Result(double perSecond, double requests, double upkeep, double serverCpu, Waits waits) {
        double serverPercent() {
            return serverCpu * 100;
        }

        /** Returns the CPU time of the busiest server for each acquire, in microseconds. */
        double serverMicros() {
            return serverCpu * VirtualTime.SECOND / perSecond;
        }

        double p50() {
            return waits.micros(0.5);
        }

        double p99() {
            return waits.micros(0.99);
        }
    }

    private Simulation(SimulatedStore store, int servers, double oneWay, boolean loopback) {
        this.store = store;
        this.oneWay = oneWay;
        this.loopback = loopback;
        this.shared = new Cores(time, 2, SHARED_SLOWNESS);
        for (int i = 0; i < servers; i++) {
            this.servers.add(new SimulatedServer(time, process(store.serverWakeUp()), store.threads(), store.flush()));
        }
    }

    /** One server and all clients on one machine with two cores, as in the measurements. */
    static Simulation onOneMachine(SimulatedStore store, double oneWay) {
        return new Simulation(store, 1, oneWay, true);
    }

    /** Servers with two cores each, and clients on machines of their own. */
    static Simulation onNetwork(SimulatedStore store, int servers, double oneWayMicros) {
        return new Simulation(store, servers, oneWayMicros, false);
    }

    private SimulatedProcess process(double wakeUp) {
        Cores cores = loopback ? shared : new Cores(time, 2, 1);
        return new SimulatedProcess(time, cores, wakeUp, store.cold());
    }

    Result run(double warmUpSeconds, double seconds) {
        time.runUntil(warmUpSeconds * VirtualTime.SECOND);
        waits = new Waits();
        requests = 0;
        upkeep = 0;
        double[] before =
                servers.stream().mapToDouble(SimulatedServer::cpuMicros).toArray();
        time.runUntil((warmUpSeconds + seconds) * VirtualTime.SECOND);
        double busiest = IntStream.range(0, before.length)
                .mapToDouble(i -> servers.get(i).cpuMicros() - before[i])
                .max()
                .orElseThrow();
        return new Result(
                waits.count() / seconds,
                (double) requests / waits.count(),
                upkeep / seconds,
                store.idleShare() + busiest / VirtualTime.SECOND / seconds,
                waits);
    }

    /** Has threads of many clients want one lock all the time. */
    Simulation contend(int clients, int threads, boolean fair) {
        SimulatedLock lock = new SimulatedLock();
        for (int i = 0; i < clients; i++) {
            Client client = new Client(i);
            for (int entry = 0; entry < (fair ? threads : 1); entry++) {
                Contender contender = new Contender(client, lock, fair ? 1 : threads);
                client.entries.add(contender);
                time.after(random.nextDouble() * 1_000, contender::start);
            }
            client.keepEntries();
        }
        return this;
    }

    /** Has threads acquire a free lock each, all the time. */
    Simulation cycle(int threads) {
        Client client = new Client(0);
        for (int i = 0; i < threads; i++) {
            repeat(client);
        }
        return this;
    }

    private void repeat(Client client) {
        cycle(client, () -> repeat(client));
    }

    /** Has clients acquire free locks at random times, at this rate. */
    Simulation cycle(int clients, double perSecond) {
        arrive(IntStream.range(0, clients).mapToObj(Client::new).toList(), VirtualTime.SECOND / perSecond);
        return this;
    }

    private void arrive(List<Client> clients, double meanMicros) {
        time.after(-Math.log(1 - random.nextDouble()) * meanMicros, () -> {
            cycle(clients.get(random.nextInt(clients.size())), () -> {});
            arrive(clients, meanMicros);
        });
    }

    private void cycle(Client client, Runnable then) {
        double called = time.now();
        client.request(store.free(), true, () -> {}, () -> {
            waits.add(nanosSince(called));
            client.request(store.free(), true, () -> {}, then);
        });
        requests += 2;
    }

    /** Hands a lock back and forth between two clients, each of which waits for some time before. */
    Simulation handOff(double everyMicros) {
        SimulatedLock lock = new SimulatedLock();
        Contender first = new Contender(new Client(0), lock, 1);
        Contender second = new Contender(new Client(1), lock, 1);
        first.take(() -> handOff(first, second, everyMicros));
        return this;
    }

    private void handOff(Contender holder, Contender waiter, double everyMicros) {
        double[] released = {0};
        waiter.take(() -> {
            waits.add(nanosSince(released[0]));
            handOff(waiter, holder, everyMicros);
        });
        time.after(everyMicros, () -> {
            released[0] = time.now();
            holder.release(() -> {});
        });
    }

    /** Has clients hold locks that nobody else wants. */
    Simulation hold(int clients, int each) {
        for (int i = 0; i < clients; i++) {
            new Client(i).keepHolds(each);
        }
        return this;
    }

    /** Has clients wait for each of some names, with several queue entries. All these locks remain held. */
    Simulation await(int clients, int entries, int names) {
        Client holder = new Client(0);
        List<Client> waiting = IntStream.range(0, clients).mapToObj(Client::new).toList();
        int number = 0;
        for (int name = 0; name < names; name++) {
            SimulatedLock lock = new SimulatedLock();
            lock.acquire(new Contender(holder, lock, 1));
            for (; number < (long) clients * entries * (name + 1) / names; number++) {
                Contender contender = new Contender(waiting.get(number % clients), lock, 1);
                lock.acquire(contender);
                contender.heartbeatAt = random.nextDouble() * contender.interval();
                contender.client.entries.add(contender);
            }
        }
        waiting.forEach(Client::keepEntries);
        return this;
    }

    private long nanosSince(double micros) {
        return Math.round((time.now() - micros) * 1_000);
    }

    /** Executes a request on the client's server. A write is on most servers before the answer. */
    private void execute(int home, double micros, boolean writes, Runnable answer) {
        if (!writes) {
            servers.get(home).execute(micros, false, answer);
            return;
        }
        int[] acknowledged = {0};
        int majority = servers.size() / 2 + 1;
        for (int i = 0; i < servers.size(); i++) {
            double between = i == home ? 0 : oneWay;
            SimulatedServer server = servers.get(i);
            time.after(
                    between,
                    () -> server.execute(
                            micros,
                            true,
                            () -> time.after(between, () -> {
                                if (++acknowledged[0] == majority) {
                                    answer.run();
                                }
                            })));
        }
    }

    /** A client, with a connection to one of the servers. */
    private final class Client {
        final List<Contender> entries = new ArrayList<>();
        final SimulatedProcess process = process(store.clientWakeUp());
        private final int home;

        Client(int number) {
            home = number % servers.size();
        }

        void request(Request costs, boolean writes, Runnable atServer, Runnable answered) {
            process.run(
                    costs.client() / 2,
                    () -> time.after(oneWay, () -> {
                        execute(home, costs.server(), writes, () -> {
                            atServer.run();
                            time.after(oneWay, () -> process.wake(costs.client() / 2, answered));
                        });
                    }));
        }

        private void requestInBackground(Request costs, boolean writes) {
            upkeep++;
            request(costs, writes, () -> {}, () -> {});
        }

        private void every(double interval, Runnable action) {
            time.every(interval, random.nextDouble() * interval, action);
        }

        void keepHolds(int holds) {
            if (store.isRedis()) {
                for (int group = 0; group < RENEWAL_GROUPS; group++) {
                    int size = holds * (group + 1) / RENEWAL_GROUPS - holds * group / RENEWAL_GROUPS;
                    if (size > 0) {
                        every(RENEWAL, () -> renew(size));
                    }
                }
            } else {
                keepSession();
                for (int i = 0; i < holds; i++) {
                    every(SESSION, () -> requestInBackground(store.read(), false));
                }
            }
        }

        private void renew(int holds) {
            for (int left = holds; left > 0; left -= SimulatedStore.HOLDS_IN_REQUEST) {
                requestInBackground(SimulatedStore.renewal(Math.min(left, SimulatedStore.HOLDS_IN_REQUEST)), true);
            }
        }

        private void keepSession() {
            every(SYNC, () -> requestInBackground(store.read(), false));
        }

        void keepEntries() {
            if (store.isRedis()) {
                every(VirtualTime.SECOND, this::sendHeartbeats);
                every(VirtualTime.SECOND, () -> requestInBackground(store.read(), false));
            } else {
                keepSession();
                every(SESSION / 3, this::checkEntries);
            }
        }

        /**
         * Writes once, and checks all entries. It lists the entries of a lock if that costs less than to read two nodes
         * for each of its own.
         */
        private void checkEntries() {
            requestInBackground(store.free(), true);
            int own = 0;
            for (int i = 0; i < entries.size(); i++) {
                SimulatedLock lock = entries.get(i).lock;
                own++;
                if (i + 1 == entries.size() || entries.get(i + 1).lock != lock) {
                    if (lock.waiters() <= LISTED_PER_READ * own) {
                        requestInBackground(store.read().times(Math.max(1, lock.waiters() / LISTED_PER_READ)), false);
                    } else {
                        for (int read = 0; read < 2 * own; read++) {
                            requestInBackground(store.read(), false);
                        }
                    }
                    own = 0;
                }
            }
        }

        /** Keeps the entries whose heartbeat is due before the next call. Those for one name share requests. */
        private void sendHeartbeats() {
            int due = 0;
            for (int i = 0; i < entries.size(); i++) {
                Contender each = entries.get(i);
                if (each.isQueued && each.heartbeatAt < time.now() + VirtualTime.SECOND) {
                    each.heartbeatAt = time.now() + each.interval();
                    due++;
                }
                boolean last = i + 1 == entries.size() || entries.get(i + 1).lock != each.lock;
                if (due == SimulatedStore.ENTRIES_IN_REQUEST || (last && due > 0)) {
                    requestInBackground(SimulatedStore.heartbeat(due), true);
                    due = 0;
                }
            }
        }
    }

    /** What competes for a lock: a client whose threads hand the lock to each other, or one thread. */
    private final class Contender extends SimulatedLock.Entry {
        final Client client;
        final SimulatedLock lock;
        double heartbeatAt;
        boolean isQueued = true;
        private final int threads;
        /** When the threads that wait have begun to do so. */
        private final Queue<Double> waiting = new ArrayDeque<>();

        private Runnable acquired = () -> {};
        private boolean looks;
        private int holds;
        private double grantedAt;

        Contender(Client client, SimulatedLock lock, int threads) {
            this.client = client;
            this.lock = lock;
            this.threads = threads;
        }

        void start() {
            for (int i = 0; i < threads; i++) {
                waiting.add(time.now());
            }
            take(this::granted);
        }

        /** Returns the time until the next heartbeat. */
        double interval() {
            double seconds = (double) lock.before(this) / NEAR_HEAD;
            return Math.min(LONGEST_INTERVAL, Math.max(1, seconds)) * VirtualTime.SECOND;
        }

        /** Acquires the lock, or waits until the server hands it over. */
        void take(Runnable then) {
            acquired = then;
            boolean[] free = {false};
            looks = store.looksAgain() && lock.last() instanceof Contender last && last.client != client;
            int reads = lock.last() == null ? 0 : store.reads() - (looks ? 1 : 0);
            requests += 1 + reads;
            client.request(
                    store.acquire().and(store.read().times(reads)),
                    true,
                    () -> {
                        free[0] = lock.acquire(this);
                        isQueued = true;
                    },
                    () -> {
                        if (free[0]) {
                            then.run();
                        }
                    });
        }

        @Override
        void handOff() {
            isQueued = false;
            time.after(oneWay, () -> client.process.wake(store.message(), looks ? this::look : acquired));
        }

        private void look() {
            requests++;
            client.request(store.read(), false, () -> {}, acquired);
        }

        void release(Runnable then) {
            requests++;
            client.request(store.release(), true, lock::release, then);
        }

        private void granted() {
            holds = 0;
            grantedAt = time.now();
            hold();
        }

        /** The next thread holds the lock, releases it and waits again. */
        private void hold() {
            waits.add(nanosSince(waiting.remove()));
            boolean handsOff = holds++ < LOCAL_HANDOFFS && time.now() - grantedAt < LOCAL_MICROS && threads > 1;
            if (threads > 1) {
                waiting.add(time.now());
            }
            if (handsOff) {
                client.process.run(store.localHandoff(), this::hold);
            } else if (threads > 1) {
                take(this::granted);
                release(() -> {});
            } else {
                release(this::start);
            }
        }
    }
}

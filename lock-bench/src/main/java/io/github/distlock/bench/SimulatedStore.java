package io.github.distlock.bench;

/**
 * What requests to a store cost, in microseconds of CPU time. The figures are those of {@code docs/performance.md} and
 * of the pages that it names:
 *
 * <ul>
 *   <li>A request for a free lock is half of a cycle of S2, where server and clients are busy.
 *   <li>To wake a thread on an idle core takes what a request of S1 takes more than one of S2.
 *   <li>A request for a contended lock, and what the receiver of a handoff does, are the parts of a fair acquire of S3,
 *       without what wakes threads. On Redis they are in proportion to the commands of the two scripts. On ZooKeeper
 *       they are in proportion to the requests.
 *   <li>Work after an idle time takes what a handoff of S5 takes more than one of S3, for each of its three steps.
 *   <li>A local handoff is the CPU time of S3 without its requests.
 *   <li>A flush of the disk is what the CPU time of S1 leaves of its time on ZooKeeper.
 *   <li>Heartbeats and renewals fit the figures of {@code RedisUpkeep} best.
 * </ul>
 *
 * @param threads the threads of a server that execute requests
 * @param flush the time of a flush of the disk; 0 for Redis, which writes nothing before it answers
 * @param cold what work of a process takes more after an idle time
 * @param read a small request: a read of ZooKeeper, a {@code PING} of Redis
 * @param reads how many reads a waiter sends with its request, if others wait before it
 * @param looksAgain whether the receiver of a handoff from another client asks the store before it holds the lock
 * @param message what the client of the receiver does
 * @param idleShare the share of a core that a server takes without requests
 */
record SimulatedStore(
        int threads,
        double flush,
        double serverWakeUp,
        double clientWakeUp,
        double cold,
        Request free,
        Request acquire,
        Request release,
        Request read,
        int reads,
        boolean looksAgain,
        double message,
        double localHandoff,
        double idleShare) {

    boolean isRedis() {
        return flush == 0;
    }

    SimulatedStore withFlush(double micros) {
        return new SimulatedStore(
                threads,
                micros,
                serverWakeUp,
                clientWakeUp,
                cold,
                free,
                acquire,
                release,
                read,
                reads,
                looksAgain,
                message,
                localHandoff,
                idleShare);
    }

    /** Returns this store with clients that take more CPU time for each request and message. */
    SimulatedStore withSlowerClients(double factor) {
        return new SimulatedStore(
                threads,
                flush,
                serverWakeUp,
                clientWakeUp * factor,
                cold,
                free.slower(factor),
                acquire.slower(factor),
                release.slower(factor),
                read.slower(factor),
                reads,
                looksAgain,
                message * factor,
                localHandoff,
                idleShare);
    }

    /** The CPU time of a request on the client, for sending and answer together, and on the server. */
    record Request(double client, double server) {
        Request times(int number) {
            return new Request(client * number, server * number);
        }

        Request slower(double factor) {
            return new Request(client * factor, server);
        }

        Request and(Request other) {
            return new Request(client + other.client, server + other.server);
        }
    }

    static final SimulatedStore REDIS = new SimulatedStore(
            1,
            0,
            12,
            9,
            28,
            new Request(13.8, 12.6),
            new Request(15, 21.5),
            new Request(15, 28.5),
            new Request(13.8, 12.6),
            0,
            false,
            17,
            9.4,
            0.0012);

    static final SimulatedStore ZOOKEEPER = new SimulatedStore(
            Integer.MAX_VALUE,
            21,
            80,
            54,
            70,
            new Request(40, 80),
            new Request(26, 81),
            new Request(26, 81),
            new Request(26, 81),
            3,
            true,
            25,
            9.4,
            0.001);

    /** A request of Redis that renews holds of one client. */
    static final int HOLDS_IN_REQUEST = 512;

    /** A request of Redis that keeps queue entries of one client for one name. */
    static final int ENTRIES_IN_REQUEST = 64;

    /** Returns a request of Redis that renews so many holds. */
    static Request renewal(int holds) {
        return new Request(16 + 2.8 * holds, 16 + 2.8 * holds);
    }

    /** Returns a request of Redis that keeps so many queue entries. */
    static Request heartbeat(int entries) {
        return new Request(16 + 4.2 * entries, 16 + 4.2 * entries);
    }
}

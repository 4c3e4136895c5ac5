package io.github.distlock.examples.fencing;

import io.github.distlock.LockHandle;
import io.github.distlock.fencing.FencingToken;
import io.github.distlock.fencing.StaleTokenException;
import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.ZooKeeperServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.h2.tools.Server;

/**
 * Pauses a holder between the check of its hold and its writes, as a garbage collection or a suspended machine does.
 * Meanwhile, another holder acquires the lock and writes. Then the first holder continues, and writes too late: to an
 * account in the memory of a service, in a database, in Redis and in ZooKeeper. Each of them has a balance behind a
 * fence, and one without.
 *
 * <p>The pause is a signal (SIGSTOP) to a process. Nothing depends on its length: the first holder writes when it has
 * received a line, after the other one has written.
 */
public final class PausedHolder {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String BALANCE = "80";

    private PausedHolder() {}

    /**
     * What has become of the late writes to one store.
     *
     * @param refused whether the store has refused the write behind the fence
     * @param balance the balance behind the fence, after all writes
     * @param unfencedBalance the balance without a fence, after all writes
     */
    record Outcome(String store, boolean refused, String balance, String unfencedBalance) {
        @Override
        public String toString() {
            return String.format(
                    "%-10s with a fence: %s, balance %s; without: balance %s",
                    store, refused ? "refused" : "written", balance, unfencedBalance);
        }
    }

    /**
     * Runs the experiment, and prints an outcome for each store. The exit status is 0 if all late writes behind a fence
     * were refused, and all others have undone the write of the later holder.
     *
     * @param arguments none
     * @throws Exception if a server cannot be started or fails
     */
    public static void main(String[] arguments) throws Exception {
        List<Outcome> outcomes = run();
        outcomes.forEach(System.out::println);
        boolean good = outcomes.stream()
                .allMatch(outcome -> outcome.refused
                        && outcome.balance.equals(BALANCE)
                        && outcome.unfencedBalance.equals(LateWriter.BALANCE));
        System.exit(good ? 0 : 1);
    }

    static List<Outcome> run() throws Exception {
        System.setProperty("h2.bindAddress", "127.0.0.1");
        Server database =
                Server.createTcpServer("-tcpPort", "0", "-ifNotExists").start();
        try (RedisServer redis = RedisServer.start();
                ZooKeeperServer zooKeeper = ZooKeeperServer.start()) {
            String url = "jdbc:h2:tcp://127.0.0.1:" + database.getPort() + "/mem:" + UUID.randomUUID();
            return run(redis.uri(), zooKeeper.connectString(), url);
        } finally {
            database.stop();
        }
    }

    private static List<Outcome> run(String... addresses) throws Exception {
        try (Stores stores = Stores.connect(addresses)) {
            stores.createAccounts();
            MemoryAccount service = new MemoryAccount();
            try (ChildProgram early = ChildProgram.start(LateWriter.class, addresses)) {
                early.awaitLine(LateWriter.CHECKED, PATIENCE);
                early.suspend();
                writeAsNextHolder(stores, service);
                early.resume();
                early.send("continue");
                return outcomes(early, service, stores.accounts(service));
            }
        }
    }

    private static void writeAsNextHolder(Stores stores, Account service) throws Exception {
        try (LockHandle held = stores.locks.lock("account/7").acquire()) {
            for (Account account : stores.accounts(service).values()) {
                account.write(BALANCE, held.fencingToken());
                account.writeUnfenced(BALANCE);
            }
        }
    }

    /** Serves the writes to the account in memory, until the late writer has written to all accounts. */
    private static List<Outcome> outcomes(ChildProgram late, MemoryAccount service, Map<String, Account> accounts)
            throws Exception {
        List<Outcome> outcomes = new ArrayList<>();
        while (true) {
            String[] words = late.nextLine(PATIENCE).split(" ", -1);
            switch (words[0]) {
                case LateWriter.DONE -> {
                    return outcomes;
                }
                case LateWriter.WRITE -> late.send(written(service, words[1], FencingToken.parse(words[2])));
                case LateWriter.WRITE_UNFENCED -> {
                    service.writeUnfenced(words[1]);
                    late.send("");
                }
                default -> {
                    Account account = accounts.get(words[0]);
                    if (account != null) { // Otherwise it is a line of a log.
                        outcomes.add(new Outcome(
                                words[0], words[1].equals("refused"), account.balance(), account.unfencedBalance()));
                    }
                }
            }
        }
    }

    /** Returns the answer of the service: the greatest token that it has seen, if it refuses the write. */
    private static String written(MemoryAccount service, String balance, long token) {
        try {
            service.write(balance, token);
            return "";
        } catch (StaleTokenException e) {
            return FencingToken.toText(e.highest().orElseThrow());
        }
    }
}

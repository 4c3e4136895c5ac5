package io.github.distlock.tests.history;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LockClient;
import io.github.distlock.LockOptions;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.tests.ServerFixture;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.Server;
import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Runs a history. Several processes use locks of one store, each over a separate {@link FaultProxy}, and record what
 * they see. Meanwhile the run injects faults into processes, connections and server. Then it ends the faults and the
 * processes, checks the store for leftovers after its expiry, and checks the records.
 *
 * <p>Runs only on Linux, where {@link System#nanoTime()} is the same clock in all processes. Not thread-safe.
 */
public final class HistoryRun {
    /** By which factor the work may last longer than set until it has met enough faults. */
    private static final int LONGEST = 5;

    private static final Duration SLACK = Duration.ofSeconds(2);

    private final ServerFixture<?> store;
    private Supplier<? extends Server> struck;
    private @Nullable Duration kills;
    private boolean losesData;
    private int leastFaults;
    private int leastDroppedReplies;
    private Duration lease;
    private Duration duration = Duration.ofSeconds(10);
    private Duration lostReplies = Duration.ofMillis(100);
    private Duration rest = Duration.ofMillis(2);
    private int processes = 4;
    private int strikers = 2;
    private long seed = 1;
    private @Nullable Path kept;
    private @Nullable String otherRevision;

    private HistoryRun(ServerFixture<?> store) {
        this.store = store;
        this.struck = store::server;
        this.lease = store.lease();
    }

    /**
     * Creates a run with 4 processes, 10 s, and the lease of the fixture.
     *
     * @param store the fixture, which the caller closes. The run pauses, kills and restarts its server, so nothing else
     *     may use the server meanwhile. The server runs when the run has ended
     * @return the run
     */
    public static HistoryRun over(ServerFixture<?> store) {
        return new HistoryRun(requireNonNull(store, "store"));
    }

    /**
     * Sets the lease of all holds. The durations of holds and of most faults are proportional to it.
     *
     * @param newLease the lease
     * @return this
     */
    public HistoryRun lease(Duration newLease) {
        lease = requireNonNull(newLease, "newLease");
        return this;
    }

    /**
     * Sets how long the processes work, without their start and end. {@link #atLeast} can extend this.
     *
     * @param newDuration the duration
     * @return this
     */
    public HistoryRun duration(Duration newDuration) {
        duration = requireNonNull(newDuration, "newDuration");
        return this;
    }

    /**
     * Sets how many faults the processes must meet. Their work lasts up to five times as long until they have met them.
     *
     * @param faults the least number of faults in processes, connections and server
     * @param droppedReplies the least number of dropped replies
     * @return this
     */
    public HistoryRun atLeast(int faults, int droppedReplies) {
        leastFaults = faults;
        leastDroppedReplies = droppedReplies;
        return this;
    }

    /**
     * Sets the number of processes and of concurrent faults.
     *
     * @param workers the number of processes
     * @param faults the greatest number of concurrent faults, without dropped replies
     * @return this
     */
    public HistoryRun processes(int workers, int faults) {
        processes = workers;
        strikers = faults;
        return this;
    }

    /**
     * Sets how often the proxies drop the reply to a request for a lock and cut its connection.
     *
     * @param interval the average time between two drops; a process should be able to reconnect within it
     * @return this
     */
    public HistoryRun lostReplies(Duration interval) {
        lostReplies = requireNonNull(interval, "interval");
        return this;
    }

    /**
     * Sets which server the faults of the server strike, instead of the fixture's.
     *
     * @param newStruck returns a running server for each fault, such as the present leader of an ensemble
     * @return this
     */
    public HistoryRun striking(Supplier<? extends Server> newStruck) {
        struck = requireNonNull(newStruck, "newStruck");
        return this;
    }

    /**
     * Sets how often the run kills the server and restarts it, in addition to the other faults.
     *
     * @param interval the average time between a restart and the next kill; the single times are between half and one
     *     and a half of it
     * @return this
     */
    public HistoryRun kills(Duration interval) {
        kills = requireNonNull(interval, "interval");
        return this;
    }

    /**
     * Lets half of the restarts of killed servers lose all data.
     *
     * @return this
     */
    public HistoryRun losingData() {
        losesData = true;
        return this;
    }

    /**
     * Sets how long a thread rests after a release. Longer rests leave CPU to other tests.
     *
     * @param longest the longest rest, by default 2 ms; the average is half of it
     * @return this
     */
    public HistoryRun rest(Duration longest) {
        rest = requireNonNull(longest, "longest");
        return this;
    }

    /**
     * Sets the seed of the random numbers. The same seed gives the same mixture of calls and faults, not the same
     * history.
     *
     * @param newSeed the seed
     * @return this
     */
    public HistoryRun seed(long newSeed) {
        seed = newSeed;
        return this;
    }

    /**
     * Runs every second process on another revision of the library, as in a rolling upgrade. That revision must record
     * its operations in the same format.
     *
     * @param classPath the class path of the other revision, with the factory of the fixture
     * @return this
     */
    public HistoryRun beside(String classPath) {
        otherRevision = requireNonNull(classPath, "classPath");
        return this;
    }

    /**
     * Sets the directory of the records, which the run keeps. By default, the run uses a temporary directory, and keeps
     * and prints it only if the history breaks a rule.
     *
     * @param directory an empty directory
     * @return this
     */
    public HistoryRun keepIn(Path directory) {
        kept = requireNonNull(directory, "directory");
        return this;
    }

    /**
     * Runs the history.
     *
     * @return the report
     * @throws IllegalStateException if the fixture cannot look for leftovers
     * @throws InterruptedException if this thread is interrupted; the processes have ended when this returns
     */
    public HistoryReport run() throws InterruptedException {
        Path directory = kept == null ? newDirectory() : kept;
        try (Team team = new Team(store, lease, rest, directory, seed, otherRevision)) {
            List<Violation> violations = new ArrayList<>();
            LockBackend backend = store.factory().backend(store.server().address(), store.space());
            Duration expiry = backend.expiry(
                    LockRequest.exclusive("history", lease, LockOwner.of("localhost", 1, "history", "main")));
            Path faults = directory.resolve("faults");
            team.start(processes);
            try (HistoryWriter writer = new HistoryWriter(faults);
                    LockClient observer = LockClient.builder(backend)
                            .defaultOptions(LockOptions.defaults().renewedLease(lease))
                            .build()) {
                Nemesis nemesis = new Nemesis(struck, losesData, team, observer, lease, lostReplies, writer);
                List<Thread> threads = nemesis.start(strikers, kills, seed);
                TimeUnit.NANOSECONDS.sleep(duration.toNanos());
                Waiting.until(
                        duration.multipliedBy(LONGEST - 1),
                        () -> nemesis.hasInjected(leastFaults, leastDroppedReplies));
                nemesis.end();
                for (Thread thread : threads) {
                    thread.join();
                }
                violations.addAll(team.finish(ending(expiry)));
            }
            violations.addAll(remaining(expiry));
            History history = History.read(team.files(), faults);
            HistoryChecker checker = new HistoryChecker(history, SLACK, lease);
            HistoryReport report = HistoryReport.of(history, checker, violations, Mode.of(backend.capabilities()));
            if (kept == null) {
                end(directory, report);
            }
            return report;
        }
    }

    private static void end(Path directory, HistoryReport report) {
        if (report.violations().isEmpty()) {
            delete(directory);
        } else {
            System.err.println("The history is kept in " + directory);
        }
    }

    private static void delete(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete the history", e);
        }
    }

    /** Returns how long processes may take to end: for the longest hold, an expiry, and the waiters behind it. */
    private Duration ending(Duration expiry) {
        return lease.multipliedBy(8).plus(expiry.multipliedBy(2)).plus(SLACK.multipliedBy(4));
    }

    private List<Violation> remaining(Duration expiry) throws InterruptedException {
        long bound = System.nanoTime()
                + expiry.plus(Duration.ofSeconds(1)).plus(SLACK).toNanos();
        List<String> remaining = leftovers();
        while (!remaining.isEmpty() && bound - System.nanoTime() > 0) {
            TimeUnit.MILLISECONDS.sleep(20);
            remaining = leftovers();
        }
        return remaining.stream()
                .map(leftover -> new Violation(HistoryRule.NOTHING_IS_LEFT, leftover))
                .toList();
    }

    private List<String> leftovers() {
        try {
            return store.leftovers();
        } catch (Exception e) {
            throw new IllegalStateException("the fixture cannot look for leftovers: " + e, e);
        }
    }

    private static Path newDirectory() {
        try {
            return Files.createTempDirectory("distlock-history-");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot create a directory for the history", e);
        }
    }
}

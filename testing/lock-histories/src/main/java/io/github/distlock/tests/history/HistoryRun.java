package io.github.distlock.tests.history;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LockClient;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.tests.ServerFixture;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Runs a history: several processes use locks of one store for a while, each over a link of its own; processes, links and
 * server are hurt meanwhile; then all is healed, the processes end, and after the store's expiry it is looked whether
 * something was left. What the processes have written down is checked.
 *
 * <p>Only on Linux, where {@link System#nanoTime()} is the same clock in all processes. Not thread-safe.
 */
public final class HistoryRun {
    /** How much longer than wanted it may last, until enough has been done to the processes. */
    private static final int LONGEST = 5;

    private final ServerFixture<?> store;
    private int leastFaults;
    private int leastDroppedReplies;
    private Duration lease;
    private Duration slack = Duration.ofSeconds(2);
    private Duration duration = Duration.ofSeconds(10);
    private Duration lostReplies = Duration.ofMillis(100);
    private Duration rest = Duration.ofMillis(2);
    private int processes = 4;
    private int strikers = 2;
    private long seed = 1;
    private @Nullable Path kept;

    private HistoryRun(ServerFixture<?> store) {
        this.store = store;
        this.lease = store.lease();
    }

    /**
     * A history over this store.
     *
     * @param store its server is paused, killed and restarted with its data, so nobody else may use it; it runs at the end, and
     *     whoever made it closes it
     * @return a run with defaults: 4 processes, 10 s, the fixture's lease
     */
    public static HistoryRun over(ServerFixture<?> store) {
        return new HistoryRun(requireNonNull(store, "store"));
    }

    /**
     * How long holds live that are not renewed.
     *
     * @param newLease the lease of all holds, of which hold times and most faults' durations are a part or a multiple
     * @return this
     */
    public HistoryRun lease(Duration newLease) {
        lease = requireNonNull(newLease, "newLease");
        return this;
    }

    /**
     * How long the processes work.
     *
     * @param newDuration without start and end; longer when {@link #atLeast} says so
     * @return this
     */
    public HistoryRun duration(Duration newDuration) {
        duration = requireNonNull(newDuration, "newDuration");
        return this;
    }

    /**
     * How much has to be done to processes and server before the work may end; where luck does not bring it about in time, it
     * goes on up to five times as long.
     *
     * @param faults at least so many that are aimed
     * @param droppedReplies at least so many
     * @return this
     */
    public HistoryRun atLeast(int faults, int droppedReplies) {
        leastFaults = faults;
        leastDroppedReplies = droppedReplies;
        return this;
    }

    /**
     * How many work, and how many faults there are at a time.
     *
     * @param workers processes
     * @param faults at most so many at a time, besides lost replies
     * @return this
     */
    public HistoryRun processes(int workers, int faults) {
        processes = workers;
        strikers = faults;
        return this;
    }

    /**
     * How often the reply to a request for a lock gets lost, and its connection is cut.
     *
     * @param interval between two of them, on average; not much shorter than a process needs to connect again
     * @return this
     */
    public HistoryRun lostReplies(Duration interval) {
        lostReplies = requireNonNull(interval, "interval");
        return this;
    }

    /**
     * Sets how long a thread rests after a release. Longer rests leave CPU to the tests beside the history.
     *
     * @param longest the rests are random and last half of this on average; 2 ms unless set
     * @return this
     */
    public HistoryRun rest(Duration longest) {
        rest = requireNonNull(longest, "longest");
        return this;
    }

    /**
     * What a busy machine may add to times that are promised.
     *
     * @param newSlack 2 s unless said otherwise
     * @return this
     */
    public HistoryRun slack(Duration newSlack) {
        slack = requireNonNull(newSlack, "newSlack");
        return this;
    }

    /**
     * What the dice begin with. The same seed does not make the same history, but the same mixture.
     *
     * @param newSeed any
     * @return this
     */
    public HistoryRun seed(long newSeed) {
        seed = newSeed;
        return this;
    }

    /**
     * Where processes write down what they see, and where that stays. Otherwise it is in a temporary directory, which stays when
     * the history shows what cannot be, and is named then.
     *
     * @param directory is there, and empty
     * @return this
     */
    public HistoryRun keepIn(Path directory) {
        kept = requireNonNull(directory, "directory");
        return this;
    }

    /**
     * Runs it, to the end.
     *
     * @return what was found
     * @throws IllegalStateException when the fixture cannot look for leftovers
     * @throws InterruptedException when this thread is interrupted; processes are ended then, too
     */
    public HistoryReport run() throws InterruptedException {
        Path directory = kept == null ? newDirectory() : kept;
        try (Team team = new Team(store, lease, rest, directory, seed)) {
            List<Violation> violations = new ArrayList<>();
            LockBackend seeing = store.factory().backend(store.server().address(), store.space());
            Duration expiry = seeing.expiry(
                    LockRequest.exclusive("history", lease, LockOwner.of("localhost", 1, "history", "main")));
            Path injuries = directory.resolve("injuries");
            team.start(processes);
            try (HistoryWriter writer = new HistoryWriter(injuries);
                    LockClient eye = LockClient.create(seeing)) {
                Nemesis nemesis = new Nemesis(store.server(), team, eye, lease, lostReplies, writer);
                List<Thread> threads = nemesis.start(strikers, seed);
                long begin = System.nanoTime();
                TimeUnit.NANOSECONDS.sleep(duration.toNanos());
                while (!nemesis.hasCaused(leastFaults, leastDroppedReplies)
                        && System.nanoTime() - begin < duration.toNanos() * LONGEST) {
                    TimeUnit.MILLISECONDS.sleep(20);
                }
                nemesis.end();
                for (Thread thread : threads) {
                    thread.join();
                }
                violations.addAll(team.finish(ending(expiry)));
            }
            violations.addAll(remaining(expiry));
            History history = History.read(team.files(), injuries);
            HistoryChecker checker = new HistoryChecker(history, slack, lease);
            HistoryReport report = HistoryReport.of(history, checker, violations);
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

    /** Everybody finishes what is begun: the longest hold, an expiry for what was left, and whoever waited for that. */
    private Duration ending(Duration expiry) {
        return lease.multipliedBy(8).plus(expiry.multipliedBy(2)).plus(slack.multipliedBy(4));
    }

    private List<Violation> remaining(Duration expiry) throws InterruptedException {
        long bound = System.nanoTime()
                + expiry.plus(Duration.ofSeconds(1)).plus(slack).toNanos();
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
            throw new UncheckedIOException("cannot make a directory for the history", e);
        }
    }
}

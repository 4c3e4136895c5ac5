package io.github.distlock.simulator;

import io.github.distlock.LockClient;
import io.github.distlock.LockClientBuilder;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockMode;
import io.github.distlock.tests.history.AcquireKind;
import io.github.distlock.tests.history.HistoryRule;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A process with a client and the threads that use it, from its start to its end. */
final class SimulatedMember implements ObservedBackend.Observer {
    private static final long LONGEST_SHUTDOWN_MILLIS = 500;
    private static final long SLACK = 50_000_000;

    private final Simulation simulation;
    private final SimulatedProcess process;
    private final SimulatedStore store;
    private final Plan plan;
    private final Plan.Member settings;
    private final int incarnation;
    private Records records;
    private long number;
    private final Map<String, Records.Acquire> acquiring = new HashMap<>();
    private final DroppedHandles droppedHandles;
    private final StickyLocks stickyLocks;
    private final HeardRequests.Exchanges exchanges = new HeardRequests.Exchanges();
    private final List<Records.Acquire> acquires = new ArrayList<>();
    /** The grants to contenders that no other process has. */
    private final Set<Base> own = new HashSet<>();

    private int copies;
    private boolean isCopy;
    private long copiedAt = Long.MIN_VALUE;
    private Set<Capability> capabilities = Set.of();
    private @Nullable LockClient client;
    private boolean finishing;
    /** Whether the users have their locks, so that their own calls find that the client is closed. */
    private boolean working;

    private boolean closing;
    /** Whether holds may end at any time, because the client library is closed. */
    private boolean isEnding;

    private boolean ended;

    private record Base(String lock, long base) {}

    SimulatedMember(
            Simulation simulation,
            SimulatedStore store,
            Records records,
            Plan plan,
            Plan.Member settings,
            int incarnation,
            long number) {
        this.simulation = simulation;
        this.store = store;
        this.records = records;
        this.plan = plan;
        this.settings = settings;
        this.incarnation = incarnation;
        this.number = number;
        String name = "p" + settings.number() + (incarnation == 0 ? "" : "-" + incarnation);
        process = simulation.process(name, plan.schedule() ^ (settings.number() + 1_000L * incarnation));
        process.rate(settings.rate());
        droppedHandles = new DroppedHandles(
                simulation,
                process,
                plan.isPunctual(settings.number()),
                what -> violation(HistoryRule.DROPPED_HANDLES_ARE_REPORTED, what));
        stickyLocks = new StickyLocks(
                simulation,
                process,
                plan.isPunctual(settings.number()) && !settings.dropsHandles(),
                what -> violation(HistoryRule.STICKY_LOCKS_GO_BACK, what));
    }

    SimulatedProcess process() {
        return process;
    }

    int place() {
        return settings.number();
    }

    int incarnation() {
        return incarnation;
    }

    long number() {
        return number;
    }

    /** Starts the main thread: it opens the client, lets the users work, and closes the client. */
    void start() {
        process.start("main", this::main);
    }

    /** Ends the process at once. */
    void crash() {
        process.crash();
        endChecks();
    }

    private void main() {
        simulation.trace(process.name(), () -> "starts");
        LockBackend backend = ObservedBackend.of(store.backend(process), simulation, this);
        capabilities = backend.capabilities();
        LockClientBuilder builder = LockClient.builder(backend)
                .name(process.name())
                .shutdownTimeout(Duration.ofMillis(Math.min(LONGEST_SHUTDOWN_MILLIS, plan.lease() / 8)))
                .localHandoff(settings.handoffs().most(), settings.handoffs().time())
                .defaultOptions(LockOptions.defaults().renewedLease(Duration.ofMillis(plan.lease())));
        if (settings.dropsHandles()) {
            builder.listener(droppedHandles);
        }
        try {
            client = builder.build();
        } catch (SimulatedProcess.NoMoreThreads e) {
            simulation.trace(process.name(), () -> "cannot start its client: " + e);
        }
        if (client != null) {
            work();
            close();
        }
        if (!process.hasFailedThreads()) {
            records.history.ended(number, records.tick());
        }
        simulation.trace(process.name(), () -> "has ended");
        ended = true;
    }

    private void work() {
        Map<Plan.User, SimulatedUser> tasks = new LinkedHashMap<>();
        for (Plan.User user : plan.users()) {
            if (user.process() == settings.number()) {
                tasks.put(user, new SimulatedUser(this, plan, user, incarnation));
            }
        }
        working = true;
        List<Thread> threads = new ArrayList<>();
        tasks.forEach((user, task) -> threads.add(process.start("user" + user.number(), task)));
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        endChecks();
    }

    private void endChecks() {
        droppedHandles.end();
        stickyLocks.end();
    }

    /** Closes the client while threads use it, if they do already. Holds end when the client has waited for them. */
    void closeUnderUsers() {
        if (!working) {
            finish();
        } else if (!hasEnded()) {
            closing = true;
            process.start("closer", () -> {
                endChecks();
                close();
                finish();
            });
        }
    }

    /** The application closes its client library before the client. Returns false if it has none. */
    boolean closeClientLibrary() {
        if (hasEnded() || !store.closeClientLibrary(process)) {
            return false;
        }
        simulation.trace(process.name(), () -> "closes its client library");
        isEnding = true;
        return true;
    }

    /** Returns whether a call may fail because the client is closed. */
    boolean isOfClosedClient(Throwable failure) {
        return closing && failure instanceof IllegalStateException;
    }

    private void close() {
        try {
            client().close();
        } catch (Throwable e) {
            violation(HistoryRule.FAILURES_ARE_DOCUMENTED, "close() failed with " + Records.describe(e));
        }
    }

    LockClient client() {
        LockClient opened = client;
        if (opened == null) {
            throw new IllegalStateException("not started");
        }
        return opened;
    }

    boolean supports(Capability capability) {
        return capabilities.contains(capability);
    }

    boolean mayFailWith(Throwable failure) {
        return store.mayFailWith(failure);
    }

    /** Lets all users end soon, and then the process. */
    void finish() {
        finishing = true;
    }

    boolean isFinishing() {
        return finishing;
    }

    /** Returns whether the process has ended, in order or by a crash. */
    boolean hasEnded() {
        return ended || process.hasCrashed();
    }

    Records.Acquire acquire(int user, String lock, AcquireKind kind, LockMode mode, long limit) {
        Records.Acquire acquire = records.new Acquire(number, process.name() + "." + user, lock, kind, mode, limit);
        if (kind == AcquireKind.FAIR) {
            acquiring.put(lock, acquire);
        }
        acquires.add(acquire);
        return acquire;
    }

    Records.Acquire downgrade(Records.Acquire writing, long token, long limit) {
        Records.Acquire reading = records.new Acquire(writing, token, limit);
        acquires.add(reading);
        return reading;
    }

    /** Listens for requests to release a hold. */
    void listen(Records.Acquire acquire, LockHandle held) {
        HeardRequests.Listener listener = acquire.listener(held.fencingToken(), exchanges);
        held.onReleaseRequested(request -> {
            acquire.heard();
            if (listener.hear() && plan.isPunctual(settings.number()) && copies == 0) {
                violation(
                        HistoryRule.REQUESTS_ARE_HEARD_ONCE,
                        "a hold of " + acquire.lock + " hears of a request once more, or of one from before it");
            }
        });
    }

    /** Returns what compares the warnings of a hold with its validity, or null if its times have no bounds. */
    @Nullable
    WarnedHold warnBefore(Duration time, Records.Acquire acquire, LockHandle held) {
        if (!plan.isPunctual(settings.number())) {
            return null;
        }
        WarnedHold warned = new WarnedHold(
                simulation,
                process,
                held,
                time,
                what -> violation(HistoryRule.WARNINGS_COME, "a hold of " + acquire.lock + ": " + what));
        held.warnBefore(time, () -> {
            acquire.warned();
            warned.warn(Thread.currentThread().getName());
        });
        return warned;
    }

    /** Asks the holders of a lock to release it. */
    void requestRelease(int user, String lock) {
        simulation.trace(process.name() + "." + user, () -> "requests the release of " + lock);
        HeardRequests.Request request = records.requests.send(lock);
        try {
            int unused = client().inspector().requestRelease(lock);
            records.requests.answered(request);
        } catch (LockException e) {
            // It may arrive later.
        }
    }

    StickyLocks stickyLocks() {
        return stickyLocks;
    }

    boolean dropsHandles() {
        return settings.dropsHandles();
    }

    /** The last reference to a handle is gone. The collector finds that after a while. */
    void collect(Records.Acquire acquire, LockHandle held, long nanos) {
        simulation.at(simulation.nanoTime() + nanos, () -> {
            if (!process.hasCrashed()) {
                acquire.collected();
                droppedHandles.collected(acquire.lock, held.fencingToken());
                simulation.collect(held);
            }
        });
    }

    SimulatedUser.Interrupt interruptAfter(long nanos) {
        Thread thread = Thread.currentThread();
        boolean[] armed = {true};
        simulation.at(simulation.nanoTime() + nanos, () -> {
            if (armed[0] && !process.hasCrashed()) {
                thread.interrupt();
            }
        });
        return () -> armed[0] = false;
    }

    long trueTime() {
        return records.tick();
    }

    long trueTimeAfter(long nanos) {
        return trueTimeOf(process.nanoTime() + nanos);
    }

    long trueTimeOf(long nanoTime) {
        return process.trueTime(nanoTime);
    }

    /** A user has done something else instead of a look at its hold, which may have claimed more than it knows. */
    void hasNotLookedSince(long time) {
        if (time < trueTime()) {
            records.history.stalled(number, time, trueTime());
        }
    }

    /** Returns until when a hold claims to be valid that ends at a time of this process. */
    long claim(long nanoTime) {
        long now = simulation.nanoTime();
        return closing || isEnding ? now : Math.min(trueTimeOf(nanoTime), plan.nextEarlyEnd(settings.number(), now));
    }

    /** Returns how much later than an event of this process a thread may see it, if it has waited since a true time. */
    long slackSince(long since) {
        return SLACK + process.stalledSince(since);
    }

    /** Returns whether the wall clock has been set since a true time. Holds may end earlier then. */
    boolean wallClockHasStepped(long since) {
        return plan.nextJump(settings.number(), since) <= simulation.nanoTime() || copiedAt >= since;
    }

    /** From now on, another process is a copy of this one. The two share what this one has now. */
    void share() {
        copies++;
        stickyLocks.end();
        own.clear();
        acquires.forEach(Records.Acquire::share);
        acquires.clear();
        copiedAt = simulation.nanoTime();
    }

    /**
     * Goes on as a copy of another process, which has done the same until now.
     *
     * @param others the records of the other process
     * @param newNumber the number of this process among the others
     */
    void becomeCopy(Records others, long newNumber) {
        share();
        isCopy = true;
        records = others;
        number = newNumber;
        process.becomeCopy(process.name() + "'", newNumber);
    }

    boolean isCopy() {
        return isCopy;
    }

    /** Returns whether a hold may be of a grant that another process has, too. */
    boolean shares(String lock, long token) {
        return copies > 0 && !own.contains(new Base(lock, ClientTokens.base(token)));
    }

    @Override
    public int copies() {
        return copies;
    }

    @Override
    public void granted(String lock, long base, long sent, int copiesBefore) {
        records.tokens.decided(number, lock, base, Math.max(sent, process.answeredAt()));
        if (copiesBefore == copies) {
            own.add(new Base(lock, base));
        }
    }

    @Override
    public void requestsRead(long begun) {
        exchanges.add(begun, simulation.nanoTime());
    }

    @Override
    public void grantedSticky(String lock, Object contender) {
        stickyLocks.granted(lock, contender);
    }

    @Override
    public void wanted(Object contender) {
        stickyLocks.wanted(contender);
    }

    @Override
    public void givenBack(Object contender) {
        stickyLocks.givenBack(contender);
    }

    void violation(HistoryRule rule, String what) {
        records.violation(rule, process.name() + ": " + what);
    }

    @Override
    public void queued(String lock) {
        Records.Acquire acquire = acquiring.get(lock);
        if (acquire != null) {
            acquire.queued();
        }
    }

    @Override
    public void failed(String lock, long sent) {
        records.history.failed(number, sent, records.tick(), lock);
        simulation.trace(process.name(), () -> "has a request for " + lock + " that failed");
    }
}

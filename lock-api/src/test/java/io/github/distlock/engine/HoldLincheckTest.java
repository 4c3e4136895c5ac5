package io.github.distlock.engine;

import static org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt.forClasses;

import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockListener;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.engine.Outcome.Ended;
import io.github.distlock.engine.Outcome.Offered;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.lang.ref.ReferenceQueue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jetbrains.lincheck.datastructures.BooleanGen;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The hold's state machine under all interleavings that a bounded model check reaches: the real {@link Lease},
 * {@link Hold} and {@link Handle} among the real parts of an engine, over one grant of a fake store.
 *
 * <p>At the beginning waiter 0 holds, waiters 1 and 2 stand in the local queue. Operations renew, expire, lose,
 * suspect, release, pass, accept and decline; each looks for what must not be while it runs, and {@link Model#endsWell}
 * brings everything to its end and looks at the whole. There is nothing to linearize, so the sequential specification
 * is empty: an operation that throws is the failure.
 *
 * <p>The model checker must see each step, so the engine has no threads here ({@link ThreadlessEngine}): what it would
 * hand to them is an operation of its own.
 */
@Tag("long")
@Execution(ExecutionMode.CONCURRENT)
class HoldLincheckTest {

    /** A multiple of the usual number of invocations, for a longer search. */
    static final int EFFORT = Integer.getInteger("lock.lincheck.effort", 1);

    static final Settings SETTINGS = new Settings(
            "client",
            Duration.ofSeconds(1).toNanos(),
            Duration.ofSeconds(30).toNanos(),
            Duration.ofSeconds(2).toNanos(),
            0.01,
            Duration.ofMillis(50).toNanos(),
            64,
            Duration.ofMillis(20).toNanos(),
            false);

    @Test
    void s8_aHoldEndsOnceAndOneWayWhateverRaces() {
        options().threads(2).actorsPerThread(3).iterations(2).check(Model.class);
    }

    @Test
    void s8_aHoldEndsOnceAndOneWayWhateverRacesOnThreeThreads() {
        options().threads(3).actorsPerThread(2).iterations(1).check(Model.class);
    }

    /**
     * Lets an invocation take minutes. Lincheck takes one for hung after ten seconds, but on a busy machine the classes
     * that it rewrites during the first invocations take longer. Its own name for this is not public in Kotlin.
     */
    static ModelCheckingOptions patient(ModelCheckingOptions options) {
        return options.invocationTimeout$lincheck(Duration.ofMinutes(3).toMillis());
    }

    private static ModelCheckingOptions options() {
        return patient(new ModelCheckingOptions())
                .actorsBefore(1)
                .actorsAfter(0)
                .invocationsPerIteration(50 * EFFORT)
                .minimizeFailedScenario(false)
                .sequentialSpecification(Anything.class)
                .addGuarantee(forClasses(OneGrant.class.getName()).allMethods().ignore())
                .addGuarantee(forClasses(Journal.class.getName()).allMethods().ignore())
                .addGuarantee(forClasses(Model.class.getName())
                        .methods("bringToItsEnd")
                        .ignore());
    }

    /** Three waiters of one client, and one grant. */
    @Param(name = "who", gen = IntGen.class, conf = "0:1")
    @Param(name = "time", gen = IntGen.class, conf = "0:2")
    @Param(name = "answer", gen = IntGen.class, conf = "0:3")
    @Param(name = "unanswered", gen = BooleanGen.class)
    public static class Model {
        private static final Duration LEASE = Duration.ofSeconds(10);
        private static final long[] STEPS = {Duration.ofMillis(30).toNanos(), LEASE.toNanos() / 2, LEASE.toNanos()};

        private final Journal journal = new Journal();
        private final NoStore store = new NoStore();
        final ThreadlessEngine client = new ThreadlessEngine(store, journal);
        private final ManualClock clock = client.clock;
        private final LockKey key =
                new LockKey("lock", LockMode.EXCLUSIVE, LockOptions.defaults().renewedLease(LEASE));
        private final LocalQueue queue = client.queues.get(key);
        private final List<Waiter> waiters = new ArrayList<>();
        private final OneGrant grant = new OneGrant(clock, journal, LEASE);
        private final Outages outages = new Outages(client.shared);
        private final AtomicLong newestToken = new AtomicLong();
        private final AtomicReference<Waiter> newestHolder = new AtomicReference<>();
        private final QueueEntry entry;
        private final Lease lease;

        public Model() {
            for (int i = 0; i < 3; i++) {
                Waiter waiter = new Waiter(key, client);
                waiters.add(waiter);
                waiter.enter();
            }
            Waiter first = waiters.get(0);
            entry = queue.claim(first, clock.nanoTime()).entry();
            lease = queue.granted(entry, first, grant);
            first.settle(new Offered(lease.offer()));
            accept(first);
        }

        // ---- the holders' side -----------------------------------------------------------------------------------

        @Operation
        public void accept() {
            for (Waiter waiter : waiters) {
                accept(waiter);
            }
        }

        private void accept(Waiter waiter) {
            if (waiter.outcome() instanceof Offered offer && waiter.decided.compareAndSet(false, true)) {
                Handle offered = offer.handle();
                boolean over = lease.hasExpired() || grant.isGivenBack();
                long newest = newestToken.get();
                if (waiter.accept(offered)) {
                    journal.check(!over, "a hold began after its lease had ended");
                    journal.check(offered.fencingToken() > newest, "tokens rise");
                    newestToken.accumulateAndGet(offered.fencingToken(), Math::max);
                    waiter.held = offered;
                    newestHolder.set(waiter);
                }
            }
        }

        @Operation
        public void decline() {
            for (Waiter waiter : waiters) {
                if (waiter.outcome() instanceof Offered offer && waiter.decided.compareAndSet(false, true)) {
                    Handle offered = offer.handle();
                    offered.hold().decline();
                }
            }
        }

        /** A waiter gives up, and takes no notice of a hold that it got meanwhile. */
        @Operation
        public void giveUp() {
            waiters.get(1).settle(Ended.INTERRUPTED);
        }

        @Operation
        public void release(@Param(name = "who") int who, @Param(name = "unanswered") boolean unanswered) {
            Handle handle = holder(who).held;
            if (handle != null) {
                grant.answersThisThread(!unanswered);
                LockHandle.Release released = handle.release();
                grant.answersThisThread(true);
                journal.check(!handle.isHeld(), "a hold goes on after its release");
                journal.check(
                        handle.state() == State.RELEASED || released == LockHandle.Release.LOST,
                        "the release of a lost hold says so");
            }
        }

        @Operation
        public void releaseAsync(@Param(name = "who") int who) {
            Handle handle = holder(who).held;
            if (handle != null) {
                handle.releaseAsync();
                journal.check(!handle.isHeld(), "a hold goes on after its release");
            }
        }

        @Operation
        public void listen(@Param(name = "who") int who) {
            Waiter waiter = holder(who);
            Handle handle = waiter.held;
            if (handle != null && waiter.listens.compareAndSet(false, true)) {
                handle.onLost(loss -> waiter.told.incrementAndGet());
                waiter.listened = true;
            }
        }

        @Operation
        public void look(@Param(name = "who") int who) {
            Waiter waiter = holder(who);
            Handle handle = waiter.held;
            if (handle != null) {
                long before = clock.nanoTime();
                boolean over = grant.isGivenBack();
                State ended = waiter.ended.get();
                State state = handle.state();
                journal.check(ended == null || ended == state, "a hold changed after its end");
                if (state == State.HELD || state == State.SUSPECT) {
                    journal.check(!over, "a hold goes on after it was given back");
                    journal.check(grant.endsAtStore() > before, "held for longer than at the store");
                } else if (!waiter.ended.compareAndSet(null, state)) {
                    journal.check(waiter.ended.get() == state, "a hold ended in two ways");
                }
            }
        }

        @Operation
        public void overlap() {
            Handle one = waiters.get(0).held;
            Handle other = holder(1).held;
            if (one != null && other != null && one != other && one.isHeld() && other.isHeld()) {
                journal.check(!one.isHeld(), "two holds of one grant at once");
            }
        }

        private Waiter holder(int who) {
            return who == 0 ? waiters.get(0) : newestHolder.get();
        }

        // ---- the engine's and the store's side -------------------------------------------------------------------

        @Operation
        public void timePasses(@Param(name = "time") int time) {
            clock.advance(STEPS[time]);
        }

        /** What the keeper does for a lease that is due, with every kind of answer. */
        @Operation
        public void renew(@Param(name = "answer") int answer) {
            if (!lease.hasExpired() && lease.isDue(clock.nanoTime() + LEASE.toNanos())) {
                LeaseRenewal renewal = lease.renewal(outages);
                if (renewal != null) {
                    Moment sent = clock.now();
                    boolean extended = answer < 3 && grant.extend(sent);
                    if (answer == 2) {
                        renewal.unknown(new IllegalStateException("no answer"));
                    } else if (extended) {
                        renewal.renewed(Validity.of(sent, LEASE));
                    } else {
                        grant.delete();
                        renewal.gone();
                        expectEnd();
                    }
                }
            }
        }

        @Operation
        public void gone() {
            grant.delete();
            entry.gone();
            expectEnd();
        }

        private void expectEnd() {
            journal.check(lease.hasExpired(), "a lease goes on that the store no longer has");
        }

        @Operation
        public void suspect() {
            entry.suspect();
        }

        @Operation
        public void expire() {
            Moment start = clock.now();
            journal.check(lease.hasExpired() || lease.remainingNanos(start) > 0, "a lease goes on past its time");
        }

        @Operation
        public void backgroundWork() {
            clock.runOne();
        }

        // ---- the end ---------------------------------------------------------------------------------------------

        @Validate
        public void endsWell() {
            bringToItsEnd();
        }

        /** Alone by now, so the model checker need not follow. */
        private void bringToItsEnd() {
            for (int round = 0; round < waiters.size(); round++) {
                accept();
                for (Waiter waiter : waiters) {
                    if (waiter.held != null) {
                        waiter.held.release();
                    }
                }
                clock.runAll();
            }
            journal.check(lease.hasExpired(), "the lease never ended");
            journal.check(grant.isGivenBack() || grant.isDeleted(), "the grant stays at the store");
            journal.check(lease.holds.stream().findAny().isEmpty(), "an ended hold stays in its lease");
            waiters.forEach(waiter -> waiter.settle(Ended.WITHDRAWN));
            client.clock.runAll();
            journal.check(store.remembered.get() == 0, "the backend has to remember a contender");
            journal.check(client.isUnused(), "a queue that nobody uses stays");
            int began = 0;
            for (Waiter waiter : waiters) {
                if (waiter.held != null) {
                    began++;
                    endsWell(waiter, waiter.held);
                }
            }
            journal.check(IntStream.of(journal.acquired).sum() == began, "only holds that began are reported");
            journal.throwIfAny();
        }

        private void endsWell(Waiter waiter, Handle handle) {
            int pass = Journal.pass(handle.fencingToken());
            State state = handle.state();
            State seen = waiter.ended.get();
            journal.check(journal.acquired[pass] == 1, "each hold that began is reported once, under its own token");
            journal.check(state == State.LOST || state == State.RELEASED, "a hold without an end");
            journal.check(seen == null || seen == state, "a hold changed after its end");
            boolean foundGone = state == State.RELEASED && handle.hold().loss() != null;
            int losses = state == State.LOST || foundGone ? 1 : 0;
            journal.check(journal.lost[pass] == losses, "a loss is reported once");
            journal.check(journal.released[pass] == (state == State.RELEASED ? 1 : 0), "a release is reported once");
            journal.check(waiter.told.get() <= losses, "a listener is called once at most");
            if (state == State.LOST) {
                journal.check(!waiter.listened || waiter.told.get() == 1, "a listener is called once");
                journal.check(handle.release() == LockHandle.Release.LOST, "a lost hold stays lost");
            }
        }
    }

    /** One grant at a store that keeps it until its time is over, it is deleted, or it is released. */
    static final class OneGrant implements Grant {
        private final ManualClock clock;
        private final Journal journal;
        private final Duration lease;
        private final Validity validity;
        private final Set<Long> unanswered = new HashSet<>();
        private long endsAt;
        private boolean deleted;
        private boolean released;
        private boolean answered;

        OneGrant(ManualClock clock, Journal journal, Duration lease) {
            this.clock = clock;
            this.journal = journal;
            this.lease = lease;
            this.validity = Validity.of(clock.now(), lease);
            this.endsAt = clock.nanoTime() + lease.toNanos();
        }

        void answersThisThread(boolean answers) {
            if (answers) {
                unanswered.remove(Thread.currentThread().getId());
            } else {
                unanswered.add(Thread.currentThread().getId());
            }
        }

        boolean isGivenBack() {
            return released || answered;
        }

        boolean isDeleted() {
            return deleted;
        }

        long endsAtStore() {
            return endsAt;
        }

        void delete() {
            deleted = true;
        }

        boolean extend(Moment sent) {
            if (released || deleted || endsAt <= clock.nanoTime()) {
                return false;
            }
            endsAt = Math.max(endsAt, sent.nanoTime() + lease.toNanos());
            return true;
        }

        @Override
        public long fencingBase() {
            return 7;
        }

        @Override
        public Validity validity() {
            return validity;
        }

        @Override
        public Release release(Deadline deadline) {
            journal.check(!answered, "a release was asked for again after its answer");
            boolean there = released || (!deleted && endsAt > clock.nanoTime());
            released |= there;
            if (unanswered.contains(Thread.currentThread().getId())) {
                throw new IllegalStateException("no answer");
            }
            answered = true;
            return there ? Release.RELEASED : Release.GONE;
        }

        @Override
        public Release keep(Duration time, Deadline deadline) {
            throw new UnsupportedOperationException("no lock here has a minimum hold");
        }
    }

    /** Same operations, no opinion. */
    public static class Anything {
        public void accept() {}

        public void decline() {}

        public void giveUp() {}

        public void release(int who, boolean unanswered) {}

        public void releaseAsync(int who) {}

        public void listen(int who) {}

        public void look(int who) {}

        public void overlap() {}

        public void timePasses(int time) {}

        public void renew(int answer) {}

        public void gone() {}

        public void suspect() {}

        public void expire() {}

        public void backgroundWork() {}
    }

    /** An acquire that somebody else drives. */
    static final class Waiter extends Acquisition {
        final AtomicBoolean decided = new AtomicBoolean();
        final AtomicBoolean listens = new AtomicBoolean();
        final AtomicInteger told = new AtomicInteger();
        final AtomicReference<State> ended = new AtomicReference<>();
        volatile boolean listened;
        volatile Handle held;

        Waiter(LockKey key, ThreadlessEngine client) {
            super(key, Patience.untilHeld(SETTINGS, client.clock), client.acquisitions);
        }

        @Override
        void settled() {
            wake();
        }

        @Override
        void wake() {}

        @Override
        long threadId() {
            return NO_THREAD;
        }

        @Override
        String threadName() {
            return "waiter";
        }

        /** The model checker changes identity hash codes between the constructor of a model and its operations. */
        @Override
        public int hashCode() {
            return 1;
        }

        @Override
        public boolean equals(Object other) {
            return this == other;
        }
    }

    /** What was seen, by a listener of the client and by the operations. Tokens are known by their passes. */
    static final class Journal implements LockListener {
        private static final int TOKENS = 256;

        final int[] acquired = new int[TOKENS];
        final int[] lost = new int[TOKENS];
        final int[] released = new int[TOKENS];
        private String violation;

        /** Kept until the end, because the engine catches what callbacks and background work throw. */
        void check(boolean holds, String otherwise) {
            if (!holds && violation == null) {
                violation = otherwise;
            }
        }

        void throwIfAny() {
            if (violation != null) {
                throw new AssertionError(violation);
            }
        }

        static int pass(long token) {
            return (int) token & (TOKENS - 1);
        }

        @Override
        public void acquired(LockEvent event) {
            acquired[pass(event.fencingToken())]++;
        }

        @Override
        public void lost(LockEvent event, LossReason reason) {
            lost[pass(event.fencingToken())]++;
        }

        @Override
        public void released(LockEvent event, LockHandle.Release outcome) {
            released[pass(event.fencingToken())]++;
        }
    }

    /** A backend for tests that bring their own grants. */
    static class NoStore implements LockBackend {
        /** How many contenders have not been forgotten, or which were forgotten twice if this is negative. */
        final AtomicInteger remembered = new AtomicInteger();

        private LockClock clock;

        @Override
        public Set<Capability> capabilities() {
            return Set.of(Capability.FAIR);
        }

        @Override
        public Contender contend(LockRequest request, Signals signals) {
            remembered.incrementAndGet();
            return new Contender() {
                @Override
                public Attempt attempt(Deadline deadline) {
                    return Attempt.busy(Duration.ofHours(1));
                }

                @Override
                public void withdraw(Deadline deadline) {}

                @Override
                public void forget() {
                    remembered.decrementAndGet();
                }
            };
        }

        @Override
        public void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {}

        @Override
        public Duration expiry(LockRequest request) {
            return request.lease();
        }

        @Override
        public LockClock clock() {
            return clock;
        }

        @Override
        public void close() {}
    }

    /** A clock that moves when it is told to, and keeps the engine's background work until somebody runs it. */
    static final class ManualClock implements LockClock {
        private final AtomicLong nanos = new AtomicLong();
        private final ConcurrentLinkedQueue<Runnable> works = new ConcurrentLinkedQueue<>();
        /** What happens before work is given to a thread. */
        volatile Runnable tracking = () -> {};

        void advance(long by) {
            nanos.addAndGet(by);
        }

        void runOne() {
            Runnable work = works.poll();
            if (work != null) {
                work.run();
            }
        }

        boolean hasWork() {
            return !works.isEmpty();
        }

        void runAll() {
            for (Runnable work = works.poll(); work != null; work = works.poll()) {
                work.run();
            }
        }

        @Override
        public long nanoTime() {
            return nanos.get();
        }

        @Override
        public long wallMillis() {
            return nanos.get() / 1_000_000;
        }

        @Override
        public Moment now() {
            long now = nanos.get();
            return new Moment(now, now / 1_000_000);
        }

        @Override
        public Parker parker() {
            throw new AssertionError("nobody waits here");
        }

        @Override
        public Runnable track(Runnable work) {
            tracking.run();
            works.add(work);
            return () -> {};
        }
    }

    /**
     * The parts of an engine that starts no thread. Its timer is never started, its pools get no threads, so that they
     * only queue, and its callbacks run on the calling thread.
     */
    static final class ThreadlessEngine {
        final ManualClock clock = new ManualClock();
        final LeaseKeeper keeper;
        final Work.Shared shared;
        final LocalQueues queues;
        final Acquisition.Shared acquisitions;

        ThreadlessEngine(NoStore store, LockListener listener) {
            store.clock = clock;
            ClientLog log = new ClientLog("client");
            takeThreads(log, "thread");
            Timer timer = new Timer("client", clock, log);
            shared = new Work.Shared("client", clock, timer, log);
            Requests requests = new Requests(SETTINGS, clock);
            Work releaseThreads = Work.bounded(1, "release", shared);
            takeThreads(releaseThreads, "threads");
            Callbacks callbacks = new Callbacks(null, List.of(listener), List.of(), shared);
            // Without threads of their own, callbacks run where they are.
            ((Work) read(callbacks, "threads")).shutdown();
            CleanUp cleanUp = new CleanUp(store, SETTINGS, shared);
            takeThreads(read(cleanUp, "threads"), "threads");
            keeper = new LeaseKeeper(store, SETTINGS, shared, () -> {});
            keeper.lookBy(-1);
            Lease.Shared leases = new Lease.Shared(
                    SETTINGS,
                    clock,
                    timer,
                    keeper,
                    new Releases(store, SETTINGS, requests, cleanUp, releaseThreads, shared),
                    new RequestedRenewals(store, SETTINGS, requests, keeper),
                    callbacks,
                    log,
                    new ReferenceQueue<>(),
                    new AtomicLong());
            queues = new LocalQueues(
                    new LocalQueue.Shared(store, "client", keeper, cleanUp, leases), new Lifecycle("client"));
            Deadlocks deadlocks = new Deadlocks(queues, clock, callbacks, log);
            acquisitions = new Acquisition.Shared(queues, clock, requests, callbacks, deadlocks, false);
        }

        /** Runs what the timer would have run by now. */
        void runTimer() {
            List<Timer.Entry> due = timed().stream()
                    .filter(entry -> entry.nanoTime() - clock.nanoTime() <= 0)
                    .toList();
            due.forEach(Timer.Entry::cancel);
            due.forEach(entry -> ((Runnable) read(entry, "task")).run());
        }

        /** Returns what the timer has to do, the first entry first. */
        @SuppressWarnings("unchecked")
        Collection<Timer.Entry> timed() {
            return (Collection<Timer.Entry>) read(shared.timer(), "entries");
        }

        /** Returns whether no acquire has left anything in the client. */
        boolean isUnused() {
            return ((Map<?, ?>) read(queues, "queues")).isEmpty();
        }

        private static void takeThreads(Object owner, String pool) {
            ((ThreadPoolExecutor) read(owner, pool)).setThreadFactory(task -> null);
        }

        static Object read(Object object, String field) {
            try {
                var declared = object.getClass().getDeclaredField(field);
                declared.setAccessible(true);
                return declared.get(object);
            } catch (ReflectiveOperationException e) {
                throw new LinkageError(e.getMessage(), e);
            }
        }
    }
}

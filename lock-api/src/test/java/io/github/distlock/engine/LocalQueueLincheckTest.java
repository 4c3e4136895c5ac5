package io.github.distlock.engine;

import static org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt.forClasses;

import io.github.distlock.LockHandle;
import io.github.distlock.LockListener;
import io.github.distlock.LockOptions;
import io.github.distlock.engine.HoldLincheckTest.NoStore;
import io.github.distlock.engine.HoldLincheckTest.ThreadlessEngine;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.BooleanGen;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The local queue under all interleavings that a bounded model check reaches: the real {@link LocalQueue},
 * {@link Place} and {@link Acquisition#advance} of three waiters and a single try, over a fake store with one lock and
 * a queue.
 *
 * <p>Operations enter, ask, give up, release and pass. One grant never has two holders, a contender is used as its
 * contract says, and when all has come to rest, then every waiter has been served <em>without time having passed</em>:
 * a waiter goes on only when it was woken, so one that nobody wakes is found. There is nothing to linearize, so the
 * sequential specification is empty: an operation that throws is the failure.
 *
 * <p>The engine has no threads here ({@link ThreadlessEngine}); its background work is an operation of its own.
 */
@Tag("long")
@Execution(ExecutionMode.CONCURRENT)
class LocalQueueLincheckTest {

    @Test
    void v2_noWaiterIsForgottenAndNoGrantHasTwoHolders() {
        options().threads(2).actorsPerThread(4).iterations(1).check(Model.class);
    }

    @Test
    void v2_noWaiterIsForgottenAndNoGrantHasTwoHoldersOnThreeThreads() {
        options().threads(3).actorsPerThread(3).iterations(1).check(Model.class);
    }

    private static ModelCheckingOptions options() {
        return HoldLincheckTest.patient(new ModelCheckingOptions())
                .actorsBefore(2)
                .actorsAfter(0)
                .invocationsPerIteration(50 * HoldLincheckTest.EFFORT)
                .minimizeFailedScenario(false)
                .sequentialSpecification(Anything.class)
                .addGuarantee(forClasses(Line.class.getName()).allMethods().ignore())
                .addGuarantee(
                        forClasses(Model.class.getName()).methods("comeToRest").ignore());
    }

    /** Acquires 0 to 2 wait, 3 tries once. */
    @Param(name = "who", gen = IntGen.class, conf = "0:3")
    @Param(name = "waiter", gen = IntGen.class, conf = "0:2")
    @Param(name = "answered", gen = BooleanGen.class)
    public static class Model {
        private static final long PASSING_ENDS = Duration.ofMillis(25).toNanos();

        private final Line line = new Line();
        private final OneLock store = new OneLock(line);
        final ThreadlessEngine client = new ThreadlessEngine(store, new LockListener() {});
        private final LockKey key =
                new LockKey("lock", LockMode.EXCLUSIVE, LockOptions.defaults().renewedLease(OneLock.LEASE));
        private final Caller[] callers = {new Caller(), new Caller(), new Caller(), new Caller()};
        private final AtomicInteger inside = new AtomicInteger();
        private volatile long newestToken;

        /** Enters, if it has not yet, and goes on until it would sleep. */
        @Operation
        public void go(@Param(name = "who") int who) {
            go(callers[who], who == 3);
        }

        private void go(Caller caller, boolean once) {
            if (!caller.runs.compareAndSet(false, true)) {
                return;
            }
            Waiter waiter = caller.waiter;
            if (waiter == null) {
                waiter = new Waiter(key, client, once);
                waiter.enter();
                caller.waiter = waiter;
            }
            while (!waiter.hasOutcome() && waiter.isAwake()) {
                advance(waiter);
            }
            if (waiter.hasOutcome() && !caller.done) {
                if (waiter.outcome() instanceof Outcome.Offered offered) {
                    take(caller, waiter, offered.handle());
                }
                caller.done = true;
            }
            caller.runs.set(false);
        }

        private static void advance(Waiter waiter) {
            waiter.woken = false;
            try {
                waiter.sleepsUntil = waiter.advance();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        private void take(Caller caller, Waiter waiter, Handle offered) {
            if (caller.declines) {
                offered.hold().decline();
            } else {
                line.check(waiter.accept(offered), "a hold ended by itself");
                line.check(inside.incrementAndGet() == 1, "one grant, two holders");
                line.check(offered.fencingToken() > newestToken, "tokens rise");
                newestToken = offered.fencingToken();
                caller.held = offered;
            }
        }

        @Operation
        public void release() {
            for (Caller caller : callers) {
                release(caller);
            }
        }

        private void release(Caller caller) {
            Handle held = caller.held;
            if (held != null && caller.released.compareAndSet(false, true)) {
                inside.decrementAndGet();
                line.check(held.release() == LockHandle.Release.RELEASED, "a release that went wrong");
            }
        }

        /** A time-out, an interrupt or a cancellation, from any thread. */
        @Operation
        public void giveUp(@Param(name = "who") int who) {
            Waiter waiter = callers[who].waiter;
            if (waiter != null) {
                waiter.settle(Outcome.Ended.WITHDRAWN);
            }
        }

        /** It does not want what it will get: an interrupt that was seen too late. */
        @Operation
        public void willDecline(@Param(name = "waiter") int who) {
            callers[who].declines = true;
        }

        /** The store's next answer is lost on its way. */
        @Operation
        public void loseAnswer(@Param(name = "answered") boolean granted) {
            line.loseAnswer(granted);
        }

        @Operation
        public void passingEnds() {
            client.clock.advance(PASSING_ENDS);
        }

        @Operation
        public void suspect() {
            Spot holder = line.holder();
            if (holder != null) {
                holder.signals.suspect();
            }
        }

        @Operation
        public void backgroundWork() {
            client.clock.runOne();
        }

        @Validate
        public void endsWell() {
            comeToRest();
        }

        /** Alone by now, so the model checker need not follow. */
        private void comeToRest() {
            line.answerAll();
            while (everybodyGoesOn()) {
                client.clock.runAll();
            }
            if (line.hasLostAnswers()) {
                // After an error there is a pause before the store is asked again.
                client.clock.advance(Duration.ofSeconds(1).toNanos());
                while (everybodyGoesOn()) {
                    client.clock.runAll();
                }
            }
            for (Caller caller : callers) {
                line.check(caller.waiter == null || caller.done, "a waiter was forgotten");
            }
            line.check(inside.get() == 0, "a hold without an end");
            line.check(line.isEmpty(), "something stays at the store");
            line.check(client.isUnused(), "a queue that nobody uses stays");
            line.check(store.remembered.get() == 0, "the backend has to remember a contender");
            line.throwIfAny();
        }

        private boolean everybodyGoesOn() {
            boolean any = client.clock.hasWork();
            for (int who = 0; who < callers.length; who++) {
                Caller caller = callers[who];
                Waiter waiter = caller.waiter;
                if (caller.held != null && !caller.released.get()) {
                    any = true;
                    release(caller);
                } else if (waiter != null && !caller.done && (waiter.isAwake() || waiter.hasOutcome())) {
                    any = true;
                    go(caller, who == 3);
                }
            }
            return any;
        }
    }

    /** A thread that acquires once. */
    static final class Caller {
        final AtomicBoolean runs = new AtomicBoolean();
        final AtomicBoolean released = new AtomicBoolean();
        volatile @Nullable Waiter waiter;
        volatile boolean declines;
        volatile @Nullable Handle held;
        volatile boolean done;
    }

    /** An acquire that remembers whether it was woken. */
    static final class Waiter extends Acquisition {
        volatile boolean woken = true;
        volatile long sleepsUntil;

        Waiter(LockKey key, ThreadlessEngine client, boolean once) {
            super(key, patience(client.clock, once), client.acquisitions);
        }

        private static Patience patience(LockClock clock, boolean once) {
            return once
                    ? Patience.oneTry(HoldLincheckTest.SETTINGS, clock)
                    : Patience.untilHeld(HoldLincheckTest.SETTINGS, clock);
        }

        boolean isAwake() {
            return woken || sleepsUntil - shared.clock().nanoTime() <= 0;
        }

        @Override
        void settled() {
            wake();
        }

        @Override
        void wake() {
            woken = true;
        }

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

    /** A store with one lock, on the engine's side of the wire. */
    static final class OneLock extends NoStore {
        static final Duration LEASE = Duration.ofHours(1);

        private final Line line;

        OneLock(Line line) {
            this.line = line;
        }

        @Override
        public Contender contend(LockRequest request, Signals signals) {
            remembered.incrementAndGet();
            return new Spot(this, request.waits(), signals);
        }
    }

    /** A place, which sees to its contract: one call at a time, none after the end. */
    static final class Spot implements Contender {
        final Signals signals;
        private final OneLock store;
        private final boolean waits;
        private final AtomicBoolean inUse = new AtomicBoolean();
        private volatile boolean over;

        Spot(OneLock store, boolean waits, Signals signals) {
            this.store = store;
            this.waits = waits;
            this.signals = signals;
        }

        @Override
        public Attempt attempt(Deadline deadline) {
            begin();
            long base = store.line.ask(this, waits);
            Attempt answer = Attempt.busy(Duration.ofHours(1));
            if (base > 0) {
                over = true;
                answer = Attempt.granted(
                        new OneGrant(this, base, Validity.of(store.clock().now(), OneLock.LEASE)));
            }
            inUse.set(false);
            if (base < 0) {
                throw new IllegalStateException("no answer");
            }
            return answer;
        }

        @Override
        public void withdraw(Deadline deadline) {
            begin();
            over = true;
            inUse.set(false);
            wake(store.line.remove(this));
        }

        @Override
        public void forget() {
            store.remembered.decrementAndGet();
        }

        private void begin() {
            store.line.check(inUse.compareAndSet(false, true), "a contender was used by two at once");
            store.line.check(!over, "a contender was used after its end");
        }

        void free() {
            wake(store.line.free(this));
        }

        private static void wake(@Nullable Spot next) {
            if (next != null) {
                next.signals.wakeUp();
            }
        }
    }

    record OneGrant(Spot spot, long fencingBase, Validity validity) implements Grant {
        @Override
        public Release release(Deadline deadline) {
            spot.store.line.check(spot.store.line.holder() == spot, "a grant was released that is no longer there");
            spot.free();
            return Release.RELEASED;
        }

        @Override
        public Release keep(Duration time, Deadline deadline) {
            throw new UnsupportedOperationException("no lock here has a minimum hold");
        }
    }

    /** The store's own side: each method is one step. And what went wrong, kept until the end. */
    static final class Line {
        private final List<Spot> waiting = new ArrayList<>();
        private @Nullable Spot holder;
        private long lastBase;
        private int answersToLose;
        private boolean grantsToLose;
        private boolean lostAnswers;
        private @Nullable String violation;

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

        void loseAnswer(boolean granted) {
            answersToLose = 1;
            grantsToLose = granted;
        }

        void answerAll() {
            answersToLose = 0;
        }

        boolean hasLostAnswers() {
            return lostAnswers;
        }

        @Nullable
        Spot holder() {
            return holder;
        }

        boolean isEmpty() {
            return holder == null && waiting.isEmpty();
        }

        /** A base, 0 for busy, or less when there is no answer. */
        long ask(Spot spot, boolean waits) {
            boolean lost = answersToLose > 0;
            if (lost && !grantsToLose) {
                return loseIt();
            }
            if (holder == null && (waiting.isEmpty() || waiting.get(0) == spot)) {
                waiting.remove(spot);
                holder = spot;
                lastBase++;
            }
            if (holder != spot && waits && !waiting.contains(spot)) {
                waiting.add(spot);
            }
            return lost ? loseIt() : holder == spot ? lastBase : 0;
        }

        private long loseIt() {
            answersToLose--;
            lostAnswers = true;
            return -1;
        }

        /** Returns who is to be told. */
        @Nullable
        Spot remove(Spot spot) {
            waiting.remove(spot);
            return holder == spot || holder == null ? free(spot) : null;
        }

        @Nullable
        Spot free(Spot spot) {
            if (holder == spot) {
                holder = null;
            }
            return holder != null || waiting.isEmpty() ? null : waiting.get(0);
        }
    }

    /** Same operations, no opinion. */
    public static class Anything {
        public void go(int who) {}

        public void release() {}

        public void giveUp(int who) {}

        public void willDecline(int who) {}

        public void loseAnswer(boolean granted) {}

        public void passingEnds() {}

        public void suspect() {}

        public void backgroundWork() {}
    }
}

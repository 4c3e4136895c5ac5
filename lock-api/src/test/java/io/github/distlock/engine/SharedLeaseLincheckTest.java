package io.github.distlock.engine;

import static org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt.forClasses;

import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockOptions;
import io.github.distlock.engine.HoldLincheckTest.Journal;
import io.github.distlock.engine.HoldLincheckTest.NoStore;
import io.github.distlock.engine.HoldLincheckTest.ThreadlessEngine;
import io.github.distlock.engine.HoldLincheckTest.Waiter;
import io.github.distlock.engine.Outcome.Ended;
import io.github.distlock.engine.Outcome.Offered;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
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
 * A lease that readers share, under all interleavings that a bounded model check reaches: the real {@link LocalQueue},
 * {@link Lease}, {@link Holds} and {@link Hold} over one grant of a fake store.
 *
 * <p>At the beginning reader 0 holds. Readers join, release and decline; the store signals a loss, or that another
 * client waits; time passes. The grant is given back once, never under a holder, and no hold is lost without a cause.
 * As in {@link HoldLincheckTest}, the engine has no threads and the sequential specification is empty.
 */
@Tag("long")
@Execution(ExecutionMode.CONCURRENT)
class SharedLeaseLincheckTest {

    @Test
    void s5_theLastReaderReleasesAndNobodyJoinsAfterIt() {
        options().threads(2).actorsPerThread(4).iterations(2).check(Model.class);
    }

    @Test
    void s5_theLastReaderReleasesAndNobodyJoinsAfterItOnThreeThreads() {
        options().threads(3).actorsPerThread(2).iterations(2).check(Model.class);
    }

    private static ModelCheckingOptions options() {
        return HoldLincheckTest.patient(new ModelCheckingOptions())
                .actorsBefore(1)
                .actorsAfter(0)
                .invocationsPerIteration(50 * HoldLincheckTest.EFFORT)
                .minimizeFailedScenario(false)
                .sequentialSpecification(Anything.class)
                .addGuarantee(
                        forClasses(SharedGrant.class.getName()).allMethods().ignore())
                .addGuarantee(forClasses(Journal.class.getName()).allMethods().ignore())
                .addGuarantee(forClasses(Model.class.getName())
                        .methods("bringToItsEnd")
                        .ignore());
    }

    /** Three readers of one client, and one grant. */
    @Param(name = "who", gen = IntGen.class, conf = "0:2")
    @Param(name = "joiner", gen = IntGen.class, conf = "1:2")
    @Param(name = "time", gen = IntGen.class, conf = "0:2")
    public static class Model {
        private static final Duration LEASE = Duration.ofSeconds(10);
        private static final Duration MAXIMUM_HOLD = Duration.ofSeconds(5);
        private static final long[] STEPS = {Duration.ofMillis(30).toNanos(), MAXIMUM_HOLD.toNanos(), LEASE.toNanos()};

        private final Journal journal = new Journal();
        final ThreadlessEngine client = new ThreadlessEngine(new NoStore(), journal);
        private final LockKey key = new LockKey(
                "lock",
                LockMode.READ,
                LockOptions.defaults().renewedLease(LEASE).maximumHold(MAXIMUM_HOLD));
        private final List<Reader> readers = new ArrayList<>();
        private final SharedGrant grant = new SharedGrant(journal, readers, Validity.of(client.clock.now(), LEASE));
        private final QueueEntry entry;
        private volatile boolean mayBeLost;

        public Model() {
            for (int i = 0; i < 3; i++) {
                readers.add(new Reader(new Waiter(key, client)));
            }
            Waiter first = readers.get(0).waiter;
            LocalQueue queue = client.queues.get(key);
            first.enter();
            entry = queue.claim(first, client.clock.nanoTime()).entry();
            Lease lease = queue.granted(entry, first, grant);
            first.settle(new Offered(lease.offer()));
            take(readers.get(0));
        }

        /** Joins, or waits for the store, which answers busy. */
        @Operation
        public void join(@Param(name = "joiner") int who) {
            Reader reader = readers.get(who);
            if (reader.started.compareAndSet(false, true)) {
                reader.waiter.enter();
                advance(reader.waiter);
                take(reader);
            }
        }

        private static void advance(Waiter waiter) {
            try {
                var unused = waiter.advance();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        private void take(Reader reader) {
            Waiter waiter = reader.waiter;
            if (waiter.outcome() instanceof Offered offer && waiter.decided.compareAndSet(false, true)) {
                Handle offered = offer.handle();
                if (reader.declines) {
                    offered.hold().decline();
                } else if (waiter.accept(offered)) {
                    journal.check(Journal.pass(offered.fencingToken()) == 0, "readers that share have one token");
                    waiter.held = offered;
                }
            }
        }

        @Operation
        public void willDecline(@Param(name = "joiner") int who) {
            readers.get(who).declines = true;
        }

        @Operation
        public void release(@Param(name = "who") int who) {
            Handle held = readers.get(who).waiter.held;
            if (held != null) {
                LockHandle.Release released = held.release();
                journal.check(!held.isHeld(), "a hold goes on after its release");
                journal.check(mayBeLost || released == LockHandle.Release.RELEASED, "lost without a cause");
            }
        }

        @Operation
        public void look(@Param(name = "who") int who) {
            Handle held = readers.get(who).waiter.held;
            if (held != null) {
                boolean over = grant.isGivenBack();
                journal.check(!held.isHeld() || !over, "a hold goes on after its grant was given back");
            }
        }

        @Operation
        public void gone() {
            mayBeLost = true;
            grant.delete();
            entry.gone();
        }

        @Operation
        public void wanted() {
            entry.wanted();
        }

        @Operation
        public void timePasses(@Param(name = "time") int time) {
            mayBeLost |= time > 0;
            client.clock.advance(STEPS[time]);
        }

        @Operation
        public void backgroundWork() {
            client.clock.runOne();
        }

        @Validate
        public void endsWell() {
            bringToItsEnd();
        }

        /** Alone by now, so the model checker need not follow. */
        private void bringToItsEnd() {
            for (Reader reader : readers) {
                Handle held = reader.waiter.held;
                if (held != null) {
                    journal.check(!held.isHeld() || !grant.isGivenBack(), "the grant was given back under a holder");
                    held.release();
                    journal.check(mayBeLost || held.state() == State.RELEASED, "lost without a cause");
                } else if (reader.started.get()) {
                    reader.waiter.settle(Ended.WITHDRAWN);
                }
            }
            client.clock.runAll();
            journal.check(grant.isGivenBack() || grant.isDeleted(), "the grant stays at the store");
            journal.check(client.isUnused(), "a queue that nobody uses stays");
            journal.throwIfAny();
        }
    }

    /** A thread that reads once. */
    static final class Reader {
        final Waiter waiter;
        final AtomicBoolean started = new AtomicBoolean();
        volatile boolean declines;

        Reader(Waiter waiter) {
            this.waiter = waiter;
        }
    }

    /** The grant, which must not be given back under a holder. */
    static class SharedGrant implements Grant {
        private final Journal journal;
        private final List<Reader> readers;
        private final Validity validity;
        private boolean givenBack;
        private boolean deleted;

        SharedGrant(Journal journal, List<Reader> readers, Validity validity) {
            this.journal = journal;
            this.readers = readers;
            this.validity = validity;
        }

        boolean isGivenBack() {
            return givenBack;
        }

        boolean isDeleted() {
            return deleted;
        }

        void delete() {
            deleted = true;
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
            journal.check(!givenBack, "the grant was given back twice");
            for (Reader reader : readers) {
                Handle held = reader.waiter.held;
                journal.check(held == null || !held.isHeld(), "the grant was given back under a holder");
            }
            givenBack = true;
            return deleted ? Release.GONE : Release.RELEASED;
        }

        @Override
        public Release keep(Duration time, Deadline deadline) {
            throw new UnsupportedOperationException("no lock here has a minimum hold");
        }
    }

    /** Same operations, no opinion. */
    public static class Anything {
        public void join(int who) {}

        public void willDecline(int who) {}

        public void release(int who) {}

        public void look(int who) {}

        public void gone() {}

        public void wanted() {}

        public void timePasses(int time) {}

        public void backgroundWork() {}
    }
}

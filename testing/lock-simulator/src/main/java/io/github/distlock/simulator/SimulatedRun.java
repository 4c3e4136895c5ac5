package io.github.distlock.simulator;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.history.HistoryRule;
import io.github.distlock.tests.history.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Runs a plan: processes work and faults strike, then all ends, and the rules are checked. */
final class SimulatedRun {
    private static final long SECOND = 1_000_000_000L;
    /** For the timeout of an outage, and for the holds and waiters at the end. */
    private static final long ENDING = 90 * SECOND;
    /** What heartbeats and their timeouts need to notice a fault. */
    private static final long SETTLING = 5 * SECOND;

    /** For a few round trips, if none of their messages is slow. */
    private static final long WAKING = SECOND;
    /** A client may keep a sticky lock for a second (V11). */
    private static final long GIVING_BACK = SECOND + SECOND / 5;

    private static final long FAST = 500_000;
    private static final long FOREVER = Long.MAX_VALUE / 2;

    private final Plan plan;
    private final Simulation simulation;
    private final Network network;
    private final SimulatedStore store;
    private final Records records;
    private final Exceptions exceptions;
    private final List<SimulatedMember> members = new ArrayList<>();
    private final StoreFactory stores;
    private final @Nullable Consumer<String> trace;
    private long numbers;
    private boolean finishing;
    /** The second run, in which the copy of a process goes on. */
    private @Nullable SimulatedRun second;

    /** In a second run: the fault until which it repeats the first one. */
    private Plan.@Nullable Fault repeatedUntil;

    private boolean isRepeated;

    /**
     * What a run has shown.
     *
     * @param violations the rules that it has broken
     * @param excepted the rules that it has broken as the guarantees say, after a fault beyond the stated bounds
     * @param hash of all steps
     * @param history a hash of what users have seen
     */
    record Result(
            List<Violation> violations,
            List<Violation> excepted,
            long hash,
            long history,
            long steps,
            long nanos,
            long grants,
            long losses,
            long heldNanos) {}

    /** Makes the store of a run. */
    interface StoreFactory {
        SimulatedStore create(Simulation simulation, Network network);
    }

    private SimulatedRun(Plan plan, @Nullable Consumer<String> trace, StoreFactory stores) {
        this.plan = plan;
        this.trace = trace;
        this.stores = stores;
        simulation = new Simulation(plan.schedule(), trace);
        network = new Network(simulation, plan.latency());
        store = stores.create(simulation, network);
        records = new Records(simulation);
        exceptions = new Exceptions(plan.longestValidity().toNanos());
    }

    static Result run(Plan plan, @Nullable Consumer<String> trace) {
        return run(plan, trace, (simulation, network) -> Stores.create(plan, simulation, network));
    }

    static Result run(Plan plan, @Nullable Consumer<String> trace, StoreFactory stores) {
        return new SimulatedRun(plan, trace, stores).run();
    }

    private void begin() {
        simulation.interfere(plan.interference());
        if (plan.excluded().equals(Faults.DRIFT)) {
            exceptions.clocksDrift();
        }
        if (showsLateGrants()) {
            FreeLocks locks = new FreeLocks(
                    WAKING, WAKING + GIVING_BACK, what -> records.violation(HistoryRule.FREE_LOCKS_ARE_GRANTED, what));
            records.lookAt(locks, store.longestExpiry().toNanos() + SETTLING);
        }
        plan.processes().forEach(settings -> start(settings, 0));
        plan.faults().forEach(fault -> simulation.at(fault.at(), () -> strike(fault)));
    }

    /** Returns whether only the product, or a fault of this plan, can let a waiter wait for what is free. */
    private boolean showsLateGrants() {
        Simulation.Interference interference = plan.interference();
        return store.wakesWaitersAtOnce()
                && plan.keeps() == 0
                && plan.latency() <= FAST
                && (interference.delay() == 0 || interference.longestDelay() <= SECOND / 100)
                && plan.processes().stream().allMatch(process -> plan.isPunctual(process.number()));
    }

    private Result run() {
        begin();
        simulation.run(plan.duration(), () -> false);
        finishing = true;
        records.disturbed(FOREVER);
        simulation.trace("CHECK", () -> "faults end, and users end their work");
        members.forEach(member -> {
            member.finish();
            member.process().resume();
        });
        network.heal();
        store.heal();
        simulation.run(plan.duration() + ending(), this::allHaveEnded);
        if (allHaveEnded()) {
            lookForLeftovers();
        } else {
            simulation.traceThreads();
            members.stream()
                    .filter(member -> !member.hasEnded())
                    .forEach(member -> records.violation(
                            HistoryRule.PROCESSES_END, member.process().name() + " does not end"));
        }
        for (SimulatedMember member : members) {
            if (!plan.isPunctual(member.place())) {
                records.history.stalled(member.number(), 0, simulation.nanoTime());
            }
            member.process()
                    .stalls()
                    .forEach(stall -> records.history.stalled(member.number(), stall.from(), stall.until()));
        }
        List<Violation> violations = new ArrayList<>();
        for (SimulatedRun each : second == null ? List.of(this) : List.of(this, second)) {
            each.simulation
                    .failures()
                    .forEach(failure -> each.records.violation(HistoryRule.FAILURES_ARE_DOCUMENTED, failure));
            violations.addAll(each.records.violations());
        }
        violations.addAll(records.history.check(Duration.ofMillis(50), Duration.ofNanos(SETTLING)));
        List<Violation> excepted = violations.stream().filter(exceptions::cover).toList();
        violations.removeAll(excepted);
        return new Result(
                violations,
                excepted,
                simulation.hash(),
                records.history.hash(),
                simulation.steps(),
                simulation.nanoTime(),
                records.grants(),
                records.losses(),
                records.heldNanos());
    }

    private long ending() {
        return ENDING + plan.lease() * 1_000_000 * 4;
    }

    private boolean allHaveEnded() {
        return members.stream().allMatch(SimulatedMember::hasEnded);
    }

    private void start(Plan.Member settings, int incarnation) {
        SimulatedMember member =
                new SimulatedMember(simulation, store, records, plan, settings, incarnation, ++numbers);
        members.add(member);
        member.start();
    }

    /** Returns the present process at a place. */
    private SimulatedMember member(int place) {
        return members.stream()
                .filter(member -> member.place() == place && !member.isCopy())
                .reduce((earlier, later) -> later)
                .orElseThrow();
    }

    private void strike(Plan.Fault fault) {
        if (isRepeated || plan.processes().stream().noneMatch(settings -> settings.number() == fault.process())) {
            return;
        }
        SimulatedMember member = member(fault.process());
        if (fault.kind().equals(SimulatedStore.COPY)) {
            if (fault.equals(repeatedUntil)) {
                isRepeated = true;
            } else if (second == null && repeatedUntil == null && !member.hasEnded()) {
                copy(fault, member);
            }
            return;
        }
        SimulatedProcess process = member.process();
        long now = simulation.nanoTime();
        long time = fault.choice() % (2 * plan.lease() * 1_000_000);
        simulation.trace("FAULT", () -> fault.number() + ": " + fault.kind() + ", " + process.name());
        switch (fault.kind()) {
            case Faults.PAUSE -> {
                process.pause();
                simulation.at(now + time, process::resume);
            }
            case Faults.CRASH -> {
                member.crash();
                records.crashed(member.number());
                restart(member, now + time);
            }
            case Faults.CLOSE -> {
                if (fault.closesUnderUsers()) {
                    member.closeUnderUsers();
                } else {
                    if (fault.closesClientLibrary() && member.closeClientLibrary()) {
                        // Its users go on for a while. The answer to the end of a session may be late.
                        long end = now + time / 2;
                        if (fault.choice() % 4 == 1) {
                            store.servers().forEach(server -> network.hold(server, process.name(), end));
                        }
                        simulation.at(end, member::finish);
                    } else {
                        member.finish();
                    }
                }
                restart(member, now + time);
            }
            case Faults.WALL_CLOCK -> process.stepWallClock((fault.choice() % 3 - 1) * (time / 1_000_000));
            case Faults.SILENCE -> time = silence(process.name(), fault.choice(), time);
            // In between, clients must hear that their watches are set.
            case Faults.SLOW_EVENTS -> process.slowEvents(now + time / 4);
            case Faults.THREADS -> process.failThreads((int) (fault.choice() % 4));
            default -> {
                long end = store.strike(fault.kind(), fault.choice());
                records.history.fault(0, now, end + SETTLING);
                records.disturbed(store.wakesWaitersAtOnce() ? end : FOREVER);
                exceptions.struck(store.exceptions(fault.kind()), now, end);
                return;
            }
        }
        records.history.fault(member.number(), now, now + time + SETTLING);
        records.disturbed(now + time);
    }

    /**
     * Copies a process while it runs. Its threads cannot be copied. So a second run of the plan repeats the first one
     * until now, and there only this process goes on: as a client of the servers of the first run, in the same time. It
     * may be a snapshot that is restored later.
     */
    private void copy(Plan.Fault fault, SimulatedMember member) {
        SimulatedRun other = new SimulatedRun(plan, trace == null ? null : this::traceCopy, stores);
        other.repeatedUntil = fault;
        other.begin();
        other.simulation.run(simulation.nanoTime() + 1, () -> other.isRepeated);
        if (other.simulation.hash() != simulation.hash()) {
            throw new IllegalStateException("the second run does not repeat the first one");
        }
        long now = simulation.nanoTime();
        simulation.trace("FAULT", () -> fault.number() + ": " + fault.kind() + ", " + member.process());
        second = other;
        simulation.goOnBeside(other.simulation);
        other.members.stream()
                .filter(each -> each.place() != member.place())
                .forEach(each -> each.process().crash());
        SimulatedMember copy = other.member(member.place());
        member.share();
        copy.becomeCopy(records, ++numbers);
        other.store.goOnIn(store);
        members.add(copy);
        for (SimulatedMember each : List.of(member, copy)) {
            // They share queue entries as long as they have those of now.
            records.history.fault(each.number(), now, Long.MAX_VALUE);
        }
        if (fault.choice() % 2 == 0) {
            copy.process().pause();
            simulation.at(now + fault.choice() % (2 * plan.lease() * 1_000_000), copy.process()::restore);
        }
    }

    private void traceCopy(String line) {
        if (second != null && trace != null) {
            trace.accept(line);
        }
    }

    private void restart(SimulatedMember member, long at) {
        simulation.at(at, () -> {
            if (!isRepeated && !finishing && member == member(member.place())) {
                start(
                        plan.processes().stream()
                                .filter(settings -> settings.number() == member.place())
                                .findFirst()
                                .orElseThrow(),
                        member.incarnation() + 1);
            }
        });
    }

    /**
     * Holds the messages of a process in one direction or both. If it has several servers, it often reaches some of
     * them, and the others for longer not. Returns how long this lasts.
     */
    private long silence(String process, long choice, long time) {
        SplittableRandom random = new SplittableRandom(choice);
        List<String> servers = store.servers();
        boolean reachesSome = servers.size() > 1 && random.nextBoolean();
        long length = reachesSome ? 2 * time : time;
        long until = simulation.nanoTime() + length;
        for (String server : servers) {
            if (reachesSome && random.nextBoolean()) {
                continue;
            }
            if (choice % 3 != 0) {
                network.hold(process, server, until);
            }
            if (choice % 3 != 1) {
                network.hold(server, process, until);
            }
        }
        return length;
    }

    private void lookForLeftovers() {
        long expiry =
                Math.max(plan.longestValidity().toNanos(), store.longestExpiry().toNanos());
        long last = Math.max(simulation.nanoTime(), network.lastArrival());
        simulation.run(last + expiry + 2 * SECOND, () -> false);
        store.leftovers().forEach(left -> records.violation(HistoryRule.NOTHING_IS_LEFT, left));
        SimulatedProcess prober = simulation.process("prober", plan.schedule());
        boolean[] done = {false};
        prober.start("main", () -> {
            probe(prober);
            done[0] = true;
        });
        simulation.run(simulation.nanoTime() + 60 * SECOND, () -> done[0]);
        if (!done[0]) {
            records.violation(HistoryRule.CALLS_RETURN_IN_TIME, "a new client hangs");
        }
    }

    /** Looks whether a new client can acquire each lock. */
    private void probe(SimulatedProcess prober) {
        LockBackend backend = store.backend(prober);
        Set<Capability> capabilities = backend.capabilities();
        try (LockClient client = LockClient.builder(backend)
                .name(prober.name())
                .defaultOptions(LockOptions.defaults().renewedLease(Duration.ofSeconds(5)))
                .build()) {
            for (int i = 0; i < plan.locks(); i++) {
                probe(client.lock("lock" + i));
            }
            if (capabilities.contains(Capability.READ_WRITE)) {
                probe(client.readWriteLock("shared").writeLock());
            }
            if (capabilities.contains(Capability.PERMITS)) {
                probe(client.semaphore("permits", 3).permits(3));
            }
            if (capabilities.contains(Capability.FAIR)) {
                probe(client.lock("fair"));
            }
        } catch (InterruptedException | RuntimeException e) {
            records.violation(HistoryRule.NOTHING_IS_LEFT, "a new client: " + e);
        }
    }

    private void probe(DistributedLock lock) throws InterruptedException {
        // On some stores, the delay of a lost lock begins with the next acquire.
        Duration delay = Duration.ofMillis((long) (plan.lease() * plan.longestDelay()));
        Optional<LockHandle> held = lock.tryAcquire(delay.plusSeconds(4));
        if (held.isEmpty()) {
            records.violation(HistoryRule.NOTHING_IS_LEFT, "a new client cannot acquire " + lock.name());
        } else {
            held.get().close();
        }
    }
}

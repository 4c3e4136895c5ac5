package io.github.distlock.simulator;

import io.github.distlock.DistributedLock;
import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.LockMode;
import io.github.distlock.tests.history.AcquireKind;
import io.github.distlock.tests.history.HistoryRule;
import io.github.distlock.tests.history.RecordedHistory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A thread that acquires and releases locks in a loop, and records what it sees in true time. */
final class SimulatedUser implements Runnable {
    private static final long REQUEST_TIMEOUT = Duration.ofSeconds(1).toNanos();
    /** The engine also counts by a wall clock of whole milliseconds, of which it may lose two. */
    private static final long WALL_CLOCK_STEPS = 2_000_000;

    private static final long SHORTEST_PAUSE = 1_000_000;

    private static final int LIMIT = 3;
    private static final int HASTY_HOLDS = 100;
    /** Users that take turns use a lock several times, and then rest for long. */
    private static final double OFTEN = 0.85;
    /** How much more often than usual users in most crowds read. */
    private static final int READERS = 3;

    private static final int DROPPED_ONE_OF = 8;
    private static final double LATEST_COLLECTION = 3e9;

    private final SimulatedMember member;
    private final Plan plan;
    private final int number;
    private final SplittableRandom random;
    private final List<DistributedLock> locks = new ArrayList<>();
    private final List<LockMode> modes = new ArrayList<>();
    private final List<LockOptions> options = new ArrayList<>();
    private final Duration lease;
    private final double haste;

    SimulatedUser(SimulatedMember member, Plan plan, Plan.User user, int incarnation) {
        this.member = member;
        this.plan = plan;
        this.number = user.number();
        this.random = new SplittableRandom(user.seed() + incarnation);
        this.lease = Duration.ofMillis(plan.lease());
        double usual = random.nextDouble();
        this.haste = switch (plan.crowd()) {
            case HASTY -> user.process() == 1 ? 1 : 0;
            case RECREATED -> OFTEN;
            default -> usual;
        };
        LockClient client = member.client();
        LockOptions plain = LockOptions.defaults();
        // Only users with the same options hand a lock off to each other.
        boolean alike = plan.crowd() == Plan.Crowd.HASTY;
        for (int i = 0; i < plan.locks(); i++) {
            boolean sticky = member.supports(Capability.STICKY)
                    && (alike ? plan.seed() % 4 == 0 : chance(plan.habits().sticky()));
            boolean fixed = !sticky && !alike && random.nextInt(6) == 0;
            LockOptions timed = fixed ? plain.fixedLease(lease) : plain.renewedLease(lease);
            LockOptions used = sticky ? timed.sticky() : alike ? timed : withDelays(timed);
            add(client.lock("lock" + i, used), LockMode.EXCLUSIVE, used);
        }
        if (random.nextInt(3) == 0 || plan.isCrowded()) {
            addOtherKinds(client, plain.renewedLease(lease));
        }
        if (plan.isCrowded()) {
            keepOnly(plan.only());
        }
    }

    /** Short minimum holds are more likely than long ones. */
    private LockOptions withDelays(LockOptions options) {
        if (member.supports(Capability.CHANGE_LEASE) && random.nextInt(10) == 0) {
            return options.minimumValidity(part(lease, random.nextDouble(0.2, 0.7)));
        }
        if (random.nextInt(10) == 0) {
            return options.minimumHold(part(lease, 0.001 + StrictMath.pow(random.nextDouble(), 3) / 2));
        }
        boolean delays = member.supports(Capability.LOCK_DELAY)
                && plan.delaysLocks()
                && chance(plan.habits().lockDelay());
        return delays ? options.lockDelay(part(lease, random.nextDouble(0.01, plan.longestDelay()))) : options;
    }

    private void add(DistributedLock lock, LockMode mode, LockOptions used) {
        locks.add(lock);
        modes.add(mode);
        options.add(used);
    }

    private void addOtherKinds(LockClient client, LockOptions plain) {
        if (member.supports(Capability.READ_WRITE)) {
            add(client.readWriteLock("shared", plain).readLock(), LockMode.READ, plain);
            add(client.readWriteLock("shared", plain).writeLock(), LockMode.WRITE, plain);
            boolean reads = plan.isCrowded() && plan.crowd() != Plan.Crowd.LOSING_ANSWERS;
            for (int more = 0; reads && more < READERS; more++) {
                add(client.readWriteLock("shared", plain).readLock(), LockMode.READ, plain);
            }
        }
        if (member.supports(Capability.PERMITS)) {
            // In a crowd most want one, so that several hold and several wait.
            int limit = plan.isCrowded() ? 2 : LIMIT;
            int count = plan.isCrowded() && random.nextInt(8) > 0 ? 1 : random.nextInt(1, limit + 1);
            add(client.semaphore("permits", limit, plain).permits(count), LockMode.permits(count, limit), plain);
        }
        // One thread of each process, so that the process knows whose queue entry it is.
        if (member.supports(Capability.FAIR) && number == 1) {
            add(client.lock("fair", plain.fair()), LockMode.EXCLUSIVE, plain.fair());
        }
    }

    private void keepOnly(String name) {
        for (int i = locks.size() - 1; i >= 0; i--) {
            if (!locks.get(i).name().equals(name)) {
                locks.remove(i);
                modes.remove(i);
                options.remove(i);
            }
        }
    }

    /** Records what any call but an acquire throws. Their contracts name nothing that can happen here. */
    @Override
    public void run() {
        try {
            if (plan.keeps() > 0) {
                keep();
            } else {
                useAll();
            }
        } catch (Throwable e) {
            if (member.isOfClosedClient(e)) {
                return;
            }
            member.violation(
                    HistoryRule.FAILURES_ARE_DOCUMENTED, "user " + number + " ended by " + Records.describe(e));
        }
    }

    /** Keeps many locks, whose names no other thread uses at the same time, and acquires again what is lost. */
    private void keep() {
        Map<String, Kept> kept = new LinkedHashMap<>();
        while (!member.isFinishing()) {
            for (int i = 0; i < plan.keeps() && !member.isFinishing(); i++) {
                DistributedLock lock = member.client().lock("kept-" + member.place() + "-" + number + "-" + i);
                Kept present = kept.get(lock.name());
                if (present == null || !look(present.acquire, present.held)) {
                    kept.remove(lock.name());
                    acquire(
                            lock,
                            LockMode.EXCLUSIVE,
                            AcquireKind.UNTIMED,
                            RecordedHistory.NEVER,
                            lock::acquire,
                            (acquire, held) -> {
                                boolean unused = look(acquire, held);
                                kept.put(lock.name(), new Kept(acquire, held));
                                return false;
                            });
                    kept.values().stream()
                            .mapToLong(other -> other.acquire.claimedUntil())
                            .min()
                            .ifPresent(member::hasNotLookedSince);
                }
            }
            LockSupport.parkNanos(Math.min(random.nextLong(lease.toNanos() / 2), untilNextClaimEnds(kept)));
        }
        kept.values().forEach(present -> release(present.acquire, present.held));
    }

    /** The checker knows only the claims that this thread has seen. Those of some stores are far below the lease. */
    private long untilNextClaimEnds(Map<String, Kept> kept) {
        long now = member.trueTime();
        return kept.values().stream()
                .mapToLong(present -> Math.max(SHORTEST_PAUSE, present.acquire.claimedUntil() - now))
                .min()
                .orElse(Long.MAX_VALUE);
    }

    private record Kept(Records.Acquire acquire, LockHandle held) {}

    private void useAll() {
        while (!member.isFinishing()) {
            int which = random.nextInt(locks.size());
            if (plan.only().isEmpty() || plan.only().equals(locks.get(which).name())) {
                if (requests()) {
                    member.requestRelease(number, locks.get(which).name());
                }
                use(which);
            }
            rest();
        }
    }

    /** Many users hardly rest, so that locks are contended. */
    private void rest() {
        if (random.nextDouble() > haste || (!plan.only().isEmpty() && !plan.isCrowded())) {
            int longest = plan.crowd().takesTurns() ? 7 : 5;
            LockSupport.parkNanos((long) (plan.latency() * StrictMath.exp(random.nextDouble() * longest)));
        }
    }

    private interface Acquire {
        @Nullable
        LockHandle call() throws Exception;
    }

    private void use(int which) {
        DistributedLock lock = locks.get(which);
        Duration wait = part(lease, random.nextDouble(0, 2));
        if (options.get(which).isFair()) {
            acquire(which, AcquireKind.FAIR, RecordedHistory.NEVER, lock::acquire);
            return;
        }
        int dice = random.nextInt(100);
        if (dice < 40) {
            acquire(which, AcquireKind.TIMED, limit(wait.toNanos()), () -> orNull(lock.tryAcquire(wait)));
        } else if (dice < 65) {
            acquire(which, AcquireKind.UNTIMED, RecordedHistory.NEVER, lock::acquire);
        } else if (dice < 80) {
            acquire(which, AcquireKind.TRY, limit(REQUEST_TIMEOUT), () -> orNull(lock.tryAcquire()));
        } else if (dice < 92) {
            acquire(
                    which,
                    AcquireKind.ASYNCHRONOUS,
                    RecordedHistory.NEVER,
                    () -> cancelledAfter(wait, lock.acquireAsync()));
        } else {
            acquire(which, AcquireKind.INTERRUPTED, RecordedHistory.NEVER, () -> interruptedAfter(wait, lock));
        }
    }

    private long limit(long nanos) {
        return member.trueTimeAfter(nanos);
    }

    private static @Nullable LockHandle orNull(Optional<LockHandle> answer) {
        return answer.orElse(null);
    }

    private static LockHandle cancelledAfter(Duration wait, CompletableFuture<LockHandle> future) throws Exception {
        try {
            return future.get(wait.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            future.cancel(true);
            // The acquire may have been granted before the cancellation.
            return future.get();
        }
    }

    private LockHandle interruptedAfter(Duration wait, DistributedLock lock) throws InterruptedException {
        Interrupt interrupt = member.interruptAfter(wait.toNanos());
        try {
            return lock.acquire();
        } finally {
            interrupt.cancel();
            boolean unused = Thread.interrupted();
        }
    }

    /** An interrupt of a thread at a later time. */
    interface Interrupt {
        void cancel();
    }

    /** What a thread does with a hold. Returns whether the hold is to be released then. */
    private interface Use {
        boolean use(Records.Acquire acquire, LockHandle held);
    }

    private void acquire(int which, AcquireKind kind, long limit, Acquire call) {
        LockMode mode = modes.get(which);
        acquire(locks.get(which), mode, kind, limit, call, (acquire, held) -> {
            acquire.options(options.get(which));
            requireUsualLease(acquire, held);
            requireValidity(acquire, held, options.get(which));
            listen(acquire, held);
            boolean holds = hold(acquire, held);
            if (holds && mode.equals(LockMode.WRITE) && random.nextBoolean()) {
                downgrade(acquire, held);
                return false;
            }
            return true;
        });
    }

    private void requireValidity(Records.Acquire acquire, LockHandle held, LockOptions used) {
        Duration least = used.minimumValidity().orElse(Duration.ZERO);
        Duration left = held.remaining();
        long missing = least.minus(left).toNanos() - member.slackSince(acquire.begunAt());
        if (missing > 0 && held.isHeld() && !member.wallClockHasStepped(acquire.begunAt())) {
            member.violation(
                    HistoryRule.GRANTS_ARE_VALID,
                    "a hold of " + acquire.lock + " begins with a validity of " + left + " instead of " + least);
        }
    }

    private boolean requests() {
        return member.supports(Capability.RELEASE_REQUESTS)
                && chance(plan.habits().request());
    }

    private void listen(Records.Acquire acquire, LockHandle held) {
        if (requests()) {
            member.listen(acquire, held);
        }
    }

    /** The store may keep the lock for longer because an earlier holder has asked for that. */
    private void requireUsualLease(Records.Acquire acquire, LockHandle held) {
        Duration left = held.remaining();
        // This thread may have read the clock before a stall, and the end after it.
        long more = left.minus(lease).toNanos() - member.slackSince(acquire.begunAt());
        if (member.supports(Capability.CHANGE_LEASE) && more > 0) {
            member.violation(
                    HistoryRule.EXTENSIONS_ARE_NOT_INHERITED,
                    "a hold of " + acquire.lock + " begins with a validity of " + left + " instead of at most "
                            + lease);
        }
    }

    /** Records the end of the write hold, and the read hold that a downgrade makes of it as one more acquire. */
    private void downgrade(Records.Acquire writing, LockHandle held) {
        DistributedReadWriteLock lock = member.client()
                .readWriteLock(writing.lock, LockOptions.defaults().renewedLease(lease));
        writing.release();
        Records.Acquire reading = member.downgrade(writing, held.fencingToken(), RecordedHistory.NEVER);
        acquire(
                reading,
                () -> {
                    LockHandle read = lock.downgrade(held);
                    writing.released("RELEASED");
                    return read;
                },
                (acquire, read) -> {
                    listen(acquire, read);
                    boolean unused = hold(acquire, read);
                    return true;
                });
    }

    private void acquire(DistributedLock lock, LockMode mode, AcquireKind kind, long limit, Acquire call, Use use) {
        member.stickyLocks().use(lock.name());
        acquire(member.acquire(number, lock.name(), kind, mode, limit), call, use);
    }

    private void acquire(Records.Acquire acquire, Acquire call, Use use) {
        LockHandle held;
        try {
            held = call.call();
        } catch (ExecutionException e) {
            failed(acquire, e.getCause() == null ? e : e.getCause());
            return;
        } catch (Throwable e) {
            failed(acquire, e);
            return;
        }
        if (held == null) {
            acquire.refused("busy");
            member.stickyLocks().unused(acquire.lock);
        } else {
            if (member.shares(acquire.lock, held.fencingToken())) {
                acquire.share();
            }
            acquire.granted(held.fencingToken());
            held.onLost(acquire::lost);
            if (use.use(acquire, held)) {
                if (member.dropsHandles() && random.nextInt(DROPPED_ONE_OF) == 0) {
                    drop(acquire, held);
                } else {
                    release(acquire, held);
                }
            }
        }
    }

    private void failed(Records.Acquire acquire, Throwable failure) {
        boolean isClosed = member.isOfClosedClient(failure);
        acquire.failed(failure, isClosed);
        member.stickyLocks().unused(acquire.lock);
        if (isClosed) {
            throw (IllegalStateException) failure;
        }
        if (!member.mayFailWith(failure)) {
            member.violation(
                    HistoryRule.FAILURES_ARE_DOCUMENTED,
                    "acquire " + acquire.number + " failed with " + Records.describe(failure));
        }
    }

    private void release(Records.Acquire acquire, LockHandle held) {
        acquire.release();
        acquire.released(held.release().name());
        member.stickyLocks().unused(acquire.lock);
    }

    /**
     * Short times until the collection are as likely as long ones. The hold is detached from this thread first: the
     * client would refuse the write lock to a thread that has a read hold.
     */
    private void drop(Records.Acquire acquire, LockHandle held) {
        held.detach();
        acquire.drop(held.state().name());
        member.collect(acquire, held, (long) StrictMath.exp(random.nextDouble() * StrictMath.log(LATEST_COLLECTION)));
    }

    private boolean hold(Records.Acquire acquire, LockHandle held) {
        boolean holds = look(acquire, held);
        if (plan.crowd() == Plan.Crowd.HASTY && random.nextInt(HASTY_HOLDS) > 0) {
            return holds;
        }
        boolean holdsLong = chance(plan.habits().holdsLong());
        if (!holdsLong && !plan.crowd().takesTurns() && random.nextInt(4) > 0) {
            return holds;
        }
        long hold = (long) (random.nextDouble() * (holdsLong ? 2 * lease.toNanos() : 4 * plan.latency()));
        long end = System.nanoTime() + hold;
        WarnedHold warned = chance(plan.habits().warning())
                ? member.warnBefore(part(lease, random.nextDouble(0.05, 0.95)), acquire, held)
                : null;
        while (holds && !member.isFinishing() && end - System.nanoTime() > 0) {
            LockSupport.parkNanos(Math.min(end - System.nanoTime(), Math.min(50_000_000, hold / 3 + 1)));
            holds = look(acquire, held);
            if (holds && warned != null) {
                warned.look();
            }
            if (holds && chance(plan.habits().extension())) {
                extend(held, acquire);
            }
        }
        if (!holds && look(acquire, held)) {
            member.violation(HistoryRule.LOSS_IS_REPORTED, "S8: a hold of " + acquire.lock + " is held again");
        }
        return holds;
    }

    private void extend(LockHandle held, Records.Acquire acquire) {
        Duration time = part(lease, random.nextDouble(0.2, 1.5));
        long asked = System.nanoTime();
        long askedAt = member.trueTime();
        try {
            held.extend(time);
        } catch (LockException | IllegalArgumentException e) {
            // Some stores bound an extension.
            return;
        }
        Duration left = held.remaining();
        long missing = time.toNanos() - (System.nanoTime() - asked) - left.toNanos();
        if (missing > WALL_CLOCK_STEPS && held.isHeld() && !member.wallClockHasStepped(askedAt)) {
            member.violation(
                    HistoryRule.EXTENSIONS_LAST,
                    "an extension of " + acquire.lock + " by " + time + " lacks " + missing + " ns");
        }
    }

    /** Returns whether the thread holds the lock, and records it. */
    private boolean look(Records.Acquire acquire, LockHandle held) {
        long at = member.trueTime();
        if (!held.isHeld()) {
            acquire.notHeld();
            return false;
        }
        long before = System.nanoTime();
        Duration left = held.remaining();
        acquire.held(at, member.claim(before + left.toNanos()));
        return true;
    }

    private boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    private static Duration part(Duration whole, double share) {
        return Duration.ofNanos((long) (whole.toNanos() * share));
    }
}

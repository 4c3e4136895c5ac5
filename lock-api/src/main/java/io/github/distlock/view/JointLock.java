package io.github.distlock.view;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.DistributedLock;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.ThreadOwnedLock;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Several locks as one. All clients acquire them in the same order, that of their names, so they do not wait for each
 * other in a circle. While an acquire waits for a later lock, it holds the earlier ones. If one of these is lost
 * meanwhile, or has less than the minimum validity, the acquire gives all of them back and begins again. So all are
 * held when it returns. A blocking acquire first tries to renew what has too little validity.
 */
public final class JointLock implements DistributedLock {
    private final List<DistributedLock> locks;
    private final ReentrantHolds holds;
    private final LockClock clock;

    private JointLock(List<DistributedLock> locks, ReentrantHolds holds, LockClock clock) {
        this.locks = locks;
        this.holds = holds;
        this.clock = clock;
    }

    /**
     * Makes the lock of several names.
     *
     * @param names at least one, and none null; duplicates count once
     * @param lock makes the lock of the only name
     * @param part makes one of several locks; it does not interrupt its thread on loss until all of them are held
     */
    public static DistributedLock of(
            Collection<String> names,
            Function<String, DistributedLock> lock,
            Function<String, DistributedLock> part,
            ReentrantHolds holds,
            LockClock clock) {
        TreeSet<String> sorted = new TreeSet<>();
        for (String name : requireNonNull(names, "names")) {
            sorted.add(requireNonNull(name, "names contain null"));
        }
        if (sorted.isEmpty()) {
            throw new IllegalArgumentException("names must not be empty");
        }
        if (sorted.size() == 1) {
            return lock.apply(sorted.first());
        }
        return new JointLock(sorted.stream().map(part).toList(), holds, clock);
    }

    @Override
    public String name() {
        return locks.stream().map(DistributedLock::name).collect(Collectors.joining(", "));
    }

    @Override
    public LockOptions options() {
        return locks.get(0).options();
    }

    /** How to acquire one of the locks. */
    private interface Acquire<X extends Exception> {
        Optional<LockHandle> from(DistributedLock lock) throws X;
    }

    @Override
    public LockHandle acquire() throws InterruptedException {
        return this.<InterruptedException>all(lock -> Optional.of(lock.acquire()))
                .orElseThrow();
    }

    @Override
    public LockHandle acquireUninterruptibly() {
        return this.<RuntimeException>all(lock -> Optional.of(lock.acquireUninterruptibly()))
                .orElseThrow();
    }

    @Override
    public Optional<LockHandle> tryAcquire() {
        return this.<RuntimeException>all(DistributedLock::tryAcquire);
    }

    @Override
    public Optional<LockHandle> tryAcquire(Duration maxWait) throws InterruptedException {
        Limit limit = limit(maxWait);
        return this.<InterruptedException>all(
                lock -> limit.isOver() ? Optional.empty() : lock.tryAcquire(limit.remaining()));
    }

    /** The one deadline of all locks of a timed acquire. Without a time to wait, each lock is asked once. */
    private record Limit(Duration maxWait, Deadline deadline) {
        boolean asksOnce() {
            return maxWait.isNegative() || maxWait.isZero();
        }

        boolean isOver() {
            return !asksOnce() && deadline.hasPassed();
        }

        Duration remaining() {
            return asksOnce() ? maxWait : Duration.ofNanos(deadline.remainingNanos());
        }
    }

    private Limit limit(Duration maxWait) {
        return new Limit(maxWait, Deadline.after(requireNonNull(maxWait, "maxWait"), clock));
    }

    private <X extends Exception> Optional<LockHandle> all(Acquire<X> acquire) throws X {
        while (true) {
            List<LockHandle> held = new ArrayList<>(locks.size());
            JointHandle all = null;
            try {
                for (DistributedLock lock : locks) {
                    Optional<LockHandle> granted = acquire.from(lock);
                    if (granted.isEmpty()) {
                        return Optional.empty();
                    }
                    held.add(granted.get());
                }
                if (ensureValidity(held)) {
                    held.forEach(Owned::interruptOnLoss);
                    all = new JointHandle(held);
                    return Optional.of(all);
                }
            } finally {
                if (all == null) {
                    JointHandle.giveBackAll(held);
                }
            }
        }
    }

    /** Returns whether all holds are valid for long enough, after a renewal of those that are not. */
    private boolean ensureValidity(List<LockHandle> held) {
        try {
            options().minimumValidity().ifPresent(least -> held.forEach(hold -> hold.ensure(least)));
        } catch (LockException e) {
            return false;
        }
        return areValid(held);
    }

    private boolean areValid(List<LockHandle> held) {
        Duration least = options().minimumValidity().orElse(Duration.ZERO);
        return held.stream().allMatch(hold -> hold.isHeld() && hold.remaining().compareTo(least) >= 0);
    }

    @Override
    public CompletableFuture<LockHandle> acquireAsync() {
        return new Async<LockHandle>(null, Optional::orElseThrow).start();
    }

    @Override
    public CompletableFuture<Optional<LockHandle>> tryAcquireAsync(Duration maxWait) {
        return new Async<Optional<LockHandle>>(limit(maxWait), granted -> granted).start();
    }

    /**
     * An asynchronous acquire: one lock after the other. Only one step at a time is under way, so steps need no mutex.
     * If the caller completes the future, the step under way is canceled. A step sets {@link #current} and then reads
     * whether the future is done. The caller's completion comes before its callback reads {@code current}. So one of
     * the two cancels the step.
     */
    private final class Async<T> {
        private final @Nullable Limit limit;
        private final Function<Optional<LockHandle>, T> result;
        private final CompletableFuture<T> future = new CompletableFuture<>();
        private final List<LockHandle> held = new ArrayList<>(locks.size());
        private volatile @Nullable CompletableFuture<?> current;

        private Async(@Nullable Limit limit, Function<Optional<LockHandle>, T> result) {
            this.limit = limit;
            this.result = result;
        }

        CompletableFuture<T> start() {
            var unused = future.whenComplete((value, error) -> cancelStep());
            step();
            return future;
        }

        private void cancelStep() {
            CompletableFuture<?> step = current;
            if (step != null) {
                step.cancel(false);
            }
        }

        private void step() {
            DistributedLock lock = locks.get(held.size());
            if (limit == null) {
                CompletableFuture<LockHandle> step = lock.acquireAsync();
                current = step;
                var unused = step.whenComplete((granted, error) -> answered(Optional.ofNullable(granted), error));
            } else if (limit.isOver()) {
                answered(Optional.empty(), null);
            } else {
                CompletableFuture<Optional<LockHandle>> step = lock.tryAcquireAsync(limit.remaining());
                current = step;
                var unused = step.whenComplete(
                        (granted, error) -> answered(error == null ? granted : Optional.empty(), error));
            }
            if (future.isDone()) {
                cancelStep();
            }
        }

        private void answered(Optional<LockHandle> granted, @Nullable Throwable error) {
            granted.ifPresent(held::add);
            if (future.isDone() || error != null || granted.isEmpty()) {
                JointHandle.giveBackAllAsync(held);
                if (error != null) {
                    future.completeExceptionally(error);
                } else {
                    end(Optional.empty());
                }
            } else if (held.size() < locks.size()) {
                step();
            } else if (areValid(held)) {
                JointHandle all = new JointHandle(held);
                if (!end(Optional.of(all))) {
                    var unused = all.giveBackAsync();
                }
            } else {
                JointHandle.giveBackAllAsync(List.copyOf(held));
                held.clear();
                step();
            }
        }

        @CanIgnoreReturnValue
        private boolean end(Optional<LockHandle> all) {
            return !future.isDone() && future.complete(result.apply(all));
        }
    }

    @Override
    public DistributedLock reentrant() {
        return new JointLock(locks.stream().map(DistributedLock::reentrant).toList(), holds, clock);
    }

    @Override
    public ThreadOwnedLock asLock() {
        List<String> names = locks.stream().map(DistributedLock::name).toList();
        return holds.asLock(names, reentrant());
    }

    @Override
    public String toString() {
        return "locks " + locks;
    }
}

package io.github.distlock.tests.history;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.LockMode;
import java.time.Duration;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A thread that acquires and releases locks in a loop and records what it sees. */
final class User implements Runnable {
    private static final long REQUEST_TIMEOUT = Duration.ofSeconds(1).toNanos();
    private static final long LOOK = Duration.ofMillis(30).toNanos();

    private final Worker worker;
    private final Workload.Group group;
    private final int index;
    private final boolean fair;
    private final SplittableRandom random;

    User(Worker worker, Workload.Group group, int index, SplittableRandom random) {
        this.worker = worker;
        this.group = group;
        this.index = index;
        this.fair = worker.fair && group.isFair();
        this.random = random;
    }

    @Override
    public void run() {
        while (!worker.finishing) {
            use(group.lock(index, random), group.mode(random), worker.operations.incrementAndGet());
            LockSupport.parkNanos(Workload.rest(group, worker.rest, random).toNanos());
        }
    }

    private interface Acquire {
        @Nullable
        LockHandle call() throws Exception;
    }

    private void use(String name, LockMode mode, long operation) {
        DistributedLock lock = lock(name, mode);
        Duration wait = Workload.part(worker.lease, random.nextDouble(0, 2));
        int dice = random.nextInt(100);
        if (fair) {
            worker.acquiring.put(name, operation);
            acquire(name, mode, operation, AcquireKind.FAIR, Operation.NEVER, lock::acquire);
            return;
        }
        if (dice < 45) {
            long limit = System.nanoTime() + wait.toNanos();
            acquire(name, mode, operation, AcquireKind.TIMED, limit, () -> orNull(lock.tryAcquire(wait)));
        } else if (dice < 70) {
            acquire(name, mode, operation, AcquireKind.UNTIMED, Operation.NEVER, lock::acquire);
        } else if (dice < 85) {
            long limit = System.nanoTime() + REQUEST_TIMEOUT;
            acquire(name, mode, operation, AcquireKind.TRY, limit, () -> orNull(lock.tryAcquire()));
        } else if (dice < 95) {
            acquire(
                    name,
                    mode,
                    operation,
                    AcquireKind.ASYNCHRONOUS,
                    Operation.NEVER,
                    () -> cancelledAfter(wait, lock.acquireAsync()));
        } else {
            acquire(name, mode, operation, AcquireKind.INTERRUPTED, Operation.NEVER, () -> {
                try (Interrupter interrupter = Interrupter.ofThisThread(Workload.part(wait, 0.1))) {
                    return lock.acquire();
                }
            });
        }
    }

    private DistributedLock lock(String name, LockMode mode) {
        return switch (mode.kind()) {
            case EXCLUSIVE -> worker.locks.lock(name, options());
            case READ -> worker.locks.readWriteLock(name, options()).readLock();
            case WRITE -> worker.locks.readWriteLock(name, options()).writeLock();
            case PERMITS ->
                worker.locks.semaphore(name, mode.limit(), options()).permits(mode.count());
        };
    }

    private LockOptions options() {
        LockOptions options = LockOptions.defaults().renewedLease(worker.lease);
        return fair ? options.fair() : options;
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

    private void acquire(String name, LockMode mode, long operation, AcquireKind kind, long limit, Acquire acquire) {
        write(System.nanoTime(), Event.Kind.ACQUIRE, operation, name, 0, limit, kind.word() + Mode.words(mode));
        LockHandle held = answer(name, operation, acquire);
        if (held == null) {
            return;
        }
        hold(name, operation, held);
        if (mode.equals(LockMode.WRITE) && !fair && random.nextBoolean() && held.isHeld()) {
            downgrade(name, operation, held);
        } else {
            release(name, operation, held);
        }
    }

    /** Calls an acquire, and records what it returns. */
    private @Nullable LockHandle answer(String name, long operation, Acquire acquire) {
        LockHandle held = null;
        String refusal = "busy";
        try {
            held = acquire.call();
        } catch (InterruptedException | LockException | CancellationException e) {
            refusal = e.toString();
        } catch (ExecutionException e) {
            refusal = String.valueOf(e.getCause());
        } catch (Exception e) {
            refusal = "unexpected: " + e;
        }
        long returned = System.nanoTime();
        if (held == null) {
            write(returned, Event.Kind.REFUSED, operation, name, 0, 0, refusal);
        } else {
            write(returned, Event.Kind.GRANTED, operation, name, held.fencingToken(), 0, "");
        }
        return held;
    }

    /** Records the end of the write hold, and the read hold that a downgrade makes of it as one more operation. */
    private void downgrade(String name, long operation, LockHandle writing) {
        long downgrade = worker.operations.incrementAndGet();
        long now = System.nanoTime();
        write(now, Event.Kind.RELEASE, operation, name, 0, 0, "");
        write(
                now,
                Event.Kind.ACQUIRE,
                downgrade,
                name,
                writing.fencingToken(),
                now + REQUEST_TIMEOUT,
                AcquireKind.DOWNGRADE.word() + Mode.words(LockMode.READ));
        LockHandle reading = answer(
                name,
                downgrade,
                () -> worker.locks.readWriteLock(name, options()).downgrade(writing));
        String outcome = reading == null ? "unknown" : "RELEASED";
        write(System.nanoTime(), Event.Kind.RELEASED, operation, name, 0, 0, outcome);
        if (reading != null) {
            hold(name, downgrade, reading);
            release(name, downgrade, reading);
        }
    }

    private void release(String name, long operation, LockHandle held) {
        write(System.nanoTime(), Event.Kind.RELEASE, operation, name, 0, 0, "");
        LockHandle.Release outcome = held.release();
        write(System.nanoTime(), Event.Kind.RELEASED, operation, name, 0, 0, outcome.name());
    }

    private void hold(String name, long operation, LockHandle held) {
        held.onLost(loss -> write(
                System.nanoTime(),
                Event.Kind.LOST,
                operation,
                name,
                0,
                0,
                loss.reason().name()));
        long begin = System.nanoTime();
        long time = Workload.hold(group, worker.lease, random).toNanos();
        while (look(name, operation, held)) {
            long left = time - (System.nanoTime() - begin);
            if (left <= 0 || worker.finishing) {
                break;
            }
            LockSupport.parkNanos(Math.min(left, LOOK));
        }
    }

    /**
     * Returns whether the thread holds the lock, and records it. The recorded validity counts from before the call of
     * {@code isHeld()}, so it is not longer than the one that the hold claims.
     */
    private boolean look(String name, long operation, LockHandle held) {
        long now = System.nanoTime();
        if (!held.isHeld()) {
            return false;
        }
        write(now, Event.Kind.HELD, operation, name, 0, now + held.remaining().toNanos(), "");
        return true;
    }

    private void write(long at, Event.Kind kind, long operation, String name, long token, long until, String note) {
        worker.history.write(at, kind, operation, name, token, until, note);
    }
}

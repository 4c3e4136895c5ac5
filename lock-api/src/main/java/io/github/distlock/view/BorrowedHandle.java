package io.github.distlock.view;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LockHandle;
import io.github.distlock.LockLoss;
import io.github.distlock.ReleaseRequest;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The read hold of a thread that has the write lock. It borrows the write hold, so its release asks nobody. After a
 * downgrade it owns the read hold.
 *
 * <p>Thread-safe: another thread may close a handle of the read hold.
 */
final class BorrowedHandle implements LockHandle {
    private final List<Consumer<LockLoss>> listeners = new CopyOnWriteArrayList<>();
    private final List<Warning> warnings = new CopyOnWriteArrayList<>();
    private final List<Consumer<ReleaseRequest>> requestListeners = new CopyOnWriteArrayList<>();
    private volatile Source source;
    private volatile boolean returned;

    /** The hold behind this handle. */
    private record Source(LockHandle held, boolean owned) {}

    /** An action that the hold behind this handle runs. A downgrade and its registration may come at the same time. */
    private record Warning(Duration time, Runnable action, AtomicReference<@Nullable LockHandle> registered) {
        void registerWith(LockHandle held) {
            if (registered.getAndSet(held) != held) {
                held.warnBefore(time, action);
            }
        }
    }

    BorrowedHandle(LockHandle writing) {
        this.source = new Source(writing, false);
    }

    /** Returns whether it borrows this hold. */
    boolean borrows(LockHandle writing) {
        Source present = source;
        return !returned && !present.owned && present.held == writing;
    }

    void own(LockHandle reading) {
        source = new Source(reading, true);
        listeners.forEach(reading::onLost);
        warnings.forEach(warning -> warning.registerWith(reading));
        requestListeners.forEach(reading::onReleaseRequested);
        if (returned) {
            reading.close();
        }
    }

    private LockHandle held() {
        return source.held;
    }

    @Override
    public String lockName() {
        return held().lockName();
    }

    @Override
    public long fencingToken() {
        return held().fencingToken();
    }

    @Override
    public State state() {
        State state = held().state();
        boolean isOpen = state == State.HELD || state == State.SUSPECT;
        return returned && isOpen ? State.RELEASED : state;
    }

    @Override
    public boolean isHeld() {
        return !returned && held().isHeld();
    }

    @Override
    public Duration remaining() {
        return returned ? Duration.ZERO : held().remaining();
    }

    @Override
    public void ensureHeld() {
        held().ensureHeld();
        requireNotReturned();
    }

    private void requireNotReturned() {
        if (returned) {
            throw new IllegalStateException("lock \"" + lockName() + "\" was released");
        }
    }

    @Override
    public void extend(Duration time) {
        requireNotReturned();
        held().extend(time);
    }

    @Override
    public void ensure(Duration time) {
        requireNotReturned();
        held().ensure(time);
    }

    @Override
    public void warnBefore(Duration time, Runnable action) {
        requireNonNull(time, "time");
        requireNonNull(action, "action");
        if (time.isNegative() || time.isZero()) {
            throw new IllegalArgumentException("time must be positive, but was " + time);
        }
        Runnable unlessReturned = () -> {
            if (isHeld()) {
                action.run();
            }
        };
        Warning warning = new Warning(time, unlessReturned, new AtomicReference<>());
        warnings.add(warning);
        warning.registerWith(held());
    }

    @Override
    public void onLost(Consumer<? super LockLoss> listener) {
        requireNonNull(listener, "listener");
        AtomicBoolean notified = new AtomicBoolean();
        Consumer<LockLoss> once = loss -> {
            if (notified.compareAndSet(false, true)) {
                listener.accept(loss);
            }
        };
        listeners.add(once);
        held().onLost(once);
    }

    /** If the read hold begins meanwhile, the listener may be registered twice with it. */
    @Override
    public void onReleaseRequested(Consumer<? super ReleaseRequest> listener) {
        requireNonNull(listener, "listener");
        AtomicReference<@Nullable ReleaseRequest> last = new AtomicReference<>();
        Consumer<ReleaseRequest> once = request -> {
            if (last.getAndSet(request) != request && !returned) {
                listener.accept(request);
            }
        };
        LockHandle before = held();
        before.onReleaseRequested(once);
        requestListeners.add(once);
        if (held() != before) {
            held().onReleaseRequested(once);
        }
    }

    @Override
    public Release release() {
        returned = true;
        Source present = source;
        if (present.owned) {
            return present.held.release();
        }
        return present.held.state() == State.LOST ? Release.LOST : Release.RELEASED;
    }

    @Override
    public CompletableFuture<Release> releaseAsync() {
        returned = true;
        Source present = source;
        return present.owned ? present.held.releaseAsync() : CompletableFuture.completedFuture(release());
    }

    @Override
    public void close() {
        boolean wasReturned = returned;
        returned = true;
        Source present = source;
        if (present.owned) {
            present.held.close();
        } else if (!wasReturned && present.held.state() == State.LOST) {
            present.held.ensureHeld();
        }
    }

    @Override
    public String toString() {
        return "read " + held();
    }
}

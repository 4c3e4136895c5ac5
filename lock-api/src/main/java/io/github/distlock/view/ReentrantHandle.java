package io.github.distlock.view;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LockHandle;
import io.github.distlock.LockLoss;
import io.github.distlock.ReleaseRequest;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One entry into a {@link ReentrantHold}. After the end of this entry, {@link #end} says how it ended: for the last
 * entry with the hold itself, for others while the lock stayed held or after it was lost.
 */
final class ReentrantHandle implements LockHandle, Returnable, Owned, Cancellations.Part {
    private final ReentrantHold hold;
    private final AtomicReference<@Nullable End> end = new AtomicReference<>();
    /** The mutex of the hold guards it. */
    private boolean detached;

    private enum End {
        LAST,
        INNER,
        INNER_OF_LOST
    }

    ReentrantHandle(ReentrantHold hold) {
        this.hold = hold;
    }

    private LockHandle held() {
        return hold.held();
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
        End known = end.get();
        if (known == null || known == End.LAST) {
            return held().state();
        }
        return known == End.INNER ? State.RELEASED : State.LOST;
    }

    @Override
    public boolean isHeld() {
        return end.get() == null && held().isHeld();
    }

    @Override
    public Duration remaining() {
        return end.get() == null ? held().remaining() : Duration.ZERO;
    }

    @Override
    public void ensureHeld() {
        requireNotReleased();
        held().ensureHeld();
    }

    private void requireNotReleased() {
        if (end.get() == End.INNER) {
            throw new IllegalStateException("lock \"" + lockName() + "\": this handle was released");
        }
    }

    @Override
    public void extend(Duration time) {
        requireNotReleased();
        held().extend(time);
    }

    @Override
    public void ensure(Duration time) {
        requireNotReleased();
        held().ensure(time);
    }

    @Override
    public void warnBefore(Duration time, Runnable action) {
        requireNonNull(action, "action");
        held().warnBefore(time, () -> {
            if (isHeld()) {
                action.run();
            }
        });
    }

    @Override
    public void onLost(Consumer<? super LockLoss> listener) {
        requireNonNull(listener, "listener");
        held().onLost(loss -> {
            if (!hasLeft()) {
                listener.accept(loss);
            }
        });
    }

    @Override
    public void cancelOnLoss(Future<?> future) {
        hold.cancelOnLoss(future, this);
    }

    @Override
    public boolean hasLeft() {
        return end.get() == End.INNER;
    }

    @Override
    public void interruptOnLoss() {
        Owned.interruptOnLoss(held());
    }

    @Override
    public void onReleaseRequested(Consumer<? super ReleaseRequest> listener) {
        requireNonNull(listener, "listener");
        held().onReleaseRequested(request -> {
            if (end.get() == null) {
                listener.accept(request);
            }
        });
    }

    @Override
    public void detach() {
        hold.detach(this);
    }

    /** Notes that it is detached. Returns false if it is already, or if its end comes first. */
    boolean noteDetached() {
        boolean isFirst = !detached && end.get() == null;
        detached |= isFirst;
        return isFirst;
    }

    boolean isDetached() {
        return detached;
    }

    /** Ends this entry. Returns true for the one call that does. */
    private boolean end() {
        if (end.get() != null) {
            return false;
        }
        End now = held().isHeld() ? End.INNER : End.INNER_OF_LOST;
        if (!end.compareAndSet(null, now)) {
            return false;
        }
        if (hold.exit(this)) {
            end.set(End.LAST);
        }
        return true;
    }

    private Release outcomeOfInner() {
        return end.get() == End.INNER ? Release.RELEASED : Release.LOST;
    }

    @Override
    public Release release() {
        var unused = end();
        return end.get() == End.LAST ? held().release() : outcomeOfInner();
    }

    @Override
    public CompletableFuture<Release> releaseAsync() {
        var unused = end();
        return end.get() == End.LAST ? held().releaseAsync() : CompletableFuture.completedFuture(outcomeOfInner());
    }

    @Override
    public Release giveBack() {
        var unused = end();
        return end.get() == End.LAST ? Returnable.giveBack(held()) : outcomeOfInner();
    }

    @Override
    public CompletableFuture<Release> giveBackAsync() {
        var unused = end();
        return end.get() == End.LAST
                ? Returnable.giveBackAsync(held())
                : CompletableFuture.completedFuture(outcomeOfInner());
    }

    @Override
    public void close() {
        if (!end()) {
            if (end.get() == End.LAST) {
                held().release(); // Another thread has: no interrupt on loss comes after this call.
            }
            return;
        }
        if (end.get() == End.LAST) {
            held().close();
        } else if (end.get() == End.INNER_OF_LOST) {
            held().ensureHeld();
        }
    }

    @Override
    public String toString() {
        return "reentrant " + held();
    }
}

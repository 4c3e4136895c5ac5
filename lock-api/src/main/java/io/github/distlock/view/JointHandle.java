package io.github.distlock.view;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLoss;
import io.github.distlock.LockLostException;
import io.github.distlock.ReleaseRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The holds of several locks as one. It is lost as soon as one of them is. It releases them in the reverse order of
 * their acquires.
 */
final class JointHandle implements LockHandle, Returnable {
    private final List<LockHandle> holds;

    JointHandle(List<LockHandle> holds) {
        this.holds = List.copyOf(holds);
    }

    private static List<LockHandle> reversed(List<LockHandle> holds) {
        List<LockHandle> reversed = new ArrayList<>(holds);
        Collections.reverse(reversed);
        return reversed;
    }

    /** Ends holds of an acquire that does not get all of them. */
    @CanIgnoreReturnValue
    static Release giveBackAll(List<LockHandle> holds) {
        return end(holds, Returnable::giveBack);
    }

    /** Does the same without waiting. */
    @CanIgnoreReturnValue
    static CompletableFuture<Release> giveBackAllAsync(List<LockHandle> holds) {
        return endAsync(holds, Returnable::giveBackAsync);
    }

    private static Release end(List<LockHandle> holds, Function<LockHandle, Release> end) {
        Release all = Release.RELEASED;
        for (LockHandle hold : reversed(holds)) {
            all = joint(all, end.apply(hold));
        }
        return all;
    }

    private static CompletableFuture<Release> endAsync(
            List<LockHandle> holds, Function<LockHandle, CompletableFuture<Release>> end) {
        CompletableFuture<Release> all = CompletableFuture.completedFuture(Release.RELEASED);
        for (LockHandle hold : reversed(holds)) {
            all = all.thenCombine(end.apply(hold), JointHandle::joint);
        }
        return all;
    }

    /** A loss of one is a loss of all. Otherwise what is pending for one is pending for all. */
    private static Release joint(Release one, Release other) {
        if (one == Release.LOST || other == Release.LOST) {
            return Release.LOST;
        }
        return one == Release.PENDING ? one : other;
    }

    @Override
    public String lockName() {
        return String.join(", ", lockNames());
    }

    @Override
    public List<String> lockNames() {
        return holds.stream().map(LockHandle::lockName).toList();
    }

    @Override
    public long fencingToken() {
        throw new IllegalStateException(
                "locks " + lockNames() + " have a fencing token each; use fencingToken(lockName)");
    }

    @Override
    public long fencingToken(String lockName) {
        requireNonNull(lockName, "lockName");
        return holds.stream()
                .filter(hold -> hold.lockName().equals(lockName))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "lockName must be one of " + lockNames() + ", but was \"" + lockName + "\""))
                .fencingToken();
    }

    @Override
    public State state() {
        List<State> states = holds.stream().map(LockHandle::state).toList();
        if (states.contains(State.LOST)) {
            return State.LOST;
        }
        if (states.contains(State.RELEASED)) {
            return State.RELEASED;
        }
        return states.contains(State.SUSPECT) ? State.SUSPECT : State.HELD;
    }

    @Override
    public boolean isHeld() {
        return holds.stream().allMatch(LockHandle::isHeld);
    }

    @Override
    public Duration remaining() {
        return holds.stream()
                .map(LockHandle::remaining)
                .min(Comparator.naturalOrder())
                .orElse(Duration.ZERO);
    }

    @Override
    public void ensureHeld() {
        @Nullable IllegalStateException released = null;
        for (LockHandle hold : holds) {
            try {
                hold.ensureHeld();
            } catch (IllegalStateException e) {
                // A loss of one is a loss of all, also if the others were released. A release may have found the loss.
                released = e;
            }
        }
        if (released != null) {
            throw released;
        }
    }

    @Override
    public void extend(Duration time) {
        holds.forEach(hold -> hold.extend(time));
    }

    @Override
    public void ensure(Duration time) {
        holds.forEach(hold -> hold.ensure(time));
        // The renewal of one has taken time from those before it.
        holds.forEach(hold -> hold.ensure(time));
        if (remaining().compareTo(time) < 0) {
            ensureHeld();
            throw new LockException(
                    lockName(), "not valid for " + time + ": the renewals of the locks have taken too long", null);
        }
    }

    @Override
    public void warnBefore(Duration time, Runnable action) {
        holds.forEach(hold -> hold.warnBefore(time, action));
    }

    @Override
    public void onLost(Consumer<? super LockLoss> listener) {
        requireNonNull(listener, "listener");
        AtomicBoolean notified = new AtomicBoolean();
        holds.forEach(hold -> hold.onLost(loss -> {
            if (notified.compareAndSet(false, true)) {
                listener.accept(loss);
            }
        }));
    }

    @Override
    public void cancelOnLoss(Future<?> future) {
        requireNonNull(future, "future");
        holds.forEach(hold -> hold.cancelOnLoss(future));
    }

    @Override
    public void onReleaseRequested(Consumer<? super ReleaseRequest> listener) {
        requireNonNull(listener, "listener");
        holds.forEach(hold -> hold.onReleaseRequested(listener));
    }

    @Override
    public void detach() {
        holds.forEach(LockHandle::detach);
    }

    @Override
    public Release release() {
        return end(holds, LockHandle::release);
    }

    @Override
    public CompletableFuture<Release> releaseAsync() {
        return endAsync(holds, LockHandle::releaseAsync);
    }

    @Override
    public Release giveBack() {
        return giveBackAll(holds);
    }

    @Override
    public CompletableFuture<Release> giveBackAsync() {
        return giveBackAllAsync(holds);
    }

    @Override
    public void close() {
        @Nullable LockLostException lost = null;
        for (LockHandle hold : reversed(holds)) {
            try {
                hold.close();
            } catch (LockLostException e) {
                lost = e;
            }
        }
        if (lost != null) {
            throw lost;
        }
    }

    @Override
    public String toString() {
        return holds.stream().map(LockHandle::toString).collect(Collectors.joining(", "));
    }
}

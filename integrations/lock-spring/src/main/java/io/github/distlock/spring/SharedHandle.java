package io.github.distlock.spring;

import io.github.distlock.LockHandle;
import io.github.distlock.LockLoss;
import io.github.distlock.ReleaseRequest;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The hold of several names, some of which calls around this one hold. It is lost as soon as one of them is. Its end
 * releases what the call has acquired itself, and leaves the holds of the other calls, once.
 */
final class SharedHandle implements LockHandle {
    private final List<String> names;
    private final List<LockHandle> handles;
    private final @Nullable LockHandle own;
    private final List<Hold> around;
    private final AtomicBoolean hasLeft = new AtomicBoolean();

    SharedHandle(List<String> names, @Nullable LockHandle own, List<Hold> around) {
        this.names = names.stream().distinct().sorted().toList();
        this.own = own;
        this.around = around;
        handles = Stream.concat(Stream.ofNullable(own), around.stream().map(Hold::handle))
                .toList();
    }

    @Override
    public String lockName() {
        return String.join(", ", names);
    }

    @Override
    public List<String> lockNames() {
        return names;
    }

    @Override
    public long fencingToken() {
        throw new IllegalStateException("locks " + names + " have a fencing token each; use fencingToken(lockName)");
    }

    @Override
    public long fencingToken(String lockName) {
        return handles.stream()
                .filter(handle -> names.contains(lockName) && handle.lockNames().contains(lockName))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "lockName must be one of " + names + ", but was \"" + lockName + "\""))
                .fencingToken(lockName);
    }

    @Override
    public State state() {
        List<State> states = handles.stream().map(LockHandle::state).toList();
        return Stream.of(State.LOST, State.RELEASED, State.SUSPECT)
                .filter(states::contains)
                .findFirst()
                .orElse(State.HELD);
    }

    @Override
    public boolean isHeld() {
        return handles.stream().allMatch(LockHandle::isHeld);
    }

    @Override
    public Duration remaining() {
        return handles.stream()
                .map(LockHandle::remaining)
                .min(Comparator.naturalOrder())
                .orElse(Duration.ZERO);
    }

    /** A loss of one is a loss of all, also if the others were released. */
    @Override
    public void ensureHeld() {
        handles.stream().filter(handle -> handle.state() == State.LOST).forEach(LockHandle::ensureHeld);
        handles.forEach(LockHandle::ensureHeld);
    }

    @Override
    public void extend(Duration time) {
        handles.forEach(handle -> handle.extend(time));
    }

    @Override
    public void ensure(Duration time) {
        handles.forEach(handle -> handle.ensure(time));
    }

    @Override
    public void warnBefore(Duration time, Runnable action) {
        handles.forEach(handle -> handle.warnBefore(time, action));
    }

    @Override
    public void onLost(Consumer<? super LockLoss> listener) {
        AtomicBoolean isNotified = new AtomicBoolean();
        handles.forEach(handle -> handle.onLost(loss -> {
            if (isNotified.compareAndSet(false, true)) {
                listener.accept(loss);
            }
        }));
    }

    /** A request for one of the names is a request to end the call. */
    @Override
    public void onReleaseRequested(Consumer<? super ReleaseRequest> listener) {
        handles.forEach(handle -> handle.onReleaseRequested(request -> {
            if (!hasLeft.get()) {
                listener.accept(request);
            }
        }));
    }

    @Override
    public void cancelOnLoss(Future<?> future) {
        handles.forEach(handle -> handle.cancelOnLoss(future));
    }

    @Override
    public void detach() {
        if (own != null) {
            own.detach();
        }
    }

    @Override
    public Release release() {
        leave();
        return outcome(own == null ? Release.RELEASED : own.release());
    }

    @Override
    public CompletableFuture<Release> releaseAsync() {
        leave();
        return own == null
                ? CompletableFuture.completedFuture(outcome(Release.RELEASED))
                : own.releaseAsync().thenApply(this::outcome);
    }

    private Release outcome(Release ofOwn) {
        return around.stream().anyMatch(hold -> hold.handle().state() == State.LOST) ? Release.LOST : ofOwn;
    }

    @Override
    public void close() {
        boolean isLost = !hasLeft.get() && state() == State.LOST;
        leave();
        if (own != null) {
            own.close();
        }
        if (isLost) {
            ensureHeld();
        }
    }

    private void leave() {
        if (hasLeft.compareAndSet(false, true)) {
            around.forEach(Hold::leave);
        }
    }
}

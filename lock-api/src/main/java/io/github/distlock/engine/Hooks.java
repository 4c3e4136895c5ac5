package io.github.distlock.engine;

import io.github.distlock.AcquireOutcome;
import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHook;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Runs the hooks of the application on the calling thread. Nothing that a hook throws leaves this class: after an
 * acquire, it would lose the handle. Without hooks, each method only reads a field.
 */
final class Hooks {
    private final List<LockHook> inOrder;
    private final List<LockHook> reversed;
    private final Work.Shared shared;

    Hooks(List<LockHook> hooks, Work.Shared shared) {
        List<LockHook> last = new ArrayList<>(hooks);
        Collections.reverse(last);
        this.inOrder = List.copyOf(hooks);
        this.reversed = List.copyOf(last);
        this.shared = shared;
    }

    boolean areNone() {
        return inOrder.isEmpty();
    }

    void beforeAcquire(String lockName) {
        if (!areNone()) {
            run(inOrder, hook -> hook.beforeAcquire(lockName));
        }
    }

    void beforeWait(String lockName) {
        if (!areNone()) {
            run(inOrder, hook -> hook.beforeWait(lockName));
        }
    }

    void afterAcquire(LockEvent event, AcquireOutcome outcome) {
        run(reversed, hook -> hook.afterAcquire(event, outcome));
    }

    /**
     * Runs what ends a hold, between the hooks.
     *
     * @param event the hold, with the time for which it has existed
     * @param outcome returns what is known of the release after its end
     */
    <T> T aroundRelease(LockEvent event, Supplier<T> end, Supplier<Release> outcome) {
        run(inOrder, hook -> hook.beforeRelease(event));
        try {
            return end.get();
        } finally {
            Release known = outcome.get();
            run(reversed, hook -> hook.afterRelease(event, known));
        }
    }

    private void run(List<LockHook> hooks, Consumer<LockHook> step) {
        for (LockHook hook : hooks) {
            try {
                shared.runLogged(() -> step.accept(hook));
            } catch (Throwable e) {
                // Not even a log line is possible.
            }
        }
    }
}

package io.github.distlock.engine;

import org.crac.Context;
import org.crac.Core;
import org.crac.Resource;
import org.jspecify.annotations.Nullable;

/**
 * Runs code before a checkpoint of this process and after each restore of it, by the API of CRaC, which SnapStart of
 * AWS Lambda has, too. Without that API on the class path, nothing is registered.
 */
final class CheckpointHook implements Resource {
    private final Runnable before;
    private final Runnable after;

    private CheckpointHook(Runnable before, Runnable after) {
        this.before = before;
        this.after = after;
    }

    private void register() {
        Core.getGlobalContext().register(this);
    }

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) {
        before.run();
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) {
        after.run();
    }

    /** Refers to the API only when it runs, so that the engine can be loaded without the API. */
    static final class Registration {
        private Registration() {}

        /** Returns the hook, which the caller must keep since CRaC does not, or null if there is no such API. */
        static @Nullable Object of(Runnable before, Runnable after) {
            try {
                CheckpointHook hook = new CheckpointHook(before, after);
                hook.register();
                return hook;
            } catch (NoClassDefFoundError e) {
                return null;
            }
        }
    }
}

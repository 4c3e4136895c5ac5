package io.github.distlock.spring;

import org.jspecify.annotations.Nullable;

/** How the calls of a method run under the lock. */
interface Execution {

    /** Runs a call, or starts it. */
    @Nullable
    Object execute(GuardedCall call) throws Throwable;

    /** Returns the result of a call that is skipped. */
    @Nullable
    Object skipped(GuardedCall call);
}

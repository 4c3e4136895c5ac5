package io.github.distlock.spring;

import io.github.distlock.LockClient;
import io.github.distlock.LockOptions;
import io.github.distlock.spring.DistributedLocked.Mode;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the annotation of a method says, checked. Immutable.
 *
 * @param key makes the names of a call
 * @param maxWait how long a call waits
 * @param fallback runs if the lock is busy, with {@link OnBusy#FALLBACK} only
 * @param handleIndex the index of the parameter that gets the hold, or -1
 * @param execution how calls run, which depends on the return type
 */
record MethodLock(
        LockClient client,
        Mode mode,
        LockOptions options,
        KeyTemplate key,
        Duration maxWait,
        OnBusy onBusy,
        @Nullable Method fallback,
        int handleIndex,
        Execution execution) {

    LockTarget target(List<String> names) {
        return new LockTarget(client, mode, options, names);
    }
}

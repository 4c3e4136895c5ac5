package io.github.distlock.spring;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;
import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.aop.support.AopUtils;

/** One call of a method with a lock. It can proceed several times: a publisher does so for each subscription. */
record GuardedCall(MethodLock lock, ProxyMethodInvocation invocation) {

    /**
     * Returns what the call locks.
     *
     * @throws IllegalStateException if an expression in its key results in null or blank text
     */
    LockTarget target() {
        return lock.target(lock.key().names(invocation.getThis(), invocation.getArguments()));
    }

    /** Calls the method. On this thread, {@link LockedMethod#currentHandle()} returns the hold meanwhile. */
    @Nullable
    Object proceed(Hold hold) throws Throwable {
        Object[] arguments = invocation.getArguments().clone();
        if (lock.handleIndex() >= 0) {
            arguments[lock.handleIndex()] = hold.handle();
        }
        try (ThreadHolds.Use call = ThreadHolds.call(hold)) {
            return invocation.invocableClone(arguments).proceed();
        }
    }

    /** Does what the annotation says for a busy lock. */
    @Nullable
    Object busy(LockTarget target) throws Throwable {
        return switch (lock.onBusy()) {
            case THROW -> throw new LockBusyException(target.name(), lock.maxWait());
            case SKIP -> lock.execution().skipped(this);
            case FALLBACK ->
                AopUtils.invokeJoinpointUsingReflection(
                        invocation.getThis(), requireNonNull(lock.fallback()), invocation.getArguments());
        };
    }
}

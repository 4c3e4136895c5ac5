package io.github.distlock.spring;

import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.ProxyMethodInvocation;

/** Runs each call of a method with an annotation as the {@link Execution} of its description says. */
final class LockInterceptor implements MethodInterceptor {
    private final MethodLocks locks;

    LockInterceptor(MethodLocks locks) {
        this.locks = locks;
    }

    @Override
    public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
        ProxyMethodInvocation call = (ProxyMethodInvocation) invocation;
        MethodLock lock = locks.of(call);
        return lock.execution().execute(new GuardedCall(lock, call));
    }
}

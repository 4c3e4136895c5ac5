package io.github.distlock.spring;

import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.aop.support.AopUtils;

/** Runs each call of a method with an annotation as the {@link Execution} of its description says. */
final class LockInterceptor implements MethodInterceptor {
    private final MethodLocks locks;

    LockInterceptor(MethodLocks locks) {
        this.locks = locks;
    }

    @Override
    public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
        Object bean = invocation.getThis();
        Class<?> type = bean == null ? invocation.getMethod().getDeclaringClass() : AopUtils.getTargetClass(bean);
        MethodLock lock = locks.of(invocation.getMethod(), type);
        return lock.execution().execute(new GuardedCall(lock, (ProxyMethodInvocation) invocation));
    }
}

package io.github.distlock.spring;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.MethodClassKey;

/** The descriptions of all methods with an annotation. The start-up check makes those of the beans that it knows. */
final class MethodLocks {
    private final MethodLockParser parser;
    private final DistributedLockKeys keys;
    private final Map<MethodClassKey, MethodLock> known = new ConcurrentHashMap<>();
    /** Those whose advisors are known to be in order. */
    private final Map<MethodClassKey, MethodLock> called = new ConcurrentHashMap<>();

    MethodLocks(ConfigurableListableBeanFactory beans, DistributedLockKeys keys) {
        parser = new MethodLockParser(beans);
        this.keys = keys;
    }

    /**
     * Returns the description of the method of a call. The start-up has not seen the proxy of a bean that was created
     * later. So the first call checks the order of its advisors.
     *
     * @throws IllegalStateException if the annotation has a mistake, or if an advisor is on the wrong side of the lock
     */
    MethodLock of(ProxyMethodInvocation call) {
        Method method = call.getMethod();
        Class<?> type = type(call);
        MethodClassKey key = new MethodClassKey(method, type);
        MethodLock lock = called.get(key);
        if (lock == null) {
            lock = of(method, type);
            if (call.getProxy() instanceof Advised proxy) {
                AdvisorOrder.check(AopUtils.getMostSpecificMethod(method, type), type, List.of(proxy.getAdvisors()));
            }
            called.put(key, lock);
        }
        return lock;
    }

    /** The bean may be a proxy that a factory has made of an interface. Its class has no names of parameters. */
    private static Class<?> type(ProxyMethodInvocation call) {
        Class<?> type = call.getThis() == null ? null : AopUtils.getTargetClass(call.getThis());
        return type == null || Proxy.isProxyClass(type) ? call.getMethod().getDeclaringClass() : type;
    }

    /**
     * Returns the description of a method with an annotation.
     *
     * @throws IllegalStateException if the annotation has a mistake
     */
    MethodLock of(Method method, Class<?> type) {
        MethodClassKey key = new MethodClassKey(method, type);
        MethodLock lock = known.get(key);
        if (lock == null) {
            // Not in computeIfAbsent: this may create the client's bean, whose creation may call a method with a lock.
            lock = parser.parse(AopUtils.getMostSpecificMethod(method, type), type);
            keys.add(lock.key());
            known.put(key, lock);
        }
        return lock;
    }
}

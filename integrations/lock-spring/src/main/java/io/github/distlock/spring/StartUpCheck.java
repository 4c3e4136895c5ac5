package io.github.distlock.spring;

import static io.github.distlock.spring.LockAnnotations.refusal;

import io.github.distlock.LockClient;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.Advisor;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.AopInfrastructureBean;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.FactoryBean;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * Looks at all beans at start-up: no method with an annotation may run without its lock because a proxy cannot see it,
 * and no annotation may have a mistake. Lets transactions check the locks of their threads, and clients close last.
 */
final class StartUpCheck implements SmartInitializingSingleton {
    private final ConfigurableListableBeanFactory beans;
    private final MethodLocks locks;

    StartUpCheck(ConfigurableListableBeanFactory beans, MethodLocks locks) {
        this.beans = beans;
        this.locks = locks;
    }

    @Override
    public void afterSingletonsInstantiated() {
        if (ActiveTransactions.ARE_POSSIBLE) {
            CommitCheck.addTo(beans);
        }
        for (String name : beans.getBeanNamesForType(Object.class)) {
            Class<?> type = AutoProxyUtils.determineTargetClass(beans, name);
            if (type != null && !AopInfrastructureBean.class.isAssignableFrom(type)) {
                check(name, ClassUtils.getUserClass(type));
            }
        }
    }

    private void check(String name, Class<?> type) {
        checkInterfaces(type);
        for (Method method : ReflectionUtils.getUniqueDeclaredMethods(type)) {
            if (!method.isSynthetic() && LockAnnotations.find(method, type) != null) {
                keepClientsFor(name);
                Object bean = existing(name);
                checkVisible(method, type, bean);
                var unused = locks.of(method, type);
                if (bean != null) {
                    checkProxy(name, method, type, bean);
                }
            }
        }
    }

    /**
     * Lets the container destroy the bean, and so those that use it, before the clients. Their destroy methods may call
     * methods with a lock. The container would begin with the beans that were created last.
     */
    private void keepClientsFor(String name) {
        for (String client : beans.getBeanNamesForType(LockClient.class, true, false)) {
            beans.registerDependentBean(client, name);
        }
    }

    /** Returns the bean, or null if it is created later. The bean of a factory is its product. */
    private @Nullable Object existing(String name) {
        Object bean = beans.getSingleton(name);
        if (bean instanceof FactoryBean<?> factory) {
            return factory.isSingleton() ? beans.getBean(name) : null;
        }
        return bean;
    }

    private static void checkInterfaces(Class<?> type) {
        for (Class<?> each : ClassUtils.getAllInterfacesForClass(type)) {
            if (MergedAnnotations.from(each).isPresent(DistributedLocked.class)) {
                throw new IllegalStateException("@DistributedLocked on the interface " + each.getName()
                        + " has no effect; put it on the methods of the interface, or on " + type.getName());
            }
        }
    }

    private static void checkVisible(Method method, Class<?> type, @Nullable Object bean) {
        int modifiers = method.getModifiers();
        if (Modifier.isPrivate(modifiers) || Modifier.isStatic(modifiers)) {
            throw refusal(
                    method,
                    "a proxy cannot see a " + (Modifier.isStatic(modifiers) ? "static" : "private")
                            + " method, so it would run without the lock; make it a public method of the bean");
        }
        // A bean that is created later may get a proxy of its class, unless that is final.
        boolean isClassProxied =
                bean == null ? !Modifier.isFinal(type.getModifiers()) : !AopUtils.isJdkDynamicProxy(bean);
        if (Modifier.isFinal(modifiers) && isClassProxied) {
            throw refusal(
                    method,
                    "a proxy cannot see a final method, so it would run without the lock; do not make it final"
                            + " (in Kotlin: open it, or use the compiler plug-in \"spring\")");
        }
    }

    private static void checkProxy(String name, Method method, Class<?> type, Object bean) {
        List<Advisor> advisors = advisors(bean);
        if (advisors.stream().noneMatch(LockAdvisor.class::isInstance)) {
            throw refusal(
                    method,
                    "the bean \"" + name + "\" has no proxy, so it would run without the lock. The bean was created"
                            + " too early: do not inject it into a BeanPostProcessor or a BeanFactoryPostProcessor, and"
                            + " make @Bean methods of these static");
        }
        AdvisorOrder.check(method, type, advisors);
        try {
            var unused = AopUtils.selectInvocableMethod(method, bean.getClass());
        } catch (IllegalStateException e) {
            throw refusal(
                    method,
                    "the bean \"" + name + "\" is a proxy of its interfaces, which do not have this method;"
                            + " add it to one, or use @EnableDistributedLocks(proxyTargetClass = true)");
        }
    }

    /** Returns the advisors of a bean, the outermost first. A proxy may be around another proxy. */
    private static List<Advisor> advisors(Object bean) {
        List<Advisor> advisors = new ArrayList<>();
        Object each = bean;
        while (each instanceof Advised proxy) {
            advisors.addAll(Arrays.asList(proxy.getAdvisors()));
            each = AopProxyUtils.getSingletonTarget(each);
        }
        return advisors;
    }
}

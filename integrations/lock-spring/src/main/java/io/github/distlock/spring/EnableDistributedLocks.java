package io.github.distlock.spring;

import io.github.distlock.LockClient;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.context.annotation.Import;
import org.springframework.core.Ordered;

/**
 * Switches {@link DistributedLocked} on for the beans of an application context. The context needs a {@link LockClient}
 * bean. It belongs on a configuration class of each context that has such beans: it does not reach child contexts.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@SuppressWarnings("exports") // what it imports is for Spring alone
@Import({DistributedLocksRegistrar.class, DistributedLocksConfiguration.class})
public @interface EnableDistributedLocks {

    /**
     * The order of the lock among the advisors of a bean. An advisor with a smaller number is outside. The property
     * {@code distlock.annotation.order} overrides it.
     *
     * @return outside transactions and caches unless changed, whose default is {@link Ordered#LOWEST_PRECEDENCE}
     */
    int order() default Ordered.LOWEST_PRECEDENCE - 100;

    /**
     * Whether beans get proxies of their class, also if they implement interfaces.
     *
     * @return false unless set: beans with interfaces get proxies of their interfaces
     */
    boolean proxyTargetClass() default false;
}

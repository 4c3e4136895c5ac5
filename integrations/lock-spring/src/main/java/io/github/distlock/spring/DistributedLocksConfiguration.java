package io.github.distlock.spring;

import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.ImportAware;
import org.springframework.context.annotation.Role;
import org.springframework.core.Ordered;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotationMetadata;

/** The beans that {@link EnableDistributedLocks} adds. */
@Configuration(proxyBeanMethods = false)
@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
class DistributedLocksConfiguration implements ImportAware {
    private int order = Ordered.LOWEST_PRECEDENCE - 100;

    @Override
    public void setImportMetadata(AnnotationMetadata importing) {
        order = importing
                .getAnnotations()
                .get(EnableDistributedLocks.class)
                .getValue("order", Integer.class)
                .orElse(order);
    }

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    DistributedLockKeys distributedLockKeys() {
        return new DistributedLockKeys();
    }

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    MethodLocks distributedMethodLocks(ConfigurableListableBeanFactory beans, DistributedLockKeys keys) {
        return new MethodLocks(beans, keys);
    }

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    LockAdvisor distributedLockAdvisor(MethodLocks locks, Environment environment) {
        return new LockAdvisor(locks, environment.getProperty("distlock.annotation.order", Integer.class, order));
    }

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    StartUpCheck distributedLockStartUpCheck(ConfigurableListableBeanFactory beans, MethodLocks locks) {
        return new StartUpCheck(beans, locks);
    }
}

package io.github.distlock.spring;

import org.springframework.aop.config.AopConfigUtils;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.context.annotation.ImportBeanDefinitionRegistrar;
import org.springframework.core.type.AnnotationMetadata;

/** Registers Spring's creator of proxies, which finds the advisor among the beans. */
final class DistributedLocksRegistrar implements ImportBeanDefinitionRegistrar {

    @Override
    public void registerBeanDefinitions(AnnotationMetadata importing, BeanDefinitionRegistry registry) {
        AopConfigUtils.registerAutoProxyCreatorIfNecessary(registry);
        boolean ofClasses = importing
                .getAnnotations()
                .get(EnableDistributedLocks.class)
                .getValue("proxyTargetClass", Boolean.class)
                .orElse(false);
        if (ofClasses) {
            AopConfigUtils.forceAutoProxyCreatorToUseClassProxying(registry);
        }
    }
}

package io.github.distlock.spring.boot;

import io.github.distlock.LockClient;
import io.github.distlock.spring.EnableDistributedLocks;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;

/** Switches {@link io.github.distlock.spring.DistributedLocked} on, unless the application has done so itself. */
@AutoConfiguration(after = DistlockAutoConfiguration.class)
@ConditionalOnBean(LockClient.class)
@ConditionalOnMissingBean(name = "distributedLockAdvisor")
@EnableDistributedLocks
public final class DistributedLocksAutoConfiguration {

    /** For the container. */
    DistributedLocksAutoConfiguration() {}
}

package io.github.distlock.spring.boot;

import io.github.distlock.LockClient;
import java.util.concurrent.Executor;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;

/**
 * Lets the container destroy all executors and schedulers before the clients, so that their last tasks can acquire and
 * release. The container destroys beans in the reverse order of their creation, which is the wrong one for an executor
 * that the application defines. Executors that a client uses itself are no exception: its close does not need them.
 *
 * <p>This changes the order of destruction alone. A {@code @DependsOn} would change the order of creation, too, and
 * make a circle with a client that uses an executor.
 */
final class ShutdownOrder implements SmartInitializingSingleton {
    private final ConfigurableListableBeanFactory beans;

    ShutdownOrder(ConfigurableListableBeanFactory beans) {
        this.beans = beans;
    }

    @Override
    public void afterSingletonsInstantiated() {
        String[] executors = beans.getBeanNamesForType(Executor.class, false, false);
        for (String client : beans.getBeanNamesForType(LockClient.class, false, false)) {
            for (String executor : executors) {
                beans.registerDependentBean(client, executor);
            }
        }
    }
}

package io.github.distlock.examples;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.redis.RedisBackend;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

/** One client per application, as a bean that Spring closes; locks are cheap and can be made where they are needed. */
@Configuration
public class SpringWiring {

    /** For Spring. */
    public SpringWiring() {}

    /**
     * The application's only client.
     *
     * @param environment has the server's address
     * @return closed by Spring, by its {@code close} method
     */
    @Bean
    public LockClient locks(Environment environment) {
        return LockClient.create(RedisBackend.connect(environment.getRequiredProperty("redis.uri")));
    }

    /**
     * A lock that several beans need.
     *
     * @param locks the application's client
     * @return the lock of all reports
     */
    @Bean
    public DistributedLock reportLock(LockClient locks) {
        return locks.lock("reports");
    }

    /**
     * Uses the beans.
     *
     * @param arguments the address of a Redis server
     * @throws InterruptedException when interrupted while it waits for the lock
     */
    public static void main(String[] arguments) throws InterruptedException {
        System.setProperty("redis.uri", arguments[0]);
        try (var context = new AnnotationConfigApplicationContext(SpringWiring.class)) {
            context.getBean(DistributedLock.class)
                    .runLocked(held -> System.out.println("reporting under token " + held.fencingToken()));
        }
    }
}

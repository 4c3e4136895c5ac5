package io.github.distlock.examples;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.redis.RedisBackend;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

/** Shows one client per application, as a bean that Spring closes. Locks are cheap, so any bean may make one. */
@Configuration
public class SpringWiring {

    /** Makes the configuration; Spring calls this. */
    public SpringWiring() {}

    /**
     * Makes the application's only client.
     *
     * @param environment contains the server's address in {@code redis.uri}
     * @return the client, which Spring closes
     */
    @Bean
    public LockClient locks(Environment environment) {
        return LockClient.create(RedisBackend.connect(environment.getRequiredProperty("redis.uri")));
    }

    /**
     * Makes a lock that several beans share.
     *
     * @param locks the application's client
     * @return the lock of all reports
     */
    @Bean
    public DistributedLock reportLock(LockClient locks) {
        return locks.lock("reports");
    }

    /**
     * Starts Spring, and runs work under the lock.
     *
     * @param arguments the address of a Redis server
     * @throws InterruptedException if the thread is interrupted while it waits for the lock
     */
    public static void main(String[] arguments) throws InterruptedException {
        System.setProperty("redis.uri", arguments[0]);
        try (var context = new AnnotationConfigApplicationContext(SpringWiring.class)) {
            context.getBean(DistributedLock.class)
                    .runLocked(held -> System.out.println("reporting under token " + held.fencingToken()));
        }
    }
}
